/// Registration: what a VM is promised, for as long as it lives.
extension Arbiter {
    // MARK: Accounts

    /// A place for one more account; `nil` when `Limits.accounts` are open.
    public mutating func openAccount() -> AccountID? {
        guard let slot = accounts.firstIndex(where: { $0 == nil }) else { return nil }
        accounts[slot] = Account()
        return AccountID(slot: UInt32(slot))
    }

    /// Gives the place up, if the account has no VM and owes neither launch work nor requests: leaving must not wipe a
    /// debt.
    /// - Returns: whether it was given up.
    public mutating func closeAccount(_ id: AccountID, now: Instant) -> Bool {
        guard let account = accounts[Int(id.slot)], account.virtualMachines == 0,
            account.reservationsUsedUntil <= max(now, clock),
            account.launchDebt.isPaid(at: max(now, clock), configuration.launchBucketAccount)
        else { return false }
        accounts[Int(id.slot)] = nil
        return true
    }

    // MARK: Registration

    /// Admits a VM with a reservation between what it wants and the least it accepts, or says what binds.
    public mutating func register(
        _ registration: Registration, account: AccountID, now: Instant
    ) throws(AdmissionRefusal) -> Admission {
        try Self.check(registration)
        guard accounts[Int(account.slot)] != nil else { preconditionFailure("a VM of an account that is not open") }
        accrue(to: now)
        guard let slot = freeSlots.last.map(Int.init) else { throw .tooManyVMs(limit: virtualMachines.count) }
        let asked = try capped(registration, account)
        let reservation = try ledger.admit(asked)
        freeSlots.removeLast()
        ledger.enter(reservation: reservation, burst: registration.burst, retryPolicy: registration.retryPolicy)
        accounts[Int(account.slot)]?.virtualMachines += 1
        accounts[Int(account.slot)]?.reserved.millihertz += reservation.millihertz
        settle(slot, registration, reservation, account)
        return Admission(
            vm: id(ofSlot: slot), reservation: reservation, guestWaitReserved: configuration.guestWaitReserved,
            guestWaitMax: virtualMachines[slot].guestWaitMax)
    }

    private static func check(_ registration: Registration) throws(AdmissionRefusal) {
        let rates = Limits.leastRate...Limits.mostRate
        let rateBounds = "0, or \(rates.lowerBound.millihertz) to \(rates.upperBound.millihertz) per 1000 s"
        for (field, rate) in [
            ("reservation_wanted", registration.reservationWanted),
            ("reservation_least", registration.reservationLeast),
        ] where rate != .zero && !rates.contains(rate) {
            throw .invalid(field: field, bounds: rateBounds)
        }
        guard registration.reservationLeast <= registration.reservationWanted else {
            throw .invalid(field: "reservation_least", bounds: "at most reservation_wanted")
        }
        if let limit = registration.limit {
            guard rates.contains(limit) else { throw .invalid(field: "limit", bounds: rateBounds) }
            guard registration.reservationLeast <= limit else {
                throw .invalid(field: "reservation_least", bounds: "at most limit")
            }
        }
        guard Limits.weights.contains(registration.weight) else {
            throw .invalid(
                field: "weight", bounds: "\(Limits.weights.lowerBound.value) to \(Limits.weights.upperBound.value)")
        }
        guard Limits.bursts.contains(registration.burst) else {
            throw .invalid(field: "burst", bounds: "\(Limits.bursts.lowerBound) to \(Limits.bursts.upperBound)")
        }
        guard registration.guestWaitMax.map(Limits.guestWaits.contains) ?? true else {
            throw .invalid(field: "guest_wait_max", bounds: "0 (the default), or 1 ms to 20 s")
        }
    }

    /// The registration, clipped to what its account may still reserve.
    private func capped(_ registration: Registration, _ id: AccountID) throws(AdmissionRefusal) -> Registration {
        guard let most = configuration.accountReservationMax, let account = accounts[Int(id.slot)] else {
            return registration
        }
        let left = Rate(millihertz: max(most.millihertz - account.reserved.millihertz, 0))
        guard registration.reservationLeast <= left else { throw .accountReservation(left: left) }
        var clipped = registration
        clipped.reservationWanted = min(registration.reservationWanted, left)
        return clipped
    }

    private mutating func settle(
        _ slot: Int, _ registration: Registration, _ reservation: Rate, _ account: AccountID
    ) {
        var vm = VirtualMachine()
        vm.generation = virtualMachines[slot].generation &+ 1
        vm.isRegistered = true
        vm.account = account
        vm.reservation = reservation
        vm.limit = registration.limit
        vm.weight = registration.weight
        vm.burst = registration.burst
        vm.retryPolicy = registration.retryPolicy
        vm.guestWaitMax = registration.guestWaitMax ?? configuration.guestWaitMax
        vm.tag = fairShare.virtualTime
        vm.reservationBucket = reservationBucket(reservation, registration.burst, account)
        virtualMachines[slot] = vm
        gaps.forget(slot)
    }

    /// Full, but for what VMs of the account that left took in advance; empty at worst.
    private func reservationBucket(_ reservation: Rate, _ burst: Int64, _ account: AccountID) -> CellRate {
        guard reservation > .zero, let account = accounts[Int(account.slot)] else { return CellRate() }
        return CellRate(chargedUntil: min(account.reservationsUsedUntil, clock + reservation.interval * burst))
    }

    /// The VM is gone. Its waiting requests are answered BUSY, its turn is free (a proxy's stays to its lease).
    public mutating func unregister(_ vm: VMID, now: Instant, into decisions: inout [Decision]) {
        begin(now, &decisions)
        defer { dispatch(&decisions) }
        guard let slot = existingSlot(of: vm) else { return }
        if waitingGuest(slot, is: { _ in true }) { refuse(slot, .unregistered, retryAfter: .zero, &decisions) }
        if let command = virtualMachines[slot].session?.command {
            withdrawCommand(slot)
            let busy = Busy(retryAfter: .zero, reason: .unregistered, holder: nil)
            decisions.append(.busy(command.request, vm, busy))
        }
        releaseTurns(ofVM: vm, { _ in true }, &decisions)
        closeSession(slot, &decisions)
        forget(slot)
    }

    private mutating func forget(_ slot: Int) {
        virtualMachines[slot].refusedAt = nil
        virtualMachines[slot].guest = nil
        virtualMachines[slot].phase = .idle
        updateBacklog(slot)
        for timer in Timer.allCases { clear(timer, slot) }
        costs.forget(slot)
        let vm = virtualMachines[slot]
        ledger.leave(reservation: vm.reservation, burst: vm.burst, retryPolicy: vm.retryPolicy)
        let account = Int(vm.account.slot)
        accounts[account]?.virtualMachines -= 1
        accounts[account]?.reserved.millihertz -= vm.reservation.millihertz
        let usedUntil = max(
            accounts[account]?.reservationsUsedUntil ?? .distantPast, vm.reservationBucket.theoreticalArrival)
        accounts[account]?.reservationsUsedUntil = usedUntil
        virtualMachines[slot].isRegistered = false
        freeSlots.append(UInt32(slot))
    }
}
