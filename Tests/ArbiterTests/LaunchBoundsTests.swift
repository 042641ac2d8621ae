import Testing

@testable import Arbiter

/// Goal: launches are bounded, and their mistakes are errors that harm nobody. Method: plain calls.
@Suite("Bounds of launches")
struct LaunchBoundsTests {
    let host = Host()

    private func error(_ call: () throws(RequestError) -> Void) -> RequestError? {
        do { try call() } catch { return error }
        return nil
    }

    /// The error with which this VM's request is answered; `nil` if it is none.
    private func error(_ kind: CommandKind, _ units: UInt32 = 1, of vm: VMID) -> RequestError? {
        error { () throws(RequestError) in _ = try host.acquire(kind, units, of: vm) }
    }

    private func refusal(_ plan: LaunchPlan, of vm: VMID, _ host: Host? = nil) -> LaunchRefusal? {
        do { _ = try (host ?? self.host).begin(plan, of: vm) } catch { return error }
        return nil
    }

    @Test("an update is granted in turns of at most a chunk")
    func chunk() throws {
        let vm = try host.register()
        _ = try host.begin(LaunchPlan(pages: 100), of: vm)
        var left: UInt32 = 100
        var granted: [UInt32] = []
        while left > 0 {
            let request = try host.acquire(.launchUpdate, left, of: vm)
            let grant = try #require(host.grant(of: request))
            granted.append(grant.units)
            left -= grant.units
            try host.release(grant.turn, of: vm, units: grant.units)
        }
        #expect(granted == [32, 32, 32, 4])
    }

