import Testing

@testable import Arbiter

/// What happens to a daemon's Arbiter after a restart: operators ask, turns end, VMs go on, launch and leave.
struct RestoredLife: ~Copyable {
    private var arbiter: Arbiter
    private var now: Instant
    private var decisions: [Decision] = []
    private var tag: UInt64 = 1_000_000

    init(_ arbiter: consuming Arbiter, at now: Instant) {
        self.arbiter = arbiter
        self.now = now
    }

    mutating func live() {
        beAsked()
        endTurns()
        arbiter.resumeGrants(now: now, into: &decisions)
        for _ in 0..<3 {
            for vm in vms { work(vm) }
            pass(.seconds(2))
            beAsked()
        }
        pass(.seconds(3_600))
        for vm in vms { arbiter.unregister(vm, now: now, into: &decisions) }
        endTurns()
        pass(.seconds(1))
        beAsked()
    }

    private var vms: [VMID] { arbiter.reports().map(\.vm) }

    /// Every figure, and the sums that Status, ListVMs and Metrics make of them.
    private func beAsked() {
        let overview = arbiter.overview(now: now)
        let totals = overview.totals
        let turns = Int64(totals.guestTurns + totals.launchTurns + totals.platformTurns + totals.floorTurns)
        let others = Int64(totals.launches + totals.refusals + totals.overdueTurns)
        let service = totals.guestService + totals.launchService + totals.platformService + totals.holdCost
        #expect(turns >= 0 && others >= 0 && service >= .zero)
        for report in arbiter.reports() {
            let counters = report.counters
            let counted = Int64(counters.guestTurns + counters.launchTurns + counters.refusals)
            let more = Int64(counters.launches + counters.overdueTurns)
            let service = counters.guestService + counters.launchService
            #expect(counted >= 0 && more >= 0 && service >= .zero)
            _ = arbiter.standing(of: report.vm, now: now)
            _ = arbiter.entitlement(of: report.vm)
        }
    }

    private mutating func pass(_ time: Nanoseconds) {
        now = now + time
        arbiter.advance(to: now, into: &decisions)
        // What is asked of the device is answered.
        if decisions.contains(.probe) { arbiter.probeReturned(.returned, now: now, into: &decisions) }
        decisions.removeAll(keepingCapacity: true)
    }

    private mutating func endTurns() {
        for held in [arbiter.turn, arbiter.turnBeside].compactMap({ $0 }) {
            now = now + .milliseconds(7)
            try? arbiter.release(held.id, TurnOutcome(unitsDone: held.units), of: held.vm, now: now, into: &decisions)
            if held.vm == .none { try? arbiter.releasePlatform(held.id, now: now, into: &decisions) }
        }
    }

    private mutating func work(_ vm: VMID) {
        acquire(.report, of: vm)
        _ = try? arbiter.beginLaunch(LaunchPlan(pages: 20, virtualCPUs: 2), of: vm, now: now)
        acquire(.launchStart, of: vm)
        endTurns()
        acquire(.launchUpdate, of: vm)
        endTurns()
        acquire(.derivedKey, of: vm)
        if let session = arbiter.session(of: vm) {
            try? arbiter.endLaunch(session, of: vm, now: now, into: &decisions)
        }
        endTurns()
    }

    private mutating func acquire(_ kind: CommandKind, of vm: VMID) {
        tag += 1
        try? arbiter.acquire(
            kind, units: 1, maxWait: nil, request: RequestID(origin: 1, tag: tag), of: vm, now: now, into: &decisions)
    }
}
