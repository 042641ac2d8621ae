import Testing

@testable import Arbiter

/// Goal: rule 6 (c): shares by weight, and a refused VM keeps its place. Method: populations of looping guests.
@Suite("Fairness")
struct FairnessTests {
    private func population(
        _ count: Int, on host: Host,
        _ registration: (Int) -> Registration = { _ in Registration(reservationWanted: .zero) }
    ) throws -> [LoopingGuest] {
        host.remembers = false
        host.checksEvery = 101
        return try (0..<count).map {
            try LoopingGuest(registration($0), on: host, startingAfter: .milliseconds(Int64($0)))
        }
    }

    @Test("64 guests in a tight loop share equally: Jain's index is at least 0.98 in each window of 30 s")
    func sixtyFour() throws {
        let host = Host(virtualMachines: 64)
        let guests = try population(64, on: host)
        for window in 0..<2 {
            let from = host.now
            host.run(for: .seconds(30))
            let served = guests.map { $0.served(from: from, to: host.now) }
            #expect(served.allSatisfy { $0 >= 10 })
            #expect(jainIndexPerMille(served) >= 980, "window \(window): \(served.sorted())")
        }
        // A guest that retries every 2 s is never refused for 60 s.
        #expect(guests.allSatisfy { $0.mostRefusalsInARow <= 20 })
    }

    @Test("weights 100, 200 and 400 share in proportion when none of them comes to a third")
    func weights() throws {
        let host = Host(virtualMachines: 16)
        // Sum 1500: 100 → 1/15, 200 → 2/15, 400 → 4/15.
        let weights: [Int64] = [100, 100, 100, 200, 200, 400, 400]
        let guests = try population(weights.count, on: host) {
            Registration(reservationWanted: .zero, weight: Weight(weights[$0]))
        }
        host.run(for: .seconds(30))
        let total = guests.reduce(0) { $0 + $1.served.count }
        for (guest, weight) in zip(guests, weights) {
            let expected = total * Int(weight) / 1_500
            #expect(abs(guest.served.count - expected) <= expected / 50 + 2)
        }
        #expect(total >= 3_990)
    }

    @Test("shared VMs share by weight beside launches and a convoy of reserved VMs that comes every second")
    func besideConvoy() throws {
        let host = Host(virtualMachines: 96)
        host.remembers = false
        host.checksEvery = 101
        // 64 × 7.5 ms and a launch: while these are served, a shared request would start beyond the default wait.
        let convoy = try (0..<64).map { _ in
            try LoopingGuest(Registration(), on: host, period: .seconds(1), startingAfter: .seconds(1))
        }
        let weights: [Int64] = [100, 100, 200, 200, 400, 400]
        let guests = try population(weights.count, on: host) {
            Registration(reservationWanted: .zero, weight: Weight(weights[$0]))
        }
        let launcher = try LoopingLauncher(
            LaunchPlan(pages: 64), on: host, gap: .microseconds(300), pause: .milliseconds(920))
        // Who had the SP alone at the start pays back its lead first.
        host.run(for: .seconds(15))
        let from = host.now
        host.run(for: .seconds(60))
        #expect(launcher.durations.count > 60)
        #expect(convoy.allSatisfy { $0.served.count >= 55 })
        let normalised = zip(guests, weights).map { guest, weight in
            guest.served(from: from, to: host.now) * 400 / Int(weight)
        }
        #expect(normalised.allSatisfy { $0 >= 40 }, "\(normalised)")
        #expect(jainIndexPerMille(normalised) >= 980, "\(normalised)")
    }

