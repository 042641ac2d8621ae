import Testing

@testable import Arbiter

/// Goal: whole-launch turns: when they start, and the guest turn beside them. Method: timelines.
@Suite("Whole-launch turns")
struct WholeLaunchTests {
    /// The bucket starts at -10 ms and covers a report (7.5 ms) after 35 ms of waiting.
    let quickFloor = Configuration.with {
        $0.floorShare = Share(percent: 50)
        $0.floorDelay = .milliseconds(20)
    }

    @Test("one starts only when no earlier session is open that issued a command within the last second")
    func waitsForEarlier() throws {
        // A's last turn ends in column 2; a second later the whole launch may start. Guests need not wait for that.
        try play(
            """
            column 50ms
            A: pages 8, turn 1, then u
            B: pages 8, whole, turn 3
            c: turn 1
            asks
            s  0...................1...................2
            A  s
            B  .w
            c  .........r
            expect
            SP AA-......c............BBB
            """)
    }

    @Test("one starts at once when the earlier session ends")
    func startsOnEnd() throws {
        try play(
            """
            column 10ms
            A: pages 8, turn 1, then u
            B: pages 8, whole, turn 3
            asks
            A  s.......)
            B  .w
            expect
            SP AA-.....BBB
            """)
    }

    @Test("a session that began but issued nothing does not keep one waiting, nor does a later one")
    func silentSession() throws {
        try play(
            """
            column 10ms
            A: pages 8, turn 1
            B: pages 8, whole, turn 3, then )
            C: pages 8, turn 1, then u)
            asks
            A  (
            B  ..w
            C  ...s
            expect
            SP ..BBBCC
            """)
    }

    @Test("later sessions with small commands go on while one waits for an earlier session")
    func smallOnesFirst() throws {
        try play(
            """
            column 50ms
            A: pages 8, turn 1
            B: pages 8, whole, turn 3
            C: pages 8, turn 1, then uu)
            asks
            s  0...................1...................2
            A  s
            B  .w
            C  ......s
            expect
            SP A-....CCC............BBB
            """)
    }

    @Test("beside one, a guest turn may be outstanding when the floor covers it, one at a time")
    func guestBeside() throws {
        try play(
            """
            column 1ms
            A: pages 90, whole, turn 90
            b: turn 7, wait 200
            c: turn 7, wait 200
            asks
            ms 0....5....10...15...20...25...30...35...40...45...50
            A  w
            b  r
            c  r
            expect
            SP AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
            2  ...................................bbbbbbb.......ccccccc
            """, quickFloor)
    }

    @Test("the release of one waits for the guest turn beside it")
    func releaseWaits() throws {
        try play(
            """
            column 1ms
            A: pages 90, whole, turn 38
            b: turn 7, wait 200
            C: pages 8, turn 5
            asks
            ms 0....5....10...15...20...25...30...35...40...45...50
            A  w
            b  r
            C  .s
            expect
            SP AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA....-CCCCC
            2  ...................................bbbbbbb
            """, quickFloor)
    }

    @Test("the lease of a guest turn beside one covers the page it waits for")
    func leaseBeside() throws {
        let host = Host(quickFloor)
        let (launcher, guest) = try (host.register(), host.register(Registration(guestWaitMax: .seconds(1))))
        _ = try host.begin(LaunchPlan(pages: 90, isWhole: true), of: launcher)
        let whole = try host.acquire(.wholeLaunch, 90, of: launcher)
        // 4 × (start + finish + 90 pages and a vCPU) + 1 s.
        #expect(host.grant(of: whole)?.lease == Nanoseconds.microseconds(4 * 101_300 + 1_000_000))
        let report = try host.acquire(.report, of: guest)
        // 4 × (a report and a page) + 50 ms.
        host.run(for: .milliseconds(36))
        #expect(host.grant(of: report)?.lease == Nanoseconds.milliseconds(84))
    }

    @Test("a launch finish of more vCPUs than a chunk has pages waits like a whole launch")
    func longFinish() throws {
        try play(
            """
            column 50ms
            A: pages 8, turn 1
            B: pages 8, vcpus 64, units 64, turn 1
            asks
            s  0...................1...................2
            A  s
            B  ..s...f
            expect
            SP A-B-.................B
            """)
    }
}
