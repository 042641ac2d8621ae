import Testing

@testable import Arbiter

/// Goal: the promises' bounds in simple worlds, where the numbers can be written down. Method: looping guests and
/// launches.
@Suite("Promises in simple worlds")
struct PromiseTests {
    private let gap = Nanoseconds.microseconds(200)
    private let report = Nanoseconds.microseconds(7_500)

    /// Launches of 70 pages, one command after the other, beside so many guests that ask in a tight loop.
    private func world(
        guests: Int, launchers: Int = 1, launches: Int = 1, after warmUp: Nanoseconds = .seconds(5)
    ) throws -> [LoopingLauncher] {
        let host = Host(virtualMachines: guests + launchers)
        host.remembers = false
        host.checksEvery = 37
        let loops = try (0..<guests).map { _ in
            try LoopingGuest(Registration(reservationWanted: .zero), on: host)
        }
        host.run(for: warmUp)
        let storm = try (0..<launchers).map { _ in
            try LoopingLauncher(LaunchPlan(pages: 70), on: host, launches: launches, gap: gap)
        }
        host.run(for: .seconds(10))
        #expect(loops.allSatisfy { !$0.served.isEmpty })
        return storm
    }

    /// Start, finish and 70 pages; four gaps.
    private let work = Nanoseconds.milliseconds(5 + 70 + 5)
    private var thinking: Nanoseconds { gap * 4 }

    @Test(
        "P1: a launch beside looping guests takes no longer than its bound, which does not depend on their number",
        arguments: [0, 1, 4, 16, 64])
    func launchTime(guests: Int) throws {
        let launcher = try #require(world(guests: guests).first)
        let base = work + thinking + report
        // c₀ is at most one report and the growth during it and a chunk: 11.45 ms. Divided by 1 - φ.
        let bound = (base + .microseconds(11_450) + report) * 10 / 9
        #expect(launcher.durations.count == 1)
        #expect(launcher.durations.allSatisfy { $0 >= work && $0 <= bound })
    }

    @Test("P2: in a storm the mean of n equal launches tends to (n + 1)/2 of one, not n")
    func storm() throws {
        let launchers = try world(guests: 16, launchers: 8)
        let durations = launchers.flatMap(\.durations).sorted()
        #expect(durations.count == 8)
        let one = work + thinking
        let mean = durations.reduce(.zero, +) / 8
        // 4.5 launches, and what the floor lets through: a tenth, and its bucket.
        #expect(mean * 10 <= one * 50 + report * 40)
        #expect(durations[7] * 9 <= (one * 8 + report * 3) * 10)
    }

    @Test("P3: while launches are busy without end, guests keep their floor share")
    func floor() throws {
        let host = Host(virtualMachines: 32)
        host.remembers = false
        host.checksEvery = 37
        let guests = try (0..<16).map { _ in
            try LoopingGuest(Registration(reservationWanted: .zero, guestWaitMax: .seconds(5)), on: host)
        }
        let launchers = try (0..<8).map { _ in
            try LoopingLauncher(LaunchPlan(pages: 2_000), on: host, launches: 100, gap: gap)
        }
        let window = Nanoseconds.seconds(30)
        host.run(for: window)
        let served = report * Int64(guests.reduce(0) { $0 + $1.served.count })
        // φ(W - D) - σ, with a report and a tenth of a chunk.
        #expect(served >= (window - .milliseconds(500)) / 10 - report - .microseconds(3_200))
        #expect(served <= window / 8)
        #expect(launchers.contains { !$0.durations.isEmpty })
    }

    @Test("P6: a hundred VMs that reserve 1/s and ask once a second are never refused, and wait within the bound")
    func reservation() throws {
        let host = Host(virtualMachines: 100)
        host.remembers = false
        host.checksEvery = 101
        let guests = try (0..<100).map { index in
            try LoopingGuest(
                Registration(reservationWanted: .perSecond(1), reservationLeast: .perSecond(1)), on: host,
                pause: .milliseconds(993))
        }
        host.run(for: .seconds(20))
        #expect(guests.allSatisfy { $0.refusals == 0 })
        #expect(guests.allSatisfy { $0.longestWait <= host.overview.reservedWait })
        #expect(guests.allSatisfy { $0.served.count >= 11 })
    }

    @Test("P6: so it is while launches stay within their reserve")
    func reservationBesideLaunches() throws {
        let host = Host(virtualMachines: 101)
        host.remembers = false
        host.checksEvery = 101
        let guests = try (0..<96).map { _ in
            try LoopingGuest(
                Registration(reservationWanted: .perSecond(1), reservationLeast: .perSecond(1)), on: host,
                pause: .milliseconds(993))
        }
        // 80 ms of work, and 0.8 ms of holds, in each 415 ms.
        let launcher = try LoopingLauncher(LaunchPlan(pages: 70), on: host, gap: gap, pause: .milliseconds(335))
        host.run(for: .seconds(30))
        #expect(guests.allSatisfy { $0.refusals == 0 && $0.longestWait <= host.overview.reservedWait })
        #expect(guests.allSatisfy { $0.served.count >= 15 })
        #expect(launcher.durations.count >= 50)
        #expect(!host.overview.reservationsAreSuspended)
    }

    @Test(
        "P7: 129 guests beside launches without end: no `once` guest is refused twice in a row, no `never` guest at all",
        arguments: [RetryPolicy.once, .never])
    func protected(policy: RetryPolicy) throws {
        let host = Host(virtualMachines: 129)
        host.remembers = false
        host.checksEvery = 211
        let launchers = try (0..<2).map { _ in
            try LoopingLauncher(LaunchPlan(pages: 2_000), on: host, launches: 100, gap: gap)
        }
        // COCONUT-SVSM sends a refused request again at once.
        let guests = try (0..<127).map { _ in
            try LoopingGuest(
                Registration(reservationWanted: .zero, retryPolicy: policy), on: host, sleep: .microseconds(100))
        }
        host.run(for: .seconds(60))
        #expect(guests.allSatisfy { $0.mostRefusalsInARow <= (policy == .once ? 1 : 0) })
        // D + s_l + 2·N·s_g/φ.
        let bound = Nanoseconds.milliseconds(500 + 32) + report * (2 * 129 * 10)
        #expect(guests.allSatisfy { $0.longestWait <= bound && !$0.served.isEmpty })
        #expect(launchers.contains { !$0.durations.isEmpty })
    }

    @Test("P7: however busy launches are, no guest that retries every 2 s is refused for 60 s")
    func patience() throws {
        let host = Host(virtualMachines: 100)
        host.remembers = false
        host.checksEvery = 101
        let guests = try (0..<64).map { _ in
            try LoopingGuest(Registration(reservationWanted: .zero, guestWaitMax: .milliseconds(100)), on: host)
        }
        let launchers = try (0..<4).map { _ in
            try LoopingLauncher(LaunchPlan(pages: 2_000), on: host, launches: 100, gap: gap)
        }
        host.run(for: .seconds(120))
        #expect(launchers.allSatisfy { !$0.durations.isEmpty })
        #expect(guests.allSatisfy { Limits.retryQuantum * Int64($0.mostRefusalsInARow) < .seconds(58) })
        #expect(guests.allSatisfy { $0.longestWait <= Limits.frozenMax })
        #expect(guests.allSatisfy { !$0.served.isEmpty })
    }
}
