import Testing

@testable import Arbiter

/// A VM that launches again and again: pages in turns of at most `chunk`, each asked for `gap` after the end of the
/// last, and the next launch `pause` after the end of the last.
final class LoopingLauncher {
    let vm: VMID
    let plan: LaunchPlan
    let gap: Nanoseconds
    let pause: Nanoseconds
    /// How long each launch lasted, first command to last.
    private(set) var durations: [Nanoseconds] = []
    private var session: SessionID?
    private var pagesLeft: UInt32 = 0
    private var began = Host.start
    private let pageCost: Nanoseconds
    private let launches: Int

    init(
        _ plan: LaunchPlan, on host: Host, launches: Int = .max, gap: Nanoseconds = .microseconds(100),
        pause: Nanoseconds = .zero
    ) throws {
        self.plan = plan
        self.gap = gap
        self.pause = pause
        self.launches = launches
        pageCost = host.arbiter.configuration.planningCosts.launchPage
        vm = try host.register(Registration(reservationWanted: .zero))
        host.deliver(to: vm) { [unowned self] decision, host in receive(decision, host) }
        host.after(.zero) { [self] host in begin(host) }
    }

    private func begin(_ host: Host) {
        do {
            session = try host.begin(plan, of: vm)
            pagesLeft = plan.pages
            began = host.now
            _ = try host.acquire(.launchStart, of: vm)
        } catch LaunchRefusal.busy(let busy) {
            host.after(busy.retryAfter) { [self] host in begin(host) }
        } catch { Issue.record(error) }
    }

    private func receive(_ decision: Decision, _ host: Host) {
        guard case .granted(_, _, let grant) = decision else { return }
        let cost = grant.kind == .launchUpdate ? pageCost * Int64(grant.units) : .milliseconds(5)
        host.after(cost, .release) { [self] host in
            do {
                try host.release(grant.turn, of: vm, units: grant.units)
                if grant.kind == .launchUpdate { pagesLeft -= grant.units }
                if grant.kind == .launchFinish { return try finish(host) }
                host.after(gap) { [self] host in goOn(host) }
            } catch { Issue.record(error) }
        }
    }

    private func goOn(_ host: Host) {
        do {
            _ = try pagesLeft > 0 ? host.acquire(.launchUpdate, pagesLeft, of: vm) : host.acquire(.launchFinish, of: vm)
        } catch { Issue.record(error) }
    }

    private func finish(_ host: Host) throws {
        if let session { try host.end(session, of: vm) }
        durations.append(host.now - began)
        if durations.count < launches { host.after(pause) { [self] host in begin(host) } }
    }
}