    @Test("weights hold beside VMs that do not use their share: reserved ones, and ones that a limit keeps below it")
    func besideUnusedShares() throws {
        let host = Host(virtualMachines: 96)
        host.remembers = false
        host.checksEvery = 101
        let reserved = try (0..<64).map {
            try LoopingGuest(
                Registration(), on: host, pause: .microseconds(992_500), startingAfter: .milliseconds(Int64($0) * 15))
        }
        let limited = try [1, 2, 4].map { limit in
            try LoopingGuest(
                Registration(reservationWanted: .zero, limit: .perSecond(limit), weight: Weight(200), burst: 1),
                on: host)
        }
        let weights: [Int64] = [100, 100, 200, 200, 400, 400]
        let guests = try population(weights.count, on: host) {
            Registration(reservationWanted: .zero, weight: Weight(weights[$0]), guestWaitMax: .seconds(2))
        }
        host.run(for: .seconds(60))
        let from = host.now
        host.run(for: .seconds(60))
        #expect(reserved.allSatisfy { $0.served(from: from, to: host.now) >= 58 })
        #expect(
            zip(limited, [60, 120, 240]).allSatisfy { abs($0.served(from: from, to: host.now) - $1) <= $1 / 50 + 2 })
        let normalised = zip(guests, weights).map { guest, weight in
            guest.served(from: from, to: host.now) * 400 / Int(weight)
        }
        let mean = normalised.reduce(0, +) / normalised.count
        #expect(normalised.allSatisfy { abs($0 - mean) <= mean / 20 }, "\(normalised)")
    }

    @Test("light VMs keep their share when the virtual time has run ahead of all while others slept")
    func lightOnes() throws {
        let host = Host(virtualMachines: 64)
        host.remembers = false
        host.checksEvery = 101
        // The light ones' turn comes round in 585 ms: they are refused at 500 ms, and sleep.
        let weights = (0..<36).map { Weight([50, 100, 200][$0 % 12 < 4 ? 0 : $0 % 12 < 9 ? 1 : 2]) }
        let guests = try (0..<36).map {
            try LoopingGuest(
                Registration(reservationWanted: .zero, weight: weights[$0]), on: host, pause: .microseconds(400),
                startingAfter: .milliseconds(Int64($0 * 797 % 2_046)))
        }
        host.run(for: .seconds(5))
        // It follows one that leads by far, as if all others slept: by three quarters of what they may lag.
        host.step { arbiter, _, _ in
            let leader = arbiter.fairShare.virtualTime &+ arbiter.fairShare.lead * 5 / 4
            arbiter.fairShare.follow(served: leader, leastQueued: nil)
        }
        host.run(for: .seconds(5))
        let from = host.now
        host.run(for: .seconds(60))
        let total = guests.reduce(0) { $0 + $1.served(from: from, to: host.now) }
        for (guest, weight) in zip(guests, weights) where weight == Weight(50) {
            let due = total * 50 / Int(weights.reduce(0) { $0 + $1.value })
            let served = guest.served(from: from, to: host.now)
            #expect(served * 100 >= due * 90, "\(served) of \(due)")
        }
    }

    @Test("a guest that was idle gets no more than its share when it comes back")
    func noCredit() throws {
        let host = Host(virtualMachines: 8)
        let busy = try population(3, on: host)
        host.run(for: .seconds(20))
        let late = try LoopingGuest(Registration(reservationWanted: .zero), on: host)
        let from = host.now
        host.run(for: .seconds(4))
        let others = busy.map { $0.served(from: from, to: host.now) }
        #expect(late.served.count <= (others.max() ?? 0) + 3)
        #expect(late.served.count >= (others.min() ?? 0) - 3)
    }

    @Test("the virtual time may run round")
    func wrapAround() {
        var share = FairShare(guestTurn: .microseconds(7_500), startingAt: .max - 1_000)
        for _ in 0..<2 { share.join(Weight(100)) }
        var tags = [share.virtualTime, share.virtualTime]
        var order = RankedIndex(capacity: 2)
        var served = [0, 0]
        for _ in 0..<1_000 {
            for slot in 0..<2 { order.set(slot, key: tags[slot], tie: Int64(slot), cost: .zero) }
            guard let first = order.first else { return }
            served[first] += 1
            tags[first] = share.serve(.microseconds(7_500), weight: Weight(100), tag: share.clamped(tags[first]))
        }
        #expect(share.virtualTime < 0)
        #expect(served == [500, 500])
    }

    @Test("guests share equally also while the virtual time runs round")
    func wrapAroundUnderLoad() throws {
        let host = Host(virtualMachines: 16)
        // Sixteen VMs of weight 100 move it by 160 µs for each second: it runs round after 20 s of these 30.
        let perSecond = 1_000_000_000 * Limits.virtualTimeScale / 1_600
        host.step { arbiter, _, _ in
            arbiter.fairShare = FairShare(guestTurn: .microseconds(7_500), startingAt: .max - 20 * perSecond)
        }
        let guests = try population(16, on: host)
        host.run(for: .seconds(30))
        #expect(host.arbiter.fairShare.virtualTime < 0)
        #expect(jainIndexPerMille(guests.map(\.served.count)) >= 998)
    }

    @Test("in a crowd a tag stays within two rounds of reports over the sum of weights")
    func crowd() {
        let report = Nanoseconds.microseconds(7_500)
        var share = FairShare(guestTurn: report)
        let inTime = Limits.backlogMemory.count / (2 * report.count)
        for _ in 0..<inTime { share.join(Weight(100)) }
        #expect(share.lead == Limits.backlogMemory.count * Limits.virtualTimeScale / (100 * inTime))
        for _ in inTime..<1_024 { share.join(Weight(100)) }
        #expect(share.lead == 2 * report.count * Limits.virtualTimeScale / 100)
        // Nobody's report takes it to the end of its lead.
        #expect(share.serve(report, weight: Weight(100), tag: share.virtualTime) < share.virtualTime + share.lead)
        for _ in inTime..<1_024 { share.leave(Weight(100)) }
        #expect(share.lead == Limits.backlogMemory.count * Limits.virtualTimeScale / (100 * inTime))
    }

    @Test("P5: what two looping VMs are served differs by no more than 4L and a report each, by weight")
    func pairwise() throws {
        let host = Host(virtualMachines: 16)
        let weights: [Int64] = [100, 100, 150, 150, 200, 200, 300, 300]
        let guests = try population(weights.count, on: host) {
            Registration(reservationWanted: .zero, weight: Weight(weights[$0]))
        }
        let report: Int64 = 7_500_000
        let lead = Limits.backlogMemory.count / weights.reduce(0, +)
        for _ in 0..<6 {
            let from = host.now
            host.run(for: .seconds(5))
            let service = guests.map { Int64($0.served(from: from, to: host.now)) * report }
            for f in weights.indices {
                for m in weights.indices {
                    let bound = 4 * lead + report / weights[f] + report / weights[m]
                    #expect(abs(service[f] / weights[f] - service[m] / weights[m]) <= bound)
                }
            }
        }
    }

    @Test("the virtual time advances by the service over the sum of weights, and loses nothing to rounding")
    func remainder() {
        var share = FairShare(guestTurn: .microseconds(7_500))
        share.join(Weight(7))
        share.join(Weight(90))
        for _ in 0..<97 { _ = share.serve(Nanoseconds(1), weight: Weight(7), tag: share.virtualTime) }
        #expect(share.virtualTime == Limits.virtualTimeScale)
    }

    @Test("a tag stays within two retry quanta over the sum of weights, on both sides, also when the sum changes")
    func clamp() {
        var share = FairShare(guestTurn: .microseconds(7_500))
        share.join(Weight(100))
        let lead = Limits.backlogMemory.count * Limits.virtualTimeScale / 100
        #expect(share.clamped(.max / 4) == lead)
        #expect(share.clamped(.min / 4) == -lead)
        share.join(Weight(300))
        #expect(share.clamped(.max / 4) == lead / 4)
    }
}
