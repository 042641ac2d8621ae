import Testing

@testable import Arbiter

/// A guest that asks for reports for ever, as Linux's driver does: the next at once (or after `pause`), and after BUSY
/// the same again when it has slept.
final class LoopingGuest {
    let vm: VMID
    let pause: Nanoseconds
    let service: Nanoseconds
    let sleep: Nanoseconds
    /// If set, the next request comes when the clock is at the next multiple of it: all such guests come at once.
    let period: Nanoseconds?
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
        period: Nanoseconds? = nil, startingAfter delay: Nanoseconds = .zero
    ) throws {
        vm = try host.register(registration)
        self.pause = pause
        self.service = service
        self.sleep = sleep
        self.period = period
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
                host.after(untilNext(host.now)) { [self] host in ask(host) }
            }
        case .busy:
            refusals += 1
            refusalsInARow += 1
            mostRefusalsInARow = max(mostRefusalsInARow, refusalsInARow)
            host.after(sleep) { [self] host in ask(host) }
        default: break
        }
    }

    private func untilNext(_ now: Instant) -> Nanoseconds {
        guard let period else { return pause }
        return Nanoseconds(period.count - now.sinceBoot.count % period.count)
    }

    func served(from start: Instant, to end: Instant) -> Int { served.count { $0 >= start && $0 < end } }
}

/// Jain's fairness index of these amounts, in thousandths: 1000 when all are equal.
func jainIndexPerMille(_ amounts: [Int]) -> Int {
    let sum = amounts.reduce(0, +)
    let squares = amounts.reduce(0) { $0 + $1 * $1 }
    return squares == 0 ? 0 : sum * sum * 1_000 / (amounts.count * squares)
}
