import Testing

@testable import Arbiter

/// Goal: rule 2. Method: timelines with a floor of 50 % and a delay of 20 ms, so that a few columns show it; the
/// bucket's level where a timeline cannot.
@Suite("Guest floor")
struct FloorTests {
    /// The bucket starts at -10 ms and covers a report (7.5 ms) after 35 ms of waiting.
    let quickFloor = Configuration.with {
        $0.floorShare = Share(percent: 50)
        $0.floorDelay = .milliseconds(20)
    }

    @Test("while a launch keeps the SP, a guest is served only when the bucket has grown from -φ·D to its cost")
    func deferred() throws {
        try play(
            """
            column 1ms
            A: pages 200, turn 5, then u*
            b: turn 7, wait 200
            asks
            ms 0....5....10...15...20...25...30...35...40...45...50
            A  s
            b  .r
            expect
            SP AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAbbbbbbbAAAAA
            b  .~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~=======
            """, quickFloor)
    }

    @Test("the floor acts inside a hold too")
    func insideHold() throws {
        // The bucket covers the report at 36 ms, inside the hold that began at 33 ms.
        try play(
            """
            column 1ms
            A: pages 200, turn 33
            b: turn 7, wait 200
            asks
            ms 0....5....10...15...20...25...30...35...40...45...50
            A  s...................................u
            b  .r
            expect
            SP AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA---bbbbbbbAAAAAAAA
            """, quickFloor)
    }

    @Test("it pays for guest service between launches too, and no gap resets it")
    func paysForAll() throws {
        let host = Host()
        let (launcher, guest) = try (host.register(), host.register(Registration(reservationWanted: .zero)))
        #expect(host.arbiter.floor.balance == .milliseconds(-50))
        _ = try host.begin(LaunchPlan(pages: 100), of: launcher)
        let start = try host.acquire(.launchStart, of: launcher)
        let report = try host.acquire(.report, of: guest)
        host.run(for: .milliseconds(60))
        try host.release(#require(host.grant(of: start)).turn, of: launcher)
        #expect(host.arbiter.floor.balance == .milliseconds(-44))
        // After the hold it is served for 5 ms; it waited or was in service for 10 ms more.
        host.run(for: .milliseconds(10))
        let turn = try #require(host.grant(of: report)).turn
        try host.release(turn, of: guest)
        let afterService = host.arbiter.floor.balance
        #expect(afterService == .milliseconds(-48))
        host.run(for: .seconds(30))
        _ = try host.acquire(.launchUpdate, 8, of: launcher)
        #expect(host.arbiter.floor.balance == afterService)
    }

    @Test("it grows while a refused guest is expected back, for two retry quanta, unless its own limit bars it")
    func growsForRefused() throws {
        let host = Host()
        let launcher = try host.register()
        let unlimited = try host.register(
            Registration(reservationWanted: .zero, guestWaitMax: .milliseconds(1)))
        _ = try host.begin(LaunchPlan(pages: 4_000), of: launcher)
        let launch = try host.acquire(.launchStart, of: launcher)
        let refused = try host.acquire(.report, of: unlimited)
        #expect(host.busy(refused)?.reason == .launchAhead)
        let waiters = host.arbiter.floorWaiters
        #expect(waiters == 1)
        host.run(for: Limits.backlogMemory)
        #expect(host.arbiter.floorWaiters == 0)
        _ = launch
    }

    @Test("a guest whose own limit bars it does not make the floor grow until the limit opens")
    func barredDoesNotGrow() throws {
        let host = Host()
        let limited = try host.register(
            Registration(reservationWanted: .zero, limit: .perSecond(1), burst: 1, guestWaitMax: .milliseconds(1)))
        // Tolerance: one retry quantum; the fourth at once is 0.954 s too early.
        for _ in 0..<3 {
            let request = try host.acquire(.report, of: limited)
            try host.release(#require(host.grant(of: request)).turn, of: limited)
        }
        let refused = try host.acquire(.report, of: limited)
        #expect(host.busy(refused) == Busy(retryAfter: .milliseconds(954), reason: .limit, holder: nil))
        #expect(host.arbiter.floorWaiters == 0)
        host.run(for: .milliseconds(954))
        #expect(host.arbiter.floorWaiters == 1)
    }

    @Test("the bucket stays between -φ·D and one guest turn, with what grows during a launch turn and during itself")
    func bounds() {
        var floor = FloorBucket(
            share: Share(percent: 10), delay: .milliseconds(500), largestGuestTurn: .microseconds(7_500),
            largestLaunchTurn: .milliseconds(32))
        #expect(floor.balance == .milliseconds(-50))
        floor.pass(.seconds(3), isWanted: false, isServing: true)
        #expect(floor.balance == .milliseconds(-50))
        floor.pass(.milliseconds(575) - Nanoseconds(1))
        #expect(!floor.covers(.microseconds(7_500)))
        #expect(floor.timeToCover(.microseconds(7_500)) == Nanoseconds(1))
        floor.pass(Nanoseconds(1))
        #expect(floor.covers(.microseconds(7_500)))
        #expect(floor.timeToCover(.microseconds(7_500)) == .zero)
        floor.pass(.seconds(86_400))
        #expect(floor.balance == .microseconds(7_500 + 3_200))
    }

    @Test("reports that take longer than planned are served by the floor too, and paid for")
    func longerThanPlanned() throws {
        // A first report of 25 ms makes that the prediction, above all that the bucket holds (23.5 ms).
        let host = try play(
            """
            column 5ms
            a: turn 5
            A: pages 200, turn 1, then u*
            b: turn 5, wait 200
            asks
            a  r
            A  .s
            b  .....r
            expect
            SP aaaaaAAAAAAAbbbbbAAAAAA
            """, quickFloor)
        #expect(host.arbiter.floor.balance < .zero)
    }

    @Test("a floor serves the first request in the order of rule 6, and charges what it took")
    func order() throws {
        try play(
            """
            column 1ms
            A: pages 200, turn 5, then u*
            b: turn 7, wait 200
            c: turn 7, wait 200, reserve 1/s
            asks
            A  s
            b  .r
            c  ..r
            expect
            SP AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAcccccccAAAAAbbbbbbbAAAAA
            """, quickFloor)
    }
}
