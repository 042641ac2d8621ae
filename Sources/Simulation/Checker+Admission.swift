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
        view.reservedWait = admission.guestWaitReserved
        view.guestWaitMax = admission.guestWaitMax
        tenants[tenant] = view
        try promisesFit()
    }

    private func promisesFit() throws(Violation) {
        let cost = configuration.planningCosts.report.count
        var reserved: Int64 = 0
        var count: Int64 = 0
        var isImpatient = false
        for tenant in tenants where tenant.vm != nil {
            reserved += tenant.reservation.millihertz
            count += 1
            if tenant.registration.retryPolicy != .linux { isImpatient = true }
        }
        let left = configuration.capacityPerSecond - configuration.launchReservePerSecond
        if reserved * cost / 1_000 > left.count {
            throw broken(.admission, "\(reserved) mHz are reserved, more than fits")
        }
        let largest = LargestOccupancies(configuration)
        let turns = count * (isImpatient ? 2 : 1) * cost * 1_000 / configuration.floorShare.perMille
        let patience = Nanoseconds(turns) + configuration.floorDelay + largest.launch
        if patience > .seconds(20) {
            throw broken(.admission, "with \(count) VMs a guest may have to wait \(patience.count) ns")
        }
    }

    /// Before the decisions that its going brought about.
    mutating func departed(_ tenant: Int) throws(Violation) {
        let vm = tenants[tenant].vm
        for turn in turns where turn.vm == vm && !turn.isProxy { try ended(turn.id, service: nil) }
        tenants[tenant].session = nil
        tenants[tenant].vm = nil
        tenants[tenant].firstAttempt = nil
    }

    mutating func hungUp(origin: UInt64, tenant: Int) throws(Violation) {
        for turn in turns
        where turn.tenant == tenant && turn.vm == tenants[tenant].vm && turn.origin == origin && !turn.isProxy {
            try ended(turn.id, service: nil)
        }
        for index in open.indices where open[index].tenant == tenant && open[index].id.origin == origin {
            open[index].isWithdrawn = true
            if open[index].commandClass == .launch {
                tenants[tenant].session?.commandIsOpen = false
                tenants[tenant].session?.isIrregular = true
            }
        }
        tenants[tenant].session?.hungUp = true
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
