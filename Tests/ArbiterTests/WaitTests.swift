import Testing

@testable import Arbiter

/// Goal: wait or BUSY: which request waits, for how long, and what its refusal says. Method: timelines and plain calls.
@Suite("Wait or BUSY")
struct WaitTests {
    private let shared = Registration(reservationWanted: .zero)

    private func with(wait: Nanoseconds) -> Registration {
        Registration(reservationWanted: .zero, guestWaitMax: wait)
    }

    @Test("a shared request waits if its predicted start is within guest_wait_max, and is refused at once if not")
    func predictedStart() throws {
        let host = Host(virtualMachines: 80)
        let vms = try (0..<70).map { _ in try host.register(shared) }
        let requests = try vms.map { try host.acquire(.report, of: $0) }
        // 500 ms hold 66 reports of 7.5 ms: one in service and 66 that start within them.
        let waiting = requests.count { host.answer(to: $0) == nil }
        #expect(waiting == 66)
        #expect(requests.suffix(3).allSatisfy { host.busy($0)?.reason == .guestsAhead })
        #expect(host.busy(requests[69])?.retryAfter == .microseconds(67 * 7_500))
    }

    @Test("a shared request that is not served within guest_wait_max is refused when its wait ends")
    func waitEnds() throws {
        try play(
            """
            column 1ms
            a: turn 30
            b: turn 7, wait 20
            c: turn 7, wait 40
            asks
            a  r
            b  r
            c  r
            expect
            SP aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaccccccc
            b  ~~~~~~~~~~~~~~~~~~~~B
            b: guestsAhead
            """)
    }

    @Test("guest_wait_max is settable for each VM")
    func settable() throws {
        let host = Host()
        let (busy, patient, hurried) = try (
            host.register(shared), host.register(with(wait: .milliseconds(40))),
            host.register(with(wait: .milliseconds(5)))
        )
        _ = try host.acquire(.report, of: busy)
        #expect(try host.answer(to: host.acquire(.report, of: patient)) == nil)
        #expect(try host.busy(host.acquire(.report, of: hurried))?.reason == .guestsAhead)
        host.run(for: .milliseconds(39))
        #expect(host.log.count == 2)
        host.run(for: .milliseconds(1))
        #expect(host.log.count == 3)
    }

    @Test("beside a launch the floor's turns count in the prediction, and BUSY names the launch that is ahead")
    func launchAhead() throws {
        let host = Host()
        let launcher = try host.register(shared)
        // The floor covers a report after 575 ms.
        let (hurried, patient) = try (
            host.register(with(wait: .milliseconds(500))), host.register(with(wait: .milliseconds(700)))
        )
        _ = try host.begin(LaunchPlan(pages: 4_000), of: launcher)
        _ = try host.acquire(.launchUpdate, 32, of: launcher)
        let refused = try host.acquire(.report, of: hurried)
        #expect(host.busy(refused)?.reason == .launchAhead)
        #expect(host.busy(refused)?.holder == launcher)
        let waiting = try host.acquire(.report, of: patient)
        #expect(host.answer(to: waiting) == nil)
    }

    @Test("one guest request is queued for each VM; a further one is BUSY, and does not disturb the first")
    func oneRequest() throws {
        try play(
            """
            column 1ms
            a: turn 7
            b: turn 7
            asks
            a  r
            b  .rr.......r
            expect
            SP aaaaaaabbbbbbb
            b  .~B~~~~===B===
            b: oneRequestPerVM, oneRequestPerVM
            """)
    }

    @Test(
        "a client's own longest wait ends its request's wait, reserved or not",
        arguments: ["reserve 0", "reserve 1/s", "never"])
    func longestWait(registration: String) throws {
        try play(
            """
            column 1ms
            a: turn 30
            b: turn 7, patience 10, \(registration)
            asks
            a  r
            b  r
            expect
            SP aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
            b  ~~~~~~~~~~B
            b: maxWait
            """)
    }

    @Test("a launch command may have a longest wait too")
    func longestWaitOfLaunch() throws {
        try play(
            """
            column 1ms
            a: turn 30
            B: pages 8, turn 2, patience 10
            asks
            a  r
            B  s..............s
            expect
            SP aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
            B  ~~~~~~~~~~B....~~~~~~~~~~B
            B: maxWait, maxWait
            """)
    }

    @Test("a longest wait that is absurd is as good as none", arguments: [Int64.max, .max / 2, -1, .min])
    func absurdWait(count: Int64) throws {
        let host = Host()
        let (first, second) = try (host.register(shared), host.register(shared))
        let held = try host.acquire(.report, of: first, maxWait: Nanoseconds(count))
        let waiting = try host.acquire(.report, of: second, maxWait: Nanoseconds(count))
        host.run(for: .milliseconds(7))
        #expect((host.busy(waiting) != nil) == (count < 0))
        try host.release(#require(host.grant(of: held)).turn, of: first)
        #expect((host.grant(of: waiting) != nil) == (count > 0))
    }

    /// A whole launch declared as 4.9 s keeps the SP for longer, and a floor of 1 ‰ covers a report only after 8 s;
    /// beside it a guest asks whose first attempt is so old.
    private func agedBesideLaunch(_ age: Nanoseconds) throws -> (Host, RequestID) {
        let host = Host(.with { $0.floorShare = Share(perMille: 1) })
        let (launcher, guest) = try (host.register(shared), host.register(shared))
        try host.grow(old: [(guest, age)])
        // Waiting has filled the floor's bucket; two reports empty it.
        for _ in 0..<2 {
            let report = try host.acquire(.report, of: launcher)
            host.run(for: .microseconds(7_500))
            try host.release(#require(host.grant(of: report)).turn, of: launcher)
        }
        _ = try host.acquire(.launchStart, of: launcher, beginning: LaunchPlan(pages: 4_880, isWhole: true))
        return (host, try host.acquire(.report, of: guest))
    }

    @Test("an aged request waits for as long as a reserved one may")
    func aged() throws {
        let (host, request) = try agedBesideLaunch(.seconds(41))
        host.run(for: .milliseconds(4_999))
        #expect(host.answer(to: request) == nil)
        host.run(for: .milliseconds(1))
        #expect(host.busy(request) != nil)
    }

    @Test(
        "from 52 s on it waits until it is served, also if it grew so old while it waited",
        arguments: [48, 52] as [Int64])
    func lastChance(age: Int64) throws {
        let (host, request) = try agedBesideLaunch(.seconds(age))
        host.run(for: .milliseconds(7_000))
        #expect(host.answer(to: request) == nil)
        host.run(for: .milliseconds(1_500))
        #expect(host.grant(of: request) != nil)
    }

    @Test("the first attempt only ages: the tag orders")
    func tagOrders() throws {
        let host = Host()
        let (blocker, early, late) = try (host.register(shared), host.register(shared), host.register(shared))
        // `late` was served less.
        let first = try host.acquire(.report, of: early)
        host.run(for: .milliseconds(8))
        try host.release(#require(host.grant(of: first)).turn, of: early)
        let held = try host.acquire(.report, of: blocker)
        let requests = try [early, late].map { try host.acquire(.report, of: $0) }
        try host.release(#require(host.grant(of: held)).turn, of: blocker)
        #expect(host.grant(of: requests[0]) == nil)
        #expect(host.grant(of: requests[1]) != nil)
    }
}
