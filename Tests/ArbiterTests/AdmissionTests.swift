import Testing

@testable import Arbiter

/// Goal: what is promised fits, and never shrinks. Method: registrations, one after the other.
@Suite("Admission")
struct AdmissionTests {
    private func host(_ configuration: Configuration = Configuration()) -> Host {
        Host(configuration, virtualMachines: 300)
    }

    private func refusal(_ registration: Registration, on host: Host, account: AccountID? = nil) -> AdmissionRefusal? {
        do { _ = try host.register(registration, account: account) } catch { return error }
        return nil
    }

    private func granted(_ registration: Registration, on host: Host) throws -> Rate {
        let vm = try host.register(registration)
        return try #require(host.report(of: vm)).reservation
    }

    private let unreserved = Registration(reservationWanted: .zero)
    private let onePerSecond = Registration(reservationWanted: .perSecond(1), reservationLeast: .perSecond(1))

    @Test("a hundred VMs at one report a second fit; the next that insists is refused and told the remainder")
    func hundred() throws {
        let host = host()
        for _ in 0..<100 { #expect(try granted(onePerSecond, on: host) == .perSecond(1)) }
        #expect(refusal(onePerSecond, on: host) == .capacity(left: .zero))
        #expect(
            refusal(Registration(reservationWanted: .perSecond(2), reservationLeast: Rate(millihertz: 25)), on: host)
                == .capacity(left: .zero))
    }

