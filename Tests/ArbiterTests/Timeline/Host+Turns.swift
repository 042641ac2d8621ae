import Testing

@testable import Arbiter

extension Host {
    /// The VMs that were granted turns, in order.
    var granted: [VMID] {
        log.compactMap { if case .granted(_, let vm, _) = $0.decision { vm } else { nil } }
    }

    /// Returns the turn of `request` after `duration`, and then each turn that this makes possible.
    func finishTurns(
        startingWith request: RequestID, of vm: VMID, each duration: Nanoseconds = .microseconds(7_500)
    ) throws {
        var turn: (TurnID, VMID)? = try (#require(grant(of: request)).turn, vm)
        while let (id, holder) = turn {
            run(for: duration)
            let before = log.count
            try release(id, of: holder)
            turn =
                log[before...].compactMap { entry in
                    if case .granted(_, let vm, let grant) = entry.decision { (grant.turn, vm) } else { nil }
                }.first
        }
    }

    /// Refuses each of these VMs every 2.046 s, as a guest's driver would ask, until its first attempt is so long ago.
    ///
    /// They are refused because the operator drains; at the end the host is resumed.
    func grow(old ages: [(vm: VMID, age: Nanoseconds)]) throws {
        let end = now + (ages.map(\.age).max() ?? .zero)
        step { arbiter, now, out in arbiter.drain(now: now, into: &out) }
        for (vm, age) in ages {
            var time = end - age
            while time < end {
                at(time) { host in
                    do { _ = try host.acquire(.report, of: vm) } catch { Issue.record(error) }
                }
                time += Limits.retryQuantum
            }
        }
        run(until: end)
        step { arbiter, now, out in arbiter.resume(now: now, into: &out) }
    }
}
