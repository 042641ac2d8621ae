import Testing

@testable import Arbiter

/// Goal: who is next, by the order of the rules. Method: timelines in which several could be.
@Suite("Order of the rules")
struct OrderTests {
    @Test("platform work that has waited a second goes before launches and guests, once a second")
    func urgentPlatform() throws {
        try play(
            """
            column 50ms
            A: pages 200, turn 1, then u*
            P: platform, turn 2
            asks
            A  s
            P  ppp
            s  0...................1...................2...................3
            expect
            SP AAAAAAAAAAAAAAAAAAAAPPAAAAAAAAAAAAAAAAAAPPAAAAAAAAAAAAAAAAAAPP
            """)
    }

    @Test("a launch goes before guests and before platform work that has not waited a second")
    func launchFirst() throws {
        try play(
            """
            column 1ms
            A: pages 64, units 8, turn 6
            b: turn 7
            c: turn 7
            P: platform, turn 2
            asks
            ms 0....5....10...15...20
            A  ....s
            b  ..r
            c  r
            P  ...p
            expect
            SP cccccccAAAAAA-----PPbbbbbbb
            """)
    }

    @Test("platform work goes before guests")
    func platformBeforeGuests() throws {
        try play(
            """
            column 1ms
            b: turn 7
            c: turn 7
            P: platform, turn 2
            asks
            b  r
            c  .r
            P  ..p
            expect
            SP bbbbbbbPPccccccc
            """)
    }

    @Test("a hold keeps the SP from guests, platform work and later launches, and its owner goes on")
    func holdFirst() throws {
        try play(
            """
            column 1ms
            A: pages 64, units 8, turn 5
            B: pages 64, units 8, turn 5
            c: turn 7
            P: platform, turn 2
            asks
            ms 0....5....10...15...20
            A  s.......u
            B  .s
            c  .r
            P  .p
            expect
            SP AAAAA---AAAAA------BBBBB----
            """)
    }

    @Test("with no launch in progress, reserved requests go before shared ones, in the order of their arrival")
    func reservedBeforeShared() throws {
        try play(
            """
            column 1ms
            a: turn 7
            b: turn 7
            c: turn 7, reserve 1/s
            d: turn 7, reserve 1/s
            asks
            a  r
            b  .r
            c  ...r
            d  ..r
            expect
            SP aaaaaaadddddddcccccccbbbbbbb
            """)
    }

    @Test("a request whose first attempt lies 40 s back goes before reserved ones, the oldest first")
    func agedFirst() throws {
        let host = Host()
        let holder = try host.register()
        let old = try host.register(Registration(reservationWanted: .zero))
        let older = try host.register(Registration(reservationWanted: .zero))
        let reserved = try host.register()
        try host.grow(old: [(older, .seconds(42)), (old, .seconds(41))])
        let held = try host.acquire(.report, of: holder)
        let requests = try [reserved, old, older].map { try host.acquire(.report, of: $0) }
        #expect(requests.allSatisfy { host.answer(to: $0) == nil })
        try host.finishTurns(startingWith: held, of: holder)
        #expect(host.granted.suffix(4) == [holder, older, old, reserved])
    }

    @Test("the SP is never idle while an eligible request waits, but for holds")
    func workConserving() throws {
        try play(
            """
            column 1ms
            a: turn 3
            b: turn 4
            c: turn 5
            asks
            ms 0....5....10...15...20
            a  r......r
            b  r.......r
            c  r............r
            expect
            SP aaabbbbcccccaaabbbbccccc
            """)
    }
}
