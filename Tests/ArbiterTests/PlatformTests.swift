import Testing

@testable import Arbiter

/// Goal: platform work (rules 1 and 5). Method: timelines; the urgent case stands with the order of the rules.
@Suite("Platform work")
struct PlatformTests {
    @Test("platform commands are served first come, first served")
    func order() throws {
        try play(
            """
            column 1ms
            a: turn 5
            P: platform, turn 2
            asks
            a  r
            P  .tp
            expect
            SP aaaaaPPPP
            P  .~~~~====
            """)
    }

    @Test("a platform command that waits can be withdrawn")
    func cancel() throws {
        try play(
            """
            column 1ms
            a: turn 5
            P: platform, turn 2
            asks
            a  r
            P  .p.x
            expect
            SP aaaaa
            P  .~~B
            P: cancelled
            """)
    }

    @Test("the queue of platform commands is bounded")
    func bounded() throws {
        let host = try play(
            """
            column 1ms
            a: turn 40
            P: platform, turn 2
            asks
            a  r
            P  .pppppppppppppppppp
            expect
            P  .~~~~~~~~~~~~~~~~BB
            P: platformQueueFull, platformQueueFull
            """)
        #expect(host.overview.platformWaiting == Limits.platformQueue)
    }

    @Test("a command that is no platform command is an error")
    func kind() {
        let host = Host()
        #expect(throws: RequestError.kindNotAllowed) {
            try host.step { (arbiter, now, out) throws(RequestError) in
                try arbiter.acquirePlatform(.report, request: host.newRequest(.max), now: now, into: &out)
            }
        }
    }

    @Test("an urgent command waits for the turn in service, and only one a second goes before everything")
    func oncePerSecond() throws {
        try play(
            """
            column 50ms
            a: turn 1, then r*
            b: turn 1, wait 400, then r*
            A: pages 400, turn 1, then u*
            P: platform, turn 1
            asks
            A  .s
            a  r
            P  .pp
            expect
            SP aaAAAAAAAAAAAAAAAAAAAPAAAAAAAAAAAAAAAAAAAPA
            """)
    }
}
