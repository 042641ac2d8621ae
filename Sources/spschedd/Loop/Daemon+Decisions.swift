import Arbiter
import ConfigurationFiles
import LinuxIO
import VMMProtocol

/// What the Arbiter decided, carried out in its order.
extension Daemon {
    /// Carrying one out may cause further ones, which are appended and carried out too.
    func carryOutDecisions() {
        // Inside itself there is nothing to do: the decision that is being carried out is not the last.
        guard !isCarryingOut else { return }
        isCarryingOut = true
        defer { isCarryingOut = false }
        var index = 0
        while index < decisions.count {
            carryOut(decisions[index])
            index += 1
        }
        decisions.removeAll(keepingCapacity: true)
    }

    private func carryOut(_ decision: Decision) {
        switch decision {
        // No VM stands behind platform commands: they are ours.
        case .granted(let request, .none, let grant): platformGranted(request.tag, grant.turn)
        case .busy(let request, .none, let busy): platformRefused(request.tag, busy)
        case .revoked(let turn, .none, _): platformRevoked(turn)
        case .granted(let request, _, let grant):
            counters.grants += 1
            reply(.granted(Granted(grant)), to: request)
        case .busy(let request, let vm, let busy):
            count(busy, to: vm)
            reply(.busy(reply(busy, to: vm)), to: request)
        case .failed(let request, _, let error): reply(.error(ErrorReply(error)), to: request)
        case .queued(let request, _, let notice):
            guard let connection = connections[EventToken(packed: request.origin)] else { return }
            send(.queued(Queued(notice)), tag: request.tag, to: connection)
        case .revoked(let turn, let vm, let origin): revoke(turn, of: vm, origin: origin)
        case .probe: probe()
        case .deviceState(let state): deviceChanged(to: state)
        case .sessionEnded(let session, let vm, let end): sessionEnded(session, of: vm, end)
        }
    }

    /// Sends a request's terminal reply. If its connection is gone, so is the request: `hangUp` has taken, or takes, it
    /// back.
    private func reply(_ message: DaemonMessage, to request: RequestID) {
        guard let connection = connections[EventToken(packed: request.origin)],
            connection.machine.replied(tag: request.tag)
        else { return }
        if case .granted = message {
            connection.budget.earn()
            // All wait for what it says next.
            if !connection.isPrompt { serve(connection, promptly: true) }
            connection.account.arrivals.earn()
        }
        send(message, tag: request.tag, to: connection)
    }

    private func revoke(_ turn: TurnID, of vm: VMID, origin: UInt64) {
        if let connection = connections[EventToken(packed: origin)] {
            send(.revoked(turn, Extensible(.leaseEnded)), tag: 0, to: connection)
        }
        guard let record = vms[vm] else { return }
        note(.turnOverdue, of: VMLabel(record))
        log(
            .turnOverdue, .warning, of: record.account,
            "The turn of \(record.title) was not released within its lease, and passed on",
            record.fields + [LogField(.turn, turn.number)])
    }

    private func sessionEnded(_ session: SessionID, of vm: VMID, _ end: SessionEnd) {
        guard let record = vms[vm] else { return }
        closeSession(of: vm, end == .wallClock ? .wallClock : .vmGone)
        guard end == .wallClock else { return }
        for token in record.connections {
            guard let connection = connections[token] else { continue }
            send(.revoked(TurnID(number: 0), Extensible(.sessionWallClock)), tag: 0, to: connection)
        }
        let limit = DurationText.write(configuration.arbiter.launchWallClockMax)
        log(
            .sessionEnded, .warning, of: record.account,
            "The launch of \(record.title) was ended: it took longer than launch_wall_clock_max (\(limit))",
            record.fields + [LogField(.session, session.number)])
    }

    // MARK: Refusals in words

    func count(_ busy: Busy, to vm: VMID) {
        counters.busies.add(busy.reason)
        vms.update(vm) { $0.busies.add(busy.reason) }
        if refusals.note(busy, of: vm, at: now) { note(.refused(busy), of: vms[vm].map(VMLabel.init)) }
    }

    /// A refusal with the limit that binds and the VM that stands in the way.
    func reply(_ busy: Busy, to vm: VMID) -> BusyReply {
        let holder = busy.holder.flatMap { vms[$0]?.title }
        return BusyReply(
            retryAfter: busy.retryAfter, reason: Extensible(busy.reason),
            text: busy.reason.sentence(limit: bound(of: busy.reason, vm), holder: holder))
    }

    /// The figure that the reason's sentence names.
    func bound(of reason: BusyReason, _ vm: VMID) -> String? {
        switch reason {
        case .limit: vms[vm]?.registration.limit.map(RateText.write)
        case .guestsAhead, .launchAhead: vms[vm].map { DurationText.write($0.admission.guestWaitMax) }
        case .reservationsSuspended:
            DurationText.write(configuration.arbiter.launchReservePerSecond) + " in each second"
        case .launchBucketVM: configuration.arbiter.launchBucketVM.text
        case .launchBucketAccount: configuration.arbiter.launchBucketAccount.text
        default: nil
        }
    }
}

extension LaunchBucket {
    fileprivate var text: String {
        "\(DurationText.write(perSecond)) of SP time in each second, \(DurationText.write(burst)) at once"
    }
}
