import Arbiter

/// VMs come and go; what was promised to them fits and stays.
extension Checker {
    mutating func registered(
        _ registration: Registration, _ admission: Admission, tenant: Int
    ) throws(Violation) {
        guard self.tenant(of: admission.vm) == nil else { throw broken(.admission, "two VMs have one identity") }
        let most = min(registration.reservationWanted, registration.limit ?? registration.reservationWanted)
        guard admission.reservation <= most, admission.reservation >= registration.reservationLeast else {
            throw broken(.admission, "\(admission.reservation.millihertz) mHz were promised, outside what was asked")
        }
        var view = TenantView()
        view.vm = admission.vm
        view.registration = registration
        view.reservation = admission.reservation
        view.guestWaitMax = admission.guestWaitMax
        tenants[tenant] = view
        setTenant(tenant, of: admission.vm)
        reservedBursts.count(view, by: 1)
        fairness.registered(tenant, view)
        try promisesFit()
    }

    private func promisesFit() throws(Violation) {
        let cost = configuration.planningCosts.report.count
        let left = configuration.capacityPerSecond - configuration.launchReservePerSecond
        if reservedBursts.reserved * cost / 1_000 > left.count {
            throw broken(.admission, "\(reservedBursts.reserved) mHz are reserved, more than fits")
        }
        let largest = LargestOccupancies(configuration)
        let attempts: Int64 = reservedBursts.impatient > 0 ? 2 : 1
        let turns = reservedBursts.virtualMachines * attempts * cost * 1_000 / configuration.floorShare.perMille
        let patience = Nanoseconds(turns) + configuration.floorDelay + largest.launch
        if patience > .seconds(20) {
            throw broken(
                .admission,
                "with \(reservedBursts.virtualMachines) VMs a guest may have to wait \(patience.count) ns")
        }
    }

    /// Before the decisions that its going brought about.
    mutating func departed(_ tenant: Int) throws(Violation) {
        let vm = tenants[tenant].vm
        for turn in turns where turn.vm == vm && !turn.isProxy { try ended(turn.id, service: nil) }
        sessionVanished(tenant)
        reservedBursts.count(tenants[tenant], by: -1)
        fairness.left(tenant)
        tenants[tenant].vm = nil
        tenants[tenant].firstAttempt = nil
    }

    mutating func hungUp(origin: UInt64, tenant: Int) throws(Violation) {
        for turn in turns
        where turn.tenant == tenant && turn.vm == tenants[tenant].vm && turn.origin == origin && !turn.isProxy {
            try ended(turn.id, service: nil)
        }
        for index in open.entries.indices {
            let request = open.entries[index]
            guard request.tenant == tenant, request.id.origin == origin else { continue }
            open.withdraw(at: index)
            if request.commandClass == .launch {
                tenants[tenant].session?.commandIsOpen = false
                tenants[tenant].session?.isIrregular = true
            }
        }
        tenants[tenant].session?.hungUp = true
    }
}

/// What admission has promised, over all VMs: N, Σ b with N₀, and Σ r.
struct ReservedBursts {
    private(set) var virtualMachines: Int64 = 0
    private(set) var impatient: Int64 = 0
    private(set) var limited: Int64 = 0
    private(set) var reserved: Int64 = 0
    /// Σ b over VMs with a reservation, and one for each without.
    private(set) var guests: Int64 = 0

    mutating func count(_ tenant: TenantView, by sign: Int64) {
        virtualMachines += sign
        reserved += sign * tenant.reservation.millihertz
        if tenant.registration.retryPolicy != .linux { impatient += sign }
        if tenant.registration.limit != nil { limited += sign }
        guests += sign * (tenant.reservation > .zero ? tenant.registration.burst : 1)
    }
}

extension World {
    /// What each VM was promised is still its own.
    func checkAdmission() throws(Violation) {
        for report in arbiter.reports() {
            guard let tenant = checker.tenant(of: report.vm) else {
                throw checker.broken(.admission, "a VM is registered that nobody registered")
            }
            guard report.reservation == checker.tenants[tenant].reservation else {
                throw checker.broken(
                    .admission, "the reservation of VM \(tenant) changed to \(report.reservation.millihertz)")
            }
            guard report.entitlement >= report.reservation || report.limit != nil else {
                throw checker.broken(.admission, "VM \(tenant) is entitled to less than its reservation")
            }
        }
    }
}
