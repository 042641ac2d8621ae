import Arbiter
import ConfigurationFiles
import LinuxIO
import ManagerProtocol
import VMMProtocol

/// What changes, for those who watch.
extension Daemon {
    /// Tells whoever watches. Costs a test when nobody does.
    func note(_ what: @autoclosure () -> Change.What, of vm: @autoclosure () -> VMLabel? = nil) {
        guard changes.isKept else { return }
        changes.append(Change(at: now, vm: vm(), what: what()))
        manager.somethingChanged()
    }

    /// A cursor before everything: the first that is read there is how things stand.
    static let watchBegins = UInt64.max

    func nextChange(_ cursor: inout UInt64) -> WatchedChange? {
        if cursor == Self.watchBegins {
            cursor = changes.next
            return WatchedChange(change: managed(.watching, number: cursor - 1, at: clock.now(), text: standing))
        }
        guard let (number, change) = changes.change(from: cursor) else { return nil }
        defer { cursor = number + 1 }
        return WatchedChange(change: managed(change, number), lost: number > cursor ? Int64(number - cursor) : nil)
    }

    private var standing: String {
        "Watching spschedd \(PackageVersion.current): \(vms.count) VMs. \(deviceState.sentence)"
            + (arbiter.isDraining ? " The host is being drained." : "")
    }

    private func managed(
        _ kind: ManagedChangeKind, number: UInt64, at: Instant, vm: VMLabel? = nil, reason: String? = nil, text: String
    ) -> ManagedChange {
        ManagedChange(
            sequence: Int64(number), realtimeMicroseconds: realtimeMicroseconds(of: at), kind: kind,
            vm: vm.map { "\($0.name)" }, uuid: vm.map { "\($0.uuid)" }, slot: vm?.vm.map { Int($0.slot) },
            reason: reason, text: text)
    }

    private func managed(_ change: Change, _ number: UInt64) -> ManagedChange {
        let title = change.vm?.title ?? "A VM"
        let (kind, reason, text): (ManagedChangeKind, String?, String) =
            switch change.what {
            case .vmRegistered(let reservation):
                (.vmRegistered, nil, "\(title) is registered with a reservation of \(RateText.write(reservation))")
            case .vmGone(let reason): (.vmGone, nil, "\(title) is gone: \(reason)")
            case .registrationRefused(let code, let text):
                (.registrationRefused, "\(code)", "\(title) was not admitted: \(text)")
            case .refused(let busy):
                (.refused, busy.reason.managerName, "\(title) is refused. \(sentence(busy, change))")
            case .launchBegan(let pages): (.launchBegan, nil, "\(title) began a launch of \(pages) pages")
            case .launchEnded(let end): (.launchEnded, end.name, "The launch of \(title) ended: \(end.sentence)")
            case .turnOverdue:
                (.turnOverdue, nil, "The turn of \(title) was not released within its lease, and passed on")
            case .device(let state): (.device, state.managed.rawValue, state.sentence)
            case .draining(true): (.draining, nil, "The host is being drained: nothing new is admitted or served")
            case .draining(false): (.resumed, nil, "The host is drained no longer")
            case .reservations(areSuspended: true):
                (.reservationsSuspended, nil, "Launches use more than their reserve: reservations are suspended")
            case .reservations(areSuspended: false):
                (.reservationsKept, nil, "Launches keep to their reserve again: reservations hold")
            }
        return managed(kind, number: number, at: change.at, vm: change.vm, reason: reason, text: text)
    }

    private func sentence(_ busy: Busy, _ change: Change) -> String {
        guard let vm = change.vm?.vm else { return busy.reason.sentence() }
        return reply(busy, to: vm).text
    }

    private func realtimeMicroseconds(of instant: Instant) -> Int64 {
        WallClock.microseconds() - (clock.now() - instant).count / 1_000
    }
}

extension Change.LaunchEnd {
    var name: String {
        switch self {
        case .running: "running"
        case .failed: "failed"
        case .wallClock: "wall_clock"
        case .vmGone: "vm_gone"
        }
    }

    var sentence: String {
        switch self {
        case .running: "the VM runs"
        case .failed: "the VMM says that it failed"
        case .wallClock: "it took longer than launch_wall_clock_max"
        case .vmGone: "its VM is gone"
        }
    }
}
