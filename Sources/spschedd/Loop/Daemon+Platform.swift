import Arbiter
import DeviceProtocol
import LinuxIO
import ManagerProtocol
import VMMProtocol

/// Platform commands of operators: each waits for a turn of its own, and goes to `spschedd-device`.
extension Daemon {
    private static var origin: UInt64 { Member.deviceLink.token.packed }

    /// Asks for a turn. The ticket is for `platformOutcome`.
    func beginPlatform(_ order: ManagedPlatformOrder, uid: UInt32) -> UInt64 {
        let order = PlatformOrder(order)
        let ticket = platformDesk.open(order, uid: uid)
        let kind: CommandKind = order.command == .status ? .platformStatus : .platformCommand
        let request = RequestID(origin: Self.origin, tag: ticket)
        do throws(RequestError) {
            try arbiter.acquirePlatform(kind, request: request, now: clock.now(), into: &decisions)
        } catch {
            end(ticket, .busy(reason: "error", text: ErrorCode(error).sentence))
        }
        carryOutDecisions()
        return ticket
    }

    func platformOutcome(of ticket: UInt64) -> ManagedPlatformOutcome? { platformDesk.collect(ticket) }

    /// Its operator went away: it is taken back if it has no turn yet, and its outcome is told the journal alone if it
    /// has.
    func abandonPlatform(_ ticket: UInt64) {
        platformDesk[ticket]?.isAbandoned = true
        switch platformDesk[ticket]?.state {
        case .queued:
            let request = RequestID(origin: Self.origin, tag: ticket)
            arbiter.cancelPlatform(request, now: clock.now(), into: &decisions)
            carryOutDecisions()
        case .ended: platformDesk[ticket] = nil
        case .issued, nil: break
        }
    }

    // MARK: What the Arbiter decided

    func platformGranted(_ ticket: UInt64, _ turn: TurnID) {
        guard let entry = platformDesk[ticket] else { return releasePlatform(turn) }
        platformDesk[ticket]?.state = .issued(turn)
        switch deviceLink.perform(entry.order, ticket: ticket, now: clock.now()) {
        case .underWay(let isNew): if isNew { watchDeviceLink() }
        case .unavailable(let reason):
            let report = ProbeReport(
                outcome: .notAttempted, text: "spschedd-device cannot be asked: \(reason). Is it running?")
            performed(ticket, PlatformReport(report))
        }
    }

    func platformRefused(_ ticket: UInt64, _ busy: Busy) {
        let holder = busy.holder.flatMap { vms[$0]?.title }
        end(
            ticket,
            .busy(reason: busy.reason.managerName, text: busy.reason.sentence(limit: nil, holder: holder)))
    }

    func platformRevoked(_ turn: TurnID) {
        guard let ticket = platformDesk.ticket(holding: turn), let entry = platformDesk[ticket] else { return }
        platformDesk[ticket]?.state = .issued(nil)
        log(
            .turnOverdue, .warning,
            "The turn of \(entry.order.command.name) was not released within its lease, and passed on",
            [LogField(.turn, turn.number)])
    }

    // MARK: What the device said

    func performed(_ ticket: UInt64, _ performed: PlatformReport) {
        guard let entry = platformDesk[ticket] else { return }
        let report = performed.report
        if case .issued(let turn?) = entry.state {
            releasePlatform(turn, reportsDeviceTrouble: report.outcome == .dead)
        }
        record(entry, report)
        end(ticket, ManagedPlatformOutcome(performed))
    }

    private func releasePlatform(_ turn: TurnID, reportsDeviceTrouble: Bool = false) {
        // The turn is ours unless its lease has just ended.
        try? arbiter.releasePlatform(
            turn, reportsDeviceTrouble: reportsDeviceTrouble, now: clock.now(), into: &decisions)
        carryOutDecisions()
    }

    private func end(_ ticket: UInt64, _ outcome: ManagedPlatformOutcome) {
        guard let entry = platformDesk[ticket] else { return }
        if entry.isAbandoned {
            platformDesk[ticket] = nil
        } else {
            platformDesk[ticket]?.state = .ended(outcome)
            manager.outcomeIsThere()
        }
    }

    /// Whatever changes the platform, and whatever fails, is told with who asked for it.
    private func record(_ entry: PlatformDesk.Entry, _ report: ProbeReport) {
        let hasFailed = report.outcome != .answered
        guard hasFailed || entry.order.command.changesPlatform else { return }
        let name = entry.order.command.name
        log(
            .platform, hasFailed ? .warning : .notice,
            hasFailed ? "\(name) failed: \(report.text)" : "\(name) was done",
            [LogField(.command, name), LogField(.uid, entry.uid), LogField(.device, deviceAccess.path)])
    }
}

extension PlatformOrder {
    init(_ order: ManagedPlatformOrder) {
        switch order {
        case .status: self = .plain(.status)
        case .commit: self = .plain(.commit)
        case .configure(let reportedTCB, let masksChipID, let masksChipKey):
            self = .configure(
                PlatformConfiguration(
                    reportedTCB: reportedTCB, masksChipID: masksChipID, masksChipKey: masksChipKey))
        case .loadVLEK(let version, let hashstick):
            self = .loadVLEK(wrappedVersion: version, hashstick: hashstick)
        }
    }
}

extension ManagedPlatformOutcome {
    init(_ performed: PlatformReport) {
        let report = performed.report
        guard report.outcome == .answered else {
            let isFirmwares = report.outcome == .firmwareRefused || report.outcome == .unexpectedAnswer
            self = .failed(
                ManagedPlatformFailure(
                    outcome: report.outcome.managerName, errno: Int64(report.errno),
                    firmwareCode: isFirmwares ? Int64(report.firmwareCode.rawValue) : nil,
                    firmwareName: isFirmwares ? report.firmwareCode.name : nil, text: report.text))
            return
        }
        var platform: ManagedPlatform?
        if case .status(let status) = performed.answer { platform = ManagedPlatform(status) }
        self = .done(platform: platform, nanoseconds: report.duration.count)
    }
}

extension ManagedPlatform {
    init(_ status: SNPStatus) {
        let state = [0: "uninitialised", 1: "initialised"][status.state] ?? "state \(status.state)"
        let names: [(SNPStatus.Flags, String)] = [
            (.masksChipID, "mask_chip_id"), (.masksChipKey, "mask_chip_key"), (.hasVLEK, "vlek_en"),
            (.hasFeatureInfo, "feature_info"), (.disablesRAPL, "rapl_dis"),
            (.canHideCiphertext, "ciphertext_hiding_cap"), (.hidesCiphertext, "ciphertext_hiding_en"),
        ]
        self.init(
            apiVersion: "\(status.major).\(status.minor)", build: Int64(status.build), state: state,
            isRMPInitialised: status.isRMPInitialised, guestCount: Int64(status.guestCount),
            currentTCB: "0x" + hexadecimal(status.currentTCB), reportedTCB: "0x" + hexadecimal(status.reportedTCB),
            flags: names.filter { status.flags.contains($0.0) }.map(\.1))
    }
}

extension ProbeReport.Outcome {
    /// As operators and programs read it: part of the Manager's interface.
    var managerName: String {
        switch self {
        case .answered: "answered"
        case .dead: "dead"
        case .failed: "failed"
        case .firmwareRefused: "firmware_refused"
        case .notAttempted: "not_attempted"
        case .notPermitted: "not_permitted"
        case .notSEVDevice: "not_sev_device"
        case .vanished: "vanished"
        case .unexpectedAnswer: "unexpected_answer"
        }
    }
}