    @Test("a command of another kind than the session's is an error, and changes nothing")
    func kinds() throws {
        let (divisible, whole, idle) = try (host.register(), host.register(), host.register())
        _ = try host.begin(LaunchPlan(pages: 10), of: divisible)
        _ = try host.begin(LaunchPlan(pages: 10, isWhole: true), of: whole)
        #expect(
            error(.wholeLaunch, 10, of: divisible) == .kindDoesNotFitSession)
        #expect(
            error(.launchUpdate, 10, of: whole) == .kindDoesNotFitSession)
        #expect(
            error(.platformStatus, of: divisible) == .kindNotAllowed
        )
        #expect(error(.launchStart, of: idle) == .noSession)
        #expect(host.log.isEmpty)
        _ = try host.acquire(.launchStart, of: divisible)
        #expect(host.log.count == 1)
    }

    @Test("units outside their bounds are an error")
    func units() throws {
        let vm = try host.register()
        _ = try host.begin(LaunchPlan(pages: 10), of: vm)
        for (kind, units): (CommandKind, UInt32) in [
            (.report, 0), (.report, 2), (.launchStart, 0), (.launchStart, 2), (.launchUpdate, 0),
            (.launchUpdate, 262_145), (.launchUpdate, .max), (.launchFinish, 0), (.launchFinish, 4_097),
            (.legacyLaunch, 0),
        ] {
            #expect(error(kind, units, of: vm) == .unitsOutOfBounds)
        }
        #expect(host.log.isEmpty)
    }

    @Test("one command of a session waits or is in service at a time")
    func oneCommand() throws {
        let (first, second) = try (host.register(), host.register())
        for vm in [first, second] { _ = try host.begin(LaunchPlan(pages: 10), of: vm) }
        let started = try host.acquire(.launchStart, of: first)
        #expect(error(.launchUpdate, of: first) == .turnStillHeld)
        _ = try host.acquire(.launchStart, of: second)
        #expect(
            error(.launchStart, of: second) == .commandAlreadyQueued
        )
        let turn = try #require(host.grant(of: started)).turn
        #expect(error { () throws(RequestError) in try host.release(turn, of: second) } == .unknownTurn)
        try host.release(turn, of: first)
        #expect(error { () throws(RequestError) in try host.release(turn, of: first) } == .unknownTurn)
    }

    @Test("a VM has one session at a time; a reset may begin another")
    func oneSession() throws {
        let vm = try host.register()
        let session = try host.begin(LaunchPlan(pages: 10), of: vm)
        #expect(refusal(LaunchPlan(pages: 10), of: vm) == .error(.sessionAlreadyOpen))
        #expect(error { () throws(RequestError) in try host.end(SessionID(number: 77), of: vm) } == .unknownSession)
        try host.end(session, of: vm)
        #expect(error { () throws(RequestError) in try host.end(session, of: vm) } == .noSession)
        #expect(refusal(LaunchPlan(pages: 10), of: vm) == nil)
    }

    @Test("a session does not end while its turn is held; a command that waits fails when it ends")
    func endWithTurn() throws {
        let (first, second) = try (host.register(), host.register())
        let sessions = try [first, second].map { try host.begin(LaunchPlan(pages: 10), of: $0) }
        _ = try host.acquire(.launchStart, of: first)
        let waiting = try host.acquire(.launchStart, of: second)
        #expect(error { () throws(RequestError) in try host.end(sessions[0], of: first) } == .turnStillHeld)
        try host.end(sessions[1], of: second)
        #expect(host.answer(to: waiting) == .failed(waiting, second, .noSession))
    }

    @Test("in one message: if the release is a mistake nothing is acquired; if the acquire is, the release stands")
    func halfAMistake() throws {
        let (vm, other) = try (host.register(), host.register())
        func both(_ turn: TurnID, _ kind: CommandKind) -> RequestError? {
            error { () throws(RequestError) in
                try host.step { (arbiter, now, out) throws(RequestError) in
                    try arbiter.releaseAndAcquire(
                        turn, TurnOutcome(unitsDone: 1), kind, units: 1, maxWait: nil, request: host.newRequest(0),
                        of: vm, now: now, into: &out)
                }
            }
        }
        #expect(both(TurnID(number: 99), .report) == .unknownTurn)
        #expect(host.log.isEmpty)
        let held = try host.acquire(.report, of: vm)
        let waiting = try host.acquire(.report, of: other)
        #expect(both(try #require(host.grant(of: held)).turn, .launchUpdate) == .noSession)
        #expect(host.grant(of: waiting) != nil)
    }

    @Test("declared pages and vCPUs lie within the caps")
    func declared() throws {
        let vm = try host.register()
        for plan in [
            LaunchPlan(pages: 0), LaunchPlan(pages: 262_145), LaunchPlan(pages: .max),
            LaunchPlan(pages: 1, virtualCPUs: 0), LaunchPlan(pages: 1, virtualCPUs: 4_097),
        ] {
            #expect(refusal(plan, of: vm) == .error(.pagesOutOfBounds))
        }
        #expect(refusal(LaunchPlan(pages: 262_144, virtualCPUs: 4_096), of: vm) == nil)
    }

    @Test("a VM's launch bucket admits any first launch, and then refuses until the debt has drained")
    func bucketOfVM() throws {
        let host = Host()
        let vm = try host.register()
        // 40 s of declared work, all of it done.
        let cost = try launch(40_000, of: vm, on: host)
        #expect(cost == .seconds(40))
        guard case .busy(let busy)? = refusal(LaunchPlan(pages: 100), of: vm, host) else {
            Issue.record("a launch was admitted on top of 40 s of debt")
            return
        }
        #expect(busy.reason == .launchBucketVM)
        // What is above 30 s drains at 200 ms a second.
        host.run(for: busy.retryAfter)
        #expect(refusal(LaunchPlan(pages: 100), of: vm, host) == nil)
    }

    @Test("an account's launch bucket counts all its VMs, and another account's VM is not held up")
    func bucketOfAccount() throws {
        let host = Host()
        let other = try host.register(account: host.openAccount())
        let (first, second) = try (host.register(), host.register())
        #expect(refusal(LaunchPlan(pages: 40_000), of: first, host) == nil)
        guard case .busy(let busy)? = refusal(LaunchPlan(pages: 40_000), of: second, host) else {
            Issue.record("a launch was admitted on top of the account's debt")
            return
        }
        #expect(busy.reason == .launchBucketAccount)
        #expect(refusal(LaunchPlan(pages: 40_000), of: other, host) == nil)
        // The excess of 20 s over the burst of 60 s drains at 950 ms a second.
        #expect(busy.retryAfter > .seconds(21) && busy.retryAfter < .milliseconds(21_200))
        host.run(for: busy.retryAfter)
        #expect(refusal(LaunchPlan(pages: 40_000), of: second, host) == nil)
    }

    @Test("what was declared and not used is given back")
    func givenBack() throws {
        let vm = try host.register()
        for _ in 0..<10 {
            let session = try host.begin(LaunchPlan(pages: 20_000), of: vm)
            try host.end(session, of: vm)
        }
        #expect(refusal(LaunchPlan(pages: 20_000), of: vm) == nil)
    }

    /// Does a launch of so many pages in one turn, within no time but its own.
    private func launch(_ pages: UInt32, of vm: VMID, on host: Host) throws -> Nanoseconds {
        let start = host.now
        let session = try host.begin(LaunchPlan(pages: pages, isWhole: true), of: vm)
        let request = try host.acquire(.wholeLaunch, pages, of: vm)
        let turn = try #require(host.grant(of: request)).turn
        host.run(for: .milliseconds(Int64(pages)))
        try host.release(turn, of: vm, units: pages)
        try host.end(session, of: vm)
        return host.now - start
    }

    @Test("a session that lasts longer than its wall clock allows is ended; its turn runs on")
    func wallClock() throws {
        try play(
            """
            column 20ms
            A: pages 64, units 32, turn 8
            b: turn 2
            asks
            A  u.........)
            b  .r
            expect
            SP AAAAAAAAbb
            A  =====K==..E
            A: wallClock, noSession
            """, .with { $0.launchWallClockMax = .milliseconds(100) })
    }
}
