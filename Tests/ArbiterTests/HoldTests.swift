import Testing

@testable import Arbiter

/// Goal: rule 4. Method: timelines in which a guest waits beside a launch with gaps.
@Suite("Holds")
struct HoldTests {
    @Test("a guest request does not slip into the gap between two launch commands")
    func hold() throws {
        try play(
            """
            column 1ms
            A: pages 64, turn 5
            b: turn 7
            asks
            ms 0....5....10...15...20
            A  s.......u
            b  ..r
            expect
            SP AAAAA---AAAAA------bbbbbbb
            b  ..~~~~~~~~~~~~~~~~~=======
            """)
    }

    @Test("the first hold lasts 5 ms; after that guests are served")
    func firstHold() throws {
        try play(
            """
            column 1ms
            A: pages 64, turn 5
            b: turn 7
            asks
            ms 0....5....10...15...20
            A  s...........u
            b  ..r
            expect
            SP AAAAA-----bbbbbbbAAAAA
            """)
    }

    @Test("it rises at once to twice the longest gap")
    func rises() throws {
        try play(
            """
            column 1ms
            A: pages 64, turn 2
            b: turn 7
            asks
            ms 0....5....10...15...20
            A  s.....u
            b  .r
            expect
            SP AA----AA--------bbbbbbb
            """)
    }

    @Test("it never lasts more than 10 ms")
    func atMost() throws {
        try play(
            """
            column 1ms
            A: pages 64, turn 2
            b: turn 7
            asks
            ms 0....5....10...15...20
            A  s.......u
            b  .........r
            expect
            SP AA-----.AA----------bbbbbbb
            """)
    }

    @Test("it falls only once a hundred gaps are known, and then to twice the longest of the last hundred")
    func falls() {
        var gaps = GapHistory(virtualMachines: 2)
        for _ in 0..<99 { gaps.record(.milliseconds(1), of: 1) }
        #expect(gaps.hold(of: 1, initial: .milliseconds(5)) == .milliseconds(5))
        gaps.record(.microseconds(1_200), of: 1)
        #expect(gaps.hold(of: 1, initial: .milliseconds(5)) == .microseconds(2_400))
        for _ in 0..<99 { gaps.record(.microseconds(300), of: 1) }
        #expect(gaps.hold(of: 1, initial: .milliseconds(5)) == .microseconds(2_400))
        gaps.record(.microseconds(300), of: 1)
        #expect(gaps.hold(of: 1, initial: .milliseconds(5)) == .microseconds(600))
        #expect(gaps.hold(of: 0, initial: .milliseconds(5)) == .milliseconds(5))
    }

    @Test("it is never shorter than 0.2 ms nor longer than 10 ms")
    func bounds() {
        var gaps = GapHistory(virtualMachines: 1)
        for _ in 0..<100 { gaps.record(.zero, of: 0) }
        #expect(gaps.hold(of: 0, initial: .milliseconds(5)) == .microseconds(200))
        gaps.record(.seconds(3_600), of: 0)
        #expect(gaps.hold(of: 0, initial: .milliseconds(5)) == .milliseconds(10))
    }

    @Test("the longest of the last hundred gaps is found in any sequence", arguments: 1...4 as ClosedRange<UInt64>)
    func model(seed: UInt64) {
        var random = SeededRandom(seed)
        var gaps = GapHistory(virtualMachines: 1)
        var last: [Nanoseconds] = []
        for _ in 0..<2_000 {
            let gap = Nanoseconds.microseconds(Int64(random.below(random.below(50) == 0 ? 12_000 : 1_000)))
            gaps.record(gap, of: 0)
            last = Array((last + [gap]).suffix(100))
            let twice = min((last.max() ?? .zero) * 2, .milliseconds(10))
            let expected = last.count == 100 ? max(twice, .microseconds(200)) : max(twice, .milliseconds(5))
            #expect(gaps.hold(of: 0, initial: .milliseconds(5)) == expected)
        }
    }

    @Test("gaps survive the client's sessions, and not the client")
    func survives() throws {
        try play(
            """
            column 1ms
            A: pages 64, turn 2
            b: turn 7
            asks
            ms 0....5....10...15...20...25...30
            A  s.....f.)......s
            b  ................r
            expect
            SP AA----AA.......AA--------bbbbbbb
            """)
    }

    @Test("holds at others' cost end when they have cost 50 ms, or a quarter of the session's own service")
    func costCap() throws {
        // Each gap costs 4 ms: the thirteenth hold ends after its first half, and the gaps that follow are not held.
        try play(
            """
            column 4ms
            A: pages 200, turn 1, gap 1, then u*
            b: turn 2
            c: turn 2
            asks
            A  s
            b  r
            c  .r
            expect
            SP A-A-A-A-A-A-A-A-A-A-A-A-A-bbAcc
            """)
    }

    @Test("a session with much service may cost a quarter of it in holds")
    func costCapOfLargeSession() throws {
        let host = Host()
        let (launcher, guest) = try (host.register(), host.register(Registration(guestWaitMax: .seconds(20))))
        _ = try host.begin(LaunchPlan(pages: 1_000), of: launcher)
        func update(_ duration: Nanoseconds) throws {
            let request = try host.acquire(.launchUpdate, 32, of: launcher)
            host.run(for: duration)
            try host.release(#require(host.grant(of: request)).turn, of: launcher, units: 32)
        }
        for _ in 0..<10 { try update(.milliseconds(40)) }
        // 400 ms of service so far: 100 ms of holds. Each turn of 1 ms is followed by a gap of 4 ms.
        let waiting = try host.acquire(.report, of: guest)
        var gaps = 0
        while host.answer(to: waiting) == nil, gaps < 100 {
            host.run(for: .milliseconds(4))
            guard host.answer(to: waiting) == nil else { break }
            gaps += 1
            try update(.milliseconds(1))
        }
        // The service grows by 25 ms meanwhile: 106 ms, or 26 gaps.
        #expect(gaps == 26)
    }

    @Test("holds cost nothing while nobody waits")
    func freeHolds() throws {
        let host = try play(
            """
            column 1ms
            A: pages 200, turn 1, gap 4, then u*
            b: turn 7
            asks
            A  s
            b  ....................................................................................r
            expect
            SP A----A----A----A----A----A----A----A----A----A----A----A----A----A----A----A----A----A
            """)
        #expect(host.arbiter.totals.holdCost == .milliseconds(1))
    }

    @Test("in a gap that is not held, other sessions go first, with their own holds")
    func othersFirst() throws {
        try play(
            """
            column 1ms
            A: pages 64, turn 2
            B: pages 64, turn 2
            c: turn 7
            asks
            ms 0....5....10...15...20
            A  s............u
            B  .s........u
            c  .r
            expect
            SP AA-----BB-BB-AA----------ccccccc
            """)
    }

    @Test("a release that brings the next command leaves no gap, whatever waits")
    func oneMessage() throws {
        try play(
            """
            column 1ms
            A: pages 64, turn 3, then uuuuf)
            B: pages 64, turn 3
            c: turn 7
            P: platform, turn 2
            asks
            A  s
            B  .s
            c  .r
            P  .p
            expect
            SP AAAAAAAAAAAAAAAAAABBB-----PPccccccc
            """)
    }
}
