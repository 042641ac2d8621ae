import Testing

@testable import Arbiter

/// Goal: whoever cancels, hangs up, unregisters or is drained, at whatever moment, leaves nothing behind. Method:
/// timelines in which it happens while a request waits, is barred, or holds a turn.
@Suite("Leaving")
struct LeavingTests {
    // MARK: Cancel

    @Test("a request that still waits is cancelled with BUSY, and those behind it move up")
    func cancel() throws {
        try play(
            """
            column 1ms
            a: turn 7
            b: turn 7
            c: turn 7
            asks
            a  r
            b  .r.x
            c  ..r
            expect
            SP aaaaaaaccccccc
            b  .~~B
            b: cancelled
            """)
    }

    @Test("a cancel that crosses its grant changes nothing: the turn must be released")
    func cancelCrossesGrant() throws {
        let host = Host()
        let vm = try host.register()
        let request = try host.acquire(.report, of: vm)
        host.step { arbiter, now, out in arbiter.cancel(request, of: vm, now: now, into: &out) }
        #expect(host.log.count == 1)
        try host.release(#require(host.grant(of: request)).turn, of: vm)
    }

    @Test("a launch command that waits is cancelled; the session goes on")
    func cancelLaunch() throws {
        try play(
            """
            column 1ms
            a: turn 7
            B: pages 8, turn 2
            asks
            a  r
            B  .s.x.....s
            expect
            SP aaaaaaa..BB
            B  .~~B.....==
            """)
    }

    @Test("a request that its limit bars is cancelled too")
    func cancelBarred() throws {
        try play(
            """
            column 10ms
            b: turn 1, limit 1/s, burst 1, wait 200, then rrr
            asks
            b  r.......x
            expect
            b  ===~~~~~B
            """)
    }

    // MARK: Hang-up

    @Test("when a client's connection hangs up, its turn is released and its waiting request vanishes")
    func hangUp() throws {
        try play(
            """
            column 1ms
            a: turn 20
            b: turn 7
            c: turn 7
            asks
            a  r...!
            b  .r!
            c  ..r
            expect
            SP aaaaccccccc
            b  .~
            """)
    }

    @Test("a launch that hangs up leaves no hold behind")
    func hangUpInHold() throws {
        try play(
            """
            column 1ms
            A: pages 8, turn 3
            b: turn 7
            asks
            A  s...!
            b  .r
            expect
            SP AAA-bbbbbbb
            """)
    }

    @Test("another connection's hang-up disturbs neither turn, nor request, nor hold")
    func otherOrigin() throws {
        let host = Host()
        let (launcher, guest) = try (host.register(), host.register())
        func hangUp() {
            host.step { arbiter, now, out in arbiter.hangUp(origin: 99, of: launcher, now: now, into: &out) }
        }
        let start = try host.acquire(.launchStart, of: launcher, beginning: LaunchPlan(pages: 8))
        _ = try host.acquire(.report, of: guest)
        hangUp()
        try host.release(#require(host.grant(of: start)).turn, of: launcher)
        hangUp()
        #expect(host.arbiter.heldFor == Int(launcher.slot))
        #expect(host.log.count == 1)
    }

    @Test("a proxy's turn outlives its connection, and its VM, until it is released or its lease ends")
    func proxy() throws {
        try play(
            """
            column 10ms
            A: pages 64, proxy, units 32
            b: turn 1
            D: device
            asks
            A  u..!.q
            b  .r
            D  ..................+
            expect
            SP AAAAAAAAAAAAAAAAAAb
            D  .................p
            """)
    }

    @Test("a proxy may release its turn after its connection was another's")
    func proxyReleases() throws {
        let host = Host()
        let vm = try host.register()
        let request = try host.acquire(
            .wholeLaunch, of: vm, beginning: LaunchPlan(pages: 8, isWhole: true, isProxy: true))
        host.step { arbiter, now, out in arbiter.hangUp(origin: UInt64(vm.slot), of: vm, now: now, into: &out) }
        host.step { arbiter, now, out in arbiter.unregister(vm, now: now, into: &out) }
        #expect(host.arbiter.turn != nil)
        try host.release(#require(host.grant(of: request)).turn, of: vm)
        #expect(host.arbiter.turn == nil)
    }

    // MARK: Unregister

    @Test("a VM that unregisters while it waits is answered; while it has its turn, the turn is free")
    func unregister() throws {
        try play(
            """
            column 1ms
            a: turn 20
            b: turn 7
            c: turn 7
            D: pages 8, turn 2
            asks
            a  r....q
            b  .r.q
            c  ..r
            D  .s..q
            expect
            SP aaaaaccccccc
            b  .~~B
            b: unregistered
            D  .~~~B
            D: unregistered
            """)
    }

    @Test("all may unregister at any moment, and nothing of them remains", arguments: 0..<40)
    func unregisterAtAnyMoment(column: Int) throws {
        let host = try play(
            """
            column 5ms
            A: pages 64, turn 1, gap 1, then uuuf)
            b: turn 2, limit 2/s, reserve 1/s, then r*
            C: pages 20, whole, turn 6, then )
            d: turn 1, once, then r*
            e: turn 1, then r*
            asks
            A  s
            b  r
            C  ....w
            d  ..r
            e  .r\(String(repeating: ".", count: column)).
            expect
            """)
        for vm in host.arbiter.reports().map(\.vm) {
            host.deliver(to: vm) { _, _ in }
            host.step { arbiter, now, out in arbiter.unregister(vm, now: now, into: &out) }
        }
        let overview = host.overview
        #expect(overview.virtualMachines == 0 && overview.turn == nil && overview.guestsWaiting == 0)
        #expect(overview.sessionsOpen == 0 && overview.reserved == .zero)
        #expect(host.arbiter.fairShare.sumOfWeights == 0 && host.arbiter.floorWaiters == 0)
        expectNothingToCome(host)
    }

    /// A cleared timer may still be looked at once: it brings nothing.
    private func expectNothingToCome(_ host: Host) {
        host.step { arbiter, _, decisions in
            for _ in 0..<100 {
                guard let wake = arbiter.nextWake else { break }
                arbiter.advance(to: wake, into: &decisions)
            }
            #expect(decisions.isEmpty)
        }
        #expect(host.arbiter.nextWake == nil)
    }

    // MARK: Drain

    @Test("a drained host refuses guests and new launches, finishes open launches, and goes on when resumed")
    func drain() throws {
        try play(
            """
            column 1ms
            a: turn 7
            b: turn 7
            C: pages 8, turn 3, then uf)
            D: pages 8, turn 3
            O: operator
            asks
            a  r...............r.......r
            b  .r
            C  ..s
            D  .....s
            O  ....d................r
            expect
            SP aaaaaaaCCCCCCCCC........aaaaaaa
            a  =======.........B.......=======
            b  .~~~B
            C  ..~~~~~=========
            D  .....B
            a: draining
            b: draining
            D: draining
            """)
    }

    @Test("platform work goes on while the host is drained")
    func platformWhileDrained() throws {
        try play(
            """
            column 1ms
            P: platform, turn 2
            O: operator
            asks
            P  ..p
            O  d
            expect
            SP ..PP
            """)
    }
}
