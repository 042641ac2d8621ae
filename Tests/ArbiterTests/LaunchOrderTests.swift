import Testing

@testable import Arbiter

/// Goal: rule 3: whose launch goes on. Method: timelines with several sessions.
@Suite("Order of launches")
struct LaunchOrderTests {
    @Test("sessions run first come, first served by their start, never round-robin")
    func firstComeFirstServed() throws {
        try play(
            """
            column 1ms
            A: pages 4, turn 3, then uuf)
            B: pages 4, turn 3, then uuf)
            C: pages 4, turn 3, then uuf)
            asks
            ms 0....5....10...15...20...25...30...35
            A  s
            B  ..s
            C  .s
            expect
            SP AAAAAAAAAAAACCCCCCCCCCCCBBBBBBBBBBBB
            """)
    }

    @Test("a session's place is that of its begin, not of its first command")
    func placeOfBegin() throws {
        try play(
            """
            column 1ms
            A: pages 4, turn 3, then u)
            B: pages 4, turn 3, then u)
            C: pages 4, turn 3, then u)
            asks
            A  s
            B  ..s
            C  .(.s
            expect
            SP AAAAAACCCCCCBBBBBB
            """)
    }

    @Test("shortest-first goes by declared pages, whatever the size of both")
    func shortestFirst() throws {
        let configuration = Configuration.with { $0.launchOrder = .shortestFirst }
        try play(
            """
            column 1ms
            A: pages 64, turn 3, then uu)
            B: pages 4000, turn 3, then uu)
            C: pages 2000, turn 3, then uu)
            D: pages 4, turn 3, then uu)
            asks
            A  s
            B  .s
            C  ..s
            D  ..s
            expect
            SP AAADDDDDDDDDAAAAAACCCCCCCCCBBBBBBBBB
            """, configuration)
    }

    @Test("under shortest-first no session is overtaken by one that began A later")
    func aging() throws {
        let configuration = Configuration.with {
            $0.launchOrder = .shortestFirst
            $0.launchAging = .milliseconds(200)
        }
        try play(
            """
            column 5ms
            A: pages 8000, units 32, turn 10, then uuuu)
            B: pages 8000, units 32, turn 3, then u)
            c: pages 4, units 4, turn 3, then u)
            d: pages 4, units 4, turn 3, then u)
            asks
            s  0.......................................1
            A  u
            B  .u
            c  ...........u
            d  ..........................................u
            expect
            SP AAAAAAAAAAAAAAAAAAAAccccccAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABBBBBBdddddd
            """, configuration)
    }

    @Test("a session idle for a second goes to the tail")
    func idleToTail() throws {
        // A asks 22 columns (1.1 s) after its turn ended; B, which began later, goes on.
        try play(
            """
            column 50ms
            A: pages 8, turn 1
            B: pages 8, turn 2, then uuuuuuuu)
            asks
            s  0...................1...................2
            A  s......................u
            B  ..............s
            expect
            SP A-............BBBBBBBBBBBBBBBBBBA
            """)
    }

    @Test("a session idle for less than a second keeps its place")
    func notYetIdle() throws {
        try play(
            """
            column 50ms
            A: pages 8, turn 1
            B: pages 8, turn 2, then uuuuuuuu)
            asks
            s  0...................1...................2
            A  s..................u
            B  ..............s
            expect
            SP A-............BBBBBBA-BBBBBBBBBBBB
            """)
    }

    @Test("a session that stays idle does not wait before those that begin meanwhile")
    func staysAtTail() throws {
        try play(
            """
            column 50ms
            A: pages 8, turn 1
            B: pages 8, turn 2, then uuuuuuuu)
            asks
            s  0...................1...................2...................3
            A  s..................................u
            B  ................................s
            expect
            SP A-..............................BBBBBBBBBBBBBBBBBBA
            """)
    }

    @Test("pages beyond the declared × 1.25 send the session to the tail")
    func moreThanDeclared() throws {
        try play(
            """
            column 1ms
            A: pages 8, units 5, turn 5, then uuu)
            B: pages 8, units 5, turn 5, then uu)
            asks
            A  s
            B  .s
            expect
            SP AAAAAAAAAAAAAAAAAAAABBBBBBBBBBBBBBB
            """)
        try play(
            """
            column 1ms
            A: pages 8, units 6, turn 5, then uuu)
            B: pages 8, units 5, turn 5, then uu)
            asks
            A  s
            B  .s
            expect
            SP AAAAAAAAAAAAAAABBBBBBBBBBBBBBBAAAAA
            """)
    }

    @Test("a waiting launch hears of its place at once and every second")
    func notices() throws {
        let host = Host()
        let (first, second) = try (host.register(), host.register())
        for vm in [first, second] { _ = try host.begin(LaunchPlan(pages: 100), of: vm) }
        _ = try host.acquire(.launchStart, of: first)
        let request = try host.acquire(.launchStart, of: second)
        host.run(for: .milliseconds(2_500))
        let notices = host.log.compactMap { entry in
            if case .queued(request, second, let notice) = entry.decision { (entry.at, notice) } else { nil }
        }
        #expect(notices.map { $0.0 - Host.start } == [.zero, .seconds(1), .seconds(2)])
        #expect(notices.allSatisfy { $0.1.position == 1 })
        // 100 pages, one vCPU, the start and the finish.
        #expect(notices.first?.1.estimate == .microseconds(5_300 + 111_300))
    }
}