    @Test("one that accepts less is given what is left; one that accepts nothing is given surplus only")
    func remainder() throws {
        let host = host()
        for _ in 0..<99 { _ = try host.register(onePerSecond) }
        #expect(
            try granted(
                Registration(reservationWanted: Rate(millihertz: 400), reservationLeast: Rate(millihertz: 400)),
                on: host) == Rate(millihertz: 400))
        #expect(refusal(onePerSecond, on: host) == .capacity(left: Rate(millihertz: 600)))
        #expect(try granted(Registration(), on: host) == Rate(millihertz: 600))
        #expect(try granted(Registration(), on: host) == .zero)
    }

    @Test("an admitted reservation does not shrink while the VM lives, and is free again when it leaves")
    func kept() throws {
        let host = host()
        let first = try host.register(onePerSecond)
        for _ in 0..<150 { _ = try host.register(Registration()) }
        #expect(host.report(of: first)?.reservation == .perSecond(1))
        host.step { arbiter, now, out in arbiter.unregister(first, now: now, into: &out) }
        #expect(try granted(onePerSecond, on: host) == .perSecond(1))
    }

    @Test("259 VMs without reservation fit at the defaults; the 260th is refused for the patience of guests")
    func patience() throws {
        let host = host()
        for _ in 0..<259 { _ = try host.register(unreserved) }
        #expect(
            refusal(unreserved, on: host)
                == .patience(would: .milliseconds(20_032), limit: .seconds(20), retryPolicy: .linux))
    }

    @Test("a larger floor share admits more VMs")
    func largerFloor() throws {
        let host = host(.with { $0.floorShare = Share(percent: 12) })
        for _ in 0..<270 { _ = try host.register(unreserved) }
    }

    @Test(
        "129 VMs fit if one of them may be refused only once; the 130th is refused, whatever its own policy",
        arguments: [RetryPolicy.once, .never])
    func protected(policy: RetryPolicy) throws {
        let host = host()
        _ = try host.register(Registration(reservationWanted: .zero, retryPolicy: policy))
        for _ in 0..<128 { _ = try host.register(unreserved) }
        guard case .patience(let would, .seconds(20), _)? = refusal(unreserved, on: host) else {
            Issue.record("no later registration may break what a protected VM was promised")
            return
        }
        #expect(would == .milliseconds(130 * 150 + 532))
    }

    @Test("a VM that may be refused only once is not admitted among 129 others")
    func protectedComesLate() throws {
        let host = host()
        for _ in 0..<129 { _ = try host.register(unreserved) }
        guard
            case .patience(_, _, .once)? = refusal(
                Registration(reservationWanted: .zero, retryPolicy: .once), on: host)
        else {
            Issue.record("a protected VM was admitted beyond its bound")
            return
        }
        #expect(refusal(unreserved, on: host) == nil)
    }

    @Test(
        "the promised wait of reservations stays within guest_wait_reserved; bursts and VMs without reservation count")
    func reservedWait() throws {
        let host = host()
        // (616 + 32 + Σ b·7.5 ms) ÷ 0.75 ≤ 5 s: 413 requests at once.
        for _ in 0..<4 {
            _ = try host.register(
                Registration(reservationWanted: .perSecond(1), reservationLeast: .perSecond(1), burst: 100))
        }
        let tooBursty = Registration(reservationWanted: .perSecond(1), reservationLeast: .perSecond(1), burst: 14)
        guard case .reservedWait(let would, .seconds(5))? = refusal(tooBursty, on: host) else {
            Issue.record("a burst was admitted that lets reserved requests wait for more than 5 s")
            return
        }
        #expect(would == Nanoseconds((616 + 32) * 1_000_000 + 414 * 7_500_000) * 1_000 / 750)
        for _ in 0..<13 { _ = try host.register(unreserved) }
        guard case .reservedWait? = refusal(unreserved, on: host) else {
            Issue.record("a VM without reservation was admitted that lets reserved requests wait for more than 5 s")
            return
        }
    }

    @Test("a VM is told the longest wait that may ever be promised; that of the moment grows with each VM that joins")
    func promisedWait() throws {
        let host = host()
        let admission = try host.admit(Registration(reservationWanted: .perSecond(1), burst: 3))
        #expect(admission.guestWaitReserved == .seconds(5))
        // (616 + 32 + 3 × 7.5) ms ÷ 0.75.
        #expect(host.overview.reservedWait == .milliseconds(894))
        #expect(admission.guestWaitMax == .milliseconds(500))
    }

    @Test("the minimum of VMs without reservation counts against capacity where there is no head-room")
    func minimum() throws {
        let host = host(
            .with {
                $0.capacityPerSecond = .seconds(1)
                $0.launchReservePerSecond = .milliseconds(985)
                $0.guestWaitReserved = .seconds(100)
            })
        // 15 ms/s: one at 1/s and 40 minima of 0.1875 ms/s.
        _ = try host.register(onePerSecond)
        for _ in 0..<40 { _ = try host.register(unreserved) }
        #expect(refusal(unreserved, on: host) == .capacity(left: .zero))
    }

    @Test("a VM that must not be refused counts one request in 8 s, or its reservation if that is more")
    func protectedMinimum() throws {
        func once(_ reservation: Rate) -> Registration {
            Registration(reservationWanted: reservation, reservationLeast: reservation, burst: 1, retryPolicy: .once)
        }
        let host = host(.with { $0.floorShare = Share(percent: 40) })
        for _ in 0..<100 { _ = try host.register(once(.perSecond(1))) }
        // Nothing is left to reserve, and 50 ms/s of head-room hold 53 minima of 0.9375 ms/s.
        for _ in 0..<53 { _ = try host.register(once(.zero)) }
        #expect(refusal(once(.zero), on: host) == .capacity(left: .zero))
        #expect(refusal(once(Limits.leastRate), on: host) == .capacity(left: .zero))
    }

    @Test("a small reservation of a VM that must not be refused is filled up to its minimum")
    func protectedShortfall() throws {
        let host = host(
            .with {
                $0.capacityPerSecond = .seconds(1)
                $0.launchReservePerSecond = .milliseconds(990)
                $0.guestWaitReserved = .seconds(100)
            })
        let small = Registration(
            reservationWanted: Limits.leastRate, reservationLeast: Limits.leastRate, burst: 1, retryPolicy: .never)
        // 10 ms/s hold ten times 0.9375 ms/s.
        for _ in 0..<10 { _ = try host.register(small) }
        guard case .capacity? = refusal(small, on: host) else { return #expect(Bool(false), "it was admitted") }
    }

    @Test("a reservation is never more than the VM's own limit")
    func clippedByLimit() throws {
        #expect(
            try granted(Registration(reservationWanted: .perSecond(2), limit: .perSecond(1)), on: host())
                == .perSecond(1))
    }

    @Test("an account's cap clips what its VMs reserve, and not another's")
    func accountCap() throws {
        let host = host(.with { $0.accountReservationMax = Rate(millihertz: 1_500) })
        let other = try host.openAccount()
        #expect(try granted(Registration(), on: host) == .perSecond(1))
        #expect(refusal(onePerSecond, on: host) == .accountReservation(left: Rate(millihertz: 500)))
        #expect(try granted(Registration(), on: host) == Rate(millihertz: 500))
        #expect(try granted(Registration(), on: host) == .zero)
        #expect(refusal(onePerSecond, on: host, account: other) == nil)
    }

    @Test("accounts are bounded; one is given up when its last VM is gone and its launch debt is paid")
    func accounts() throws {
        let host = host()
        for _ in 1..<Limits.accounts { _ = try host.openAccount() }
        #expect(host.openAccountIfThereIsRoom() == nil)
        let vm = try host.register(unreserved)
        #expect(!host.closeAccount(host.account))
        let session = try host.begin(LaunchPlan(pages: 100), of: vm)
        try host.end(session, of: vm)
        host.step { arbiter, now, out in arbiter.unregister(vm, now: now, into: &out) }
        #expect(!host.closeAccount(host.account))
        host.run(for: .milliseconds(6))
        #expect(host.closeAccount(host.account))
        #expect(try host.openAccount() == host.account)
    }

    @Test("the table of VMs is bounded")
    func table() throws {
        let host = Host(virtualMachines: 2)
        for _ in 0..<2 { _ = try host.register(unreserved) }
        #expect(refusal(unreserved, on: host) == .tooManyVMs(limit: 2))
    }

    @Test(
        "a value outside its bounds is refused, and the answer names the field and its bounds",
        arguments: [
            ("reservation_wanted", Registration(reservationWanted: Rate(millihertz: 24))),
            ("reservation_wanted", Registration(reservationWanted: Rate(millihertz: -1))),
            ("reservation_wanted", Registration(reservationWanted: Rate(millihertz: .max))),
            ("reservation_least", Registration(reservationWanted: .perSecond(1), reservationLeast: .perSecond(2))),
            (
                "reservation_least",
                Registration(reservationWanted: .perSecond(2), reservationLeast: .perSecond(2), limit: .perSecond(1))
            ),
            ("limit", Registration(limit: Rate(millihertz: 24))),
            ("limit", Registration(limit: Rate(millihertz: .max))),
            ("weight", Registration(weight: Weight(0))), ("weight", Registration(weight: Weight(10_001))),
            ("burst", Registration(burst: 0)), ("burst", Registration(burst: 101)),
            ("guest_wait_max", Registration(guestWaitMax: .zero)),
            ("guest_wait_max", Registration(guestWaitMax: .seconds(20) + Nanoseconds(1))),
        ])
    func invalid(field: String, registration: Registration) {
        guard case .invalid(field, _)? = refusal(registration, on: host()) else {
            Issue.record("\(registration) was admitted")
            return
        }
    }

    @Test("a slot that is used again makes no old name valid")
    func generations() throws {
        let host = Host(virtualMachines: 1)
        let old = try host.register(unreserved)
        host.step { arbiter, now, out in arbiter.unregister(old, now: now, into: &out) }
        let new = try host.register(unreserved)
        #expect(old.slot == new.slot && old != new)
        #expect(throws: RequestError.unknownVM) { _ = try host.acquire(.report, of: old) }
        #expect(host.report(of: old) == nil)
    }
}
