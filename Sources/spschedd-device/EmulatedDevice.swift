import Arbiter
import DeviceProtocol
import Glibc
import LinuxIO
import SPModel

/// The emulated device: the same command over its socket.
struct EmulatedDevice {
    let path: String

    private static let deviceToken = EventToken(slot: 0, generation: 1)
    private static let signalsToken = EventToken(slot: 1, generation: 1)

    /// `nil` if a signal came before the answer. Of a command's content the emulated SP knows nothing: it takes its
    /// time, and fails as it was told to.
    func perform(
        _ order: PlatformOrder, until signals: borrowing TerminationSignals
    ) throws(SystemError) -> PlatformReport? {
        do {
            var device = try EmulatorConnection(path: path)
            try device.label("spschedd-device")
            let begin = BootClock.now()
            let isStatus = order.command == .status
            guard let sequence = CommandSequence(kind: isStatus ? .platformStatus : .platformCommand) else {
                return nil
            }
            let tag = try device.submit(sequence)
            guard try Self.waitForAnswer(device.descriptorNumber, signals) else { return nil }
            guard case .result(tag, let result) = try device.receive() else {
                return failed(.failed, EPROTO, "no result to the command")
            }
            let report = Verdict(
                path: path, command: order.command, errno: result.errno, firmwareCode: result.firmwareCode,
                duration: BootClock.now() - begin
            ).report
            return PlatformReport(report, answer(result, report, isStatus))
        } catch let error as DeviceProtocolError {
            return failure(error)
        } catch {
            throw error as? SystemError ?? SystemError(code: EIO, attempt: "ask", subject: path)
        }
    }

    private func answer(_ result: CommandResult, _ report: ProbeReport, _ isStatus: Bool) -> PlatformAnswer {
        guard isStatus, report.outcome == .answered, let platform = result.platform else { return .nothing }
        return .status(
            SNPStatus(major: platform.major, minor: platform.minor, guestCount: platform.guestCount))
    }

    private func failure(_ error: DeviceProtocolError) -> PlatformReport {
        switch error {
        case .system(let error): Commander.notAttempted("\(error). Does sp-emulator run?")
        case .hungUp: failed(.vanished, ENODEV, "the emulated device went away: \(error)")
        case .malformed, .unexpected, .refused: failed(.unexpectedAnswer, EPROTO, "\(error)")
        }
    }

    private func failed(_ outcome: ProbeReport.Outcome, _ errno: Int32, _ text: String) -> PlatformReport {
        PlatformReport(ProbeReport(outcome: outcome, errno: errno, text: "\(path): \(text)"))
    }

    /// Whether the answer, or the end, is there; false if a signal came first.
    private static func waitForAnswer(
        _ number: Int32, _ signals: borrowing TerminationSignals
    ) throws(SystemError) -> Bool {
        let poll = try EventPoll(capacity: 2)
        try poll.add(number, for: .readable, token: deviceToken)
        try poll.add(signals.descriptorNumber, for: .readable, token: signalsToken)
        while true {
            for index in 0..<(try poll.wait()) {
                if poll.event(index).token == deviceToken { return true }
                if try signals.haveCome() { return false }
            }
        }
    }
}
