import Arbiter

extension Profile {
    /// This profile on a machine whose reports, or pages, cost so many hundredths of what they cost here. For asking
    /// how much a result depends on figures that are not known well.
    ///
    /// - Parameters:
    ///   - report: of an attestation report.
    ///   - page: of every kind of page that a launch measures, VMSAs included. Both must be at least 1.
    public func scaled(reportPercent report: Int64 = 100, pagePercent page: Int64 = 100) -> Profile {
        precondition(report >= 1 && page >= 1, "a command that takes no time, or less")
        guard report != 100 || page != 100 else { return self }
        let pages: Set<FirmwareCommand> = [
            .launchUpdateNormal, .launchUpdateZero, .launchUpdateUnmeasured, .launchUpdateSecrets, .launchUpdateCPUID,
            .launchUpdateVMSA, .legacyLaunchUpdatePage,
        ]
        let table = FirmwareCommand.allCases.map { command in
            let percent = command == .guestRequestReport ? report : pages.contains(command) ? page : 100
            return (command, timing(of: command).scaled(percent: percent))
        }
        return Profile(
            name: "\(name), reports x \(Self.hundredths(report)), pages x \(Self.hundredths(page))",
            firmware: (firmwareMajor, firmwareMinor), gaps: gaps, Dictionary(uniqueKeysWithValues: table))
    }

    private static func hundredths(_ percent: Int64) -> String {
        let rest = percent % 100
        return rest == 0 ? "\(percent / 100)" : "\(percent / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}

extension Timing {
    fileprivate func scaled(percent: Int64) -> Timing {
        guard percent != 100 else { return self }
        return Timing(median * percent / 100, spread, .assumed, "\(percent) % of: \(source)")
    }
}
