import Testing

@testable import Arbiter

/// A guest that asks for reports for ever, as Linux's driver does: the next at once (or after `pause`), and after BUSY
/// the same again when it has slept.
final class LoopingGuest {
    let vm: VMID
    let pause: Nanoseconds
    let service: Nanoseconds
    let sleep: Nanoseconds
    /// When its requests were served.
    private(set) var served: [Instant] = []
    private(set) var refusals = 0
    /// The most refusals of one request in a row, and the longest wait for one answer.
    private(set) var mostRefusalsInARow = 0
    private(set) var longestWait = Nanoseconds.zero
    private var refusalsInARow = 0
    private var asked = Host.start

    init(
        _ registration: Registration, on host: Host, pause: Nanoseconds = .zero,
        service: Nanoseconds = .microseconds(7_500), sleep: Nanoseconds = Limits.retryQuantum,
        startingAfter delay: Nanoseconds = .zero
    ) throws {
        vm = try host.register(registration)
        self.pause = pause
        self.service = service
        self.sleep = sleep
        host.deliver(to: vm) { [unowned self] decision, host in receive(decision, host) }
        host.after(delay) { [self] host in ask(host) }
    }

    private func ask(_ host: Host) {
        asked = host.now
        do { _ = try host.acquire(.report, of: vm) } catch { Issue.record(error) }
    }

    private func receive(_ decision: Decision, _ host: Host) {
        longestWait = max(longestWait, host.now - asked)
        switch decision {
        case .granted(_, _, let grant):
            refusalsInARow = 0
            host.after(service, .release) { [self] host in
                do { try host.release(grant.turn, of: vm) } catch { Issue.record(error) }
                served.append(host.now)
                host.after(pause) { [self] host in ask(host) }
            }
        case .busy:
            refusals += 1
            refusalsInARow += 1
            mostRefusalsInARow = max(mostRefusalsInARow, refusalsInARow)
            host.after(sleep) { [self] host in ask(host) }
        default: break
        }
    }

    func served(from start: Instant, to end: Instant) -> Int { served.count { $0 >= start && $0 < end } }
}

/// A VM that launches again and again: pages in turns of at most `chunk`, each with the release of the last.
final class LoopingLauncher {
    let vm: VMID
    let plan: LaunchPlan
    let gap: Nanoseconds
    /// How long each launch lasted, first command to last.
    private(set) var durations: [Nanoseconds] = []
    private var session: SessionID?
    private var pagesLeft: UInt32 = 0
    private var began = Host.start
    private let pageCost: Nanoseconds
    private let launches: Int

    init(_ plan: LaunchPlan, on host: Host, launches: Int = .max, gap: Nanoseconds = .microseconds(100)) throws {
        self.plan = plan
        self.gap = gap
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
        if durations.count < launches { host.after(gap) { [self] host in begin(host) } }
    }
}

/// Jain's fairness index of these amounts, in thousandths: 1000 when all are equal.
func jainIndexPerMille(_ amounts: [Int]) -> Int {
    let sum = amounts.reduce(0, +)
    let squares = amounts.reduce(0) { $0 + $1 * $1 }
    return squares == 0 ? 0 : sum * sum * 1_000 / (amounts.count * squares)
}
