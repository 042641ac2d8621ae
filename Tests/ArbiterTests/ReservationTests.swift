import Testing

@testable import Arbiter

/// Goal: rule 6 (b) and (c): who is inside its reservation, and what that is worth. Method: plain calls and timelines.
@Suite("Reservations")
struct ReservationTests {
    /// A host on which `blocker` holds the SP, so that all that is asked waits.
    private func blocked(_ configuration: Configuration = Configuration()) throws -> (Host, VMID, RequestID) {
        let host = Host(configuration, virtualMachines: 128)
        let blocker = try host.register(Registration(reservationWanted: .zero))
        return (host, blocker, try host.acquire(.report, of: blocker))
    }

    private func part(_ vm: VMID, _ host: Host) -> String {
        let slot = Int(vm.slot)
        let parts = [
            (host.arbiter.aged.contains(slot), "aged"), (host.arbiter.reserved.contains(slot), "reserved"),
            (host.arbiter.shared.contains(slot), "shared"),
        ]
        return parts.first { $0.0 }?.1 ?? "none"
    }

    @Test("as many requests as the burst go inside the reservation at once; the next is shared")
    func burst() throws {
        let (host, blocker, held) = try blocked()
        let vm = try host.register(Registration(reservationWanted: .perSecond(1), burst: 3))
        var parts: [String] = []
        var (turn, holder) = (try #require(host.grant(of: held)).turn, blocker)
        for _ in 0..<4 {
            let request = try host.acquire(.report, of: vm)
            parts.append(part(vm, host))
            try host.release(turn, of: holder)
            (turn, holder) = (try #require(host.grant(of: request)).turn, vm)
            let next = try host.acquire(.report, of: blocker)
            try host.release(turn, of: holder)
            (turn, holder) = (try #require(host.grant(of: next)).turn, blocker)
        }
        #expect(parts == ["reserved", "reserved", "reserved", "shared"])
    }

    @Test("a VM that leaves and registers anew finds its reservation as used up as it left it")
    func registeringAnewFillsNoBucket() throws {
        let host = Host()
        let account = try host.openAccount()
        let registration = Registration(reservationWanted: .perSecond(1), reservationLeast: .perSecond(1), burst: 3)
        var vm = try host.register(registration, account: account)
        for _ in 0..<3 {
            let request = try host.acquire(.report, of: vm)
            #expect(host.arbiter.turn?.guestPart == .reserved)
            try host.release(#require(host.grant(of: request)).turn, of: vm)
        }
        host.step { arbiter, now, out in arbiter.unregister(vm, now: now, into: &out) }
        #expect(!host.closeAccount(account))
        vm = try host.register(registration, account: account)
        let request = try host.acquire(.report, of: vm)
        #expect(host.arbiter.turn?.guestPart == .shared)
        try host.release(#require(host.grant(of: request)).turn, of: vm)
        host.run(for: .seconds(1))
        _ = try host.acquire(.report, of: vm)
        #expect(host.arbiter.turn?.guestPart == .reserved)
        let neighbour = try host.register(registration)
        #expect(host.arbiter.virtualMachines[Int(neighbour.slot)].reservationBucket == CellRate())
    }

    @Test("what a VM used delays its successor by no more than the successor's own burst, and is forgotten in time")
    func inheritedDebtIsBounded() throws {
        let host = Host()
        let account = try host.openAccount()
        let slow = try host.register(
            Registration(reservationWanted: Limits.leastRate, reservationLeast: Limits.leastRate, burst: 100),
            account: account)
        let request = try host.acquire(.report, of: slow)
        try host.release(#require(host.grant(of: request)).turn, of: slow)
        host.step { arbiter, now, out in arbiter.unregister(slow, now: now, into: &out) }
        let quick = try host.register(Registration(reservationWanted: .perSecond(1), burst: 1), account: account)
        host.run(for: .seconds(1))
        _ = try host.acquire(.report, of: quick)
        #expect(host.arbiter.turn?.guestPart == .reserved)
        host.step { arbiter, now, out in arbiter.unregister(quick, now: now, into: &out) }
        host.run(for: .seconds(40))
        #expect(host.closeAccount(account))
    }

    @Test("a reservation that ends BUSY is refunded")
    func refund() throws {
        let (host, _, _) = try blocked()
        let vm = try host.register(Registration(reservationWanted: .perSecond(1), burst: 1))
        let before = host.arbiter.virtualMachines[Int(vm.slot)].reservationBucket
        let request = try host.acquire(.report, of: vm)
        #expect(part(vm, host) == "reserved")
        host.step { arbiter, now, out in arbiter.cancel(request, of: vm, now: now, into: &out) }
        #expect(host.arbiter.virtualMachines[Int(vm.slot)].reservationBucket == before)
        _ = try host.acquire(.report, of: vm)
        #expect(part(vm, host) == "reserved")
    }

    @Test("service in the shared part does not charge the reservation")
    func sharedIsFree() throws {
        let host = Host()
        let vm = try host.register(Registration(reservationWanted: .perSecond(1), burst: 1))
        for expected in [true, false, false] {
            let request = try host.acquire(.report, of: vm)
            let before = host.arbiter.virtualMachines[Int(vm.slot)].reservationBucket
            #expect((host.arbiter.turn?.guestPart == .reserved) == expected)
            host.run(for: .milliseconds(7))
            try host.release(#require(host.grant(of: request)).turn, of: vm)
            #expect(host.arbiter.virtualMachines[Int(vm.slot)].reservationBucket == before)
        }
    }

    @Test("a shared request that comes to conform while it waits becomes reserved")
    func conformsWhileWaiting() throws {
        let (host, blocker, held) = try blocked()
        let vm = try host.register(
            Registration(reservationWanted: .perSecond(20), burst: 1, guestWaitMax: .milliseconds(500)))
        let first = try host.acquire(.report, of: vm)
        host.run(for: .milliseconds(7))
        try host.release(#require(host.grant(of: held)).turn, of: blocker)
        let again = try host.acquire(.report, of: blocker)
        host.run(for: .milliseconds(7))
        try host.release(#require(host.grant(of: first)).turn, of: vm)
        #expect(host.grant(of: again) != nil)
        _ = try host.acquire(.report, of: vm)
        #expect(part(vm, host) == "shared")
        host.run(for: .milliseconds(35))
        #expect(part(vm, host) == "shared")
        host.run(for: .milliseconds(1))
        #expect(part(vm, host) == "reserved")
    }

    @Test("a reserved request waits beyond guest_wait_max, up to its promised wait")
    func waitsLong() throws {
        let (host, _, _) = try blocked()
        let vm = try host.register(Registration(reservationWanted: .perSecond(1), burst: 3))
        let request = try host.acquire(.report, of: vm)
        // The blocker's turn is overdue; the probe that follows is answered late, so that the SP is never stuck.
        host.run(for: .milliseconds(600))
        #expect(host.answer(to: request) == nil)
        let promised = host.overview.reservedWait
        host.run(for: promised - .milliseconds(600) - Nanoseconds(1))
        #expect(host.answer(to: request) == nil)
        host.run(for: Nanoseconds(1))
        #expect(host.busy(request) != nil)
    }

    /// Keeps launches busy for so long: above 770 ms, 200 ms/s of it drained, that is more than the burst of 616 ms.
    private func launch(_ duration: Nanoseconds, on host: Host) throws -> (VMID, SessionID) {
        let launcher = try host.register(Registration(reservationWanted: .zero))
        let session = try host.begin(LaunchPlan(pages: 1_000, isWhole: true), of: launcher)
        let whole = try host.acquire(.wholeLaunch, 1_000, of: launcher)
        host.run(for: duration)
        try host.release(#require(host.grant(of: whole)).turn, of: launcher, units: 1_000)
        return (launcher, session)
    }

    @Test("launch work above the reserve suspends reservations, and BUSY says so; they return when it has drained")
    func suspension() throws {
        let host = Host()
        let first = try host.register(Registration(guestWaitMax: .seconds(2)))
        let second = try host.register()
        let (launcher, session) = try launch(.milliseconds(900), on: host)
        #expect(host.overview.reservationsAreSuspended)
        try host.end(session, of: launcher)
        let held = try host.acquire(.report, of: first)
        #expect(host.arbiter.turn?.guestPart == .shared)
        let waiting = try host.acquire(.report, of: second)
        #expect(part(second, host) == "reserved")
        host.run(for: .milliseconds(500))
        #expect(host.busy(waiting)?.reason == .reservationsSuspended)
        host.run(for: .milliseconds(30))
        try host.release(#require(host.grant(of: held)).turn, of: first)
        #expect(!host.overview.reservationsAreSuspended)
        _ = try host.acquire(.report, of: second)
        #expect(host.arbiter.turn?.guestPart == .reserved)
    }

    @Test("after a storm of any length reservations return within the time that the burst takes to drain")
    func returnAfterStorm() throws {
        let host = Host()
        for _ in 0..<8 {
            let (launcher, session) = try launch(.seconds(1), on: host)
            try host.end(session, of: launcher)
        }
        #expect(host.overview.reservationsAreSuspended)
        // 616 ms above the burst, at 200 ms a second.
        host.run(for: .milliseconds(3_080))
        #expect(!host.overview.reservationsAreSuspended)
    }

    @Test("a launch turn that is still held counts as launch work")
    func suspendedWhileHeld() throws {
        let host = Host()
        let vm = try host.register()
        let launcher = try host.register(Registration(reservationWanted: .zero))
        _ = try host.begin(LaunchPlan(pages: 2_000, isWhole: true), of: launcher)
        _ = try host.acquire(.wholeLaunch, 2_000, of: launcher)
        host.run(for: .milliseconds(760))
        _ = try host.register()
        host.step { arbiter, now, out in arbiter.advance(to: now, into: &out) }
        #expect(!host.overview.reservationsAreSuspended)
        host.run(for: .milliseconds(20))
        host.step { arbiter, now, out in arbiter.advance(to: now, into: &out) }
        #expect(host.overview.reservationsAreSuspended)
        let request = try host.acquire(.report, of: vm)
        #expect(host.busy(request)?.reason == .reservationsSuspended)
    }

    @Test("a request that came to conform while reservations were suspended is reserved when they return")
    func conformsWhileSuspended() throws {
        let host = Host()
        let blocker = try host.register(Registration(reservationWanted: .zero))
        let vm = try host.register(
            Registration(reservationWanted: Rate(millihertz: 1_250), burst: 1, guestWaitMax: .seconds(2)))
        let first = try host.acquire(.report, of: vm)
        try host.release(#require(host.grant(of: first)).turn, of: vm)
        // Suspended until 820 ms; the next request conforms from 800 ms on.
        let (launcher, session) = try launch(.milliseconds(780), on: host)
        try host.end(session, of: launcher)
        _ = try host.acquire(.report, of: blocker)
        _ = try host.acquire(.report, of: vm)
        #expect(part(vm, host) == "shared")
        host.run(for: .milliseconds(50))
        #expect(!host.overview.reservationsAreSuspended)
        #expect(part(vm, host) == "reserved")
    }

    @Test("a derived key, which costs the SP less, moves the buckets by less")
    func derivedKeys() throws {
        let host = Host()
        let vm = try host.register(
            Registration(reservationWanted: .perSecond(1), limit: .perSecond(1), burst: 1))
        let request = try host.acquire(.derivedKey, of: vm)
        try host.release(#require(host.grant(of: request)).turn, of: vm)
        let bucket = host.arbiter.virtualMachines[Int(vm.slot)].limitBucket
        // 1 ms of 7.5 ms.
        #expect(bucket.opens(tolerance: .zero) - host.now == Nanoseconds(133_333_333))
    }
}
