import Arbiter

/// The operator, the device and the host: platform commands, VMs that come and go, probes, and what goes wrong.
extension World {
    // MARK: VMs

    mutating func arrive(_ tenant: Int) throws(Violation) {
        guard tenants[tenant].vm == nil, !isSettling else { return }
        let plan = tenants[tenant].plan
        do {
            let admission = try arbiter.register(
                plan.registration, account: accounts[plan.account], now: now)
            tenants[tenant].life += 1
            tenants[tenant].vm = admission.vm
            tenants[tenant].guest = GuestState()
            tenants[tenant].launch = LaunchState()
            tell?("\(stamp) VM \(tenant) registers, reserves \(admission.reservation.millihertz) mHz")
            try checker.registered(plan.registration, admission, tenant: tenant)
        } catch let refusal as AdmissionRefusal {
            tell?("\(stamp) VM \(tenant) is refused: \(refusal)")
            return
        } catch {
            throw error as! Violation
        }
        if plan.guest.pace != .silent { planGuest(tenant, after: plan.guest.starts) }
        if let launch = plan.launch { planClient(tenant, after: launch.starts) }
        try settle()
    }

    mutating func depart(_ tenant: Int) throws(Violation) {
        guard let vm = tenants[tenant].vm else { return }
        tell?("\(stamp) VM \(tenant) unregisters")
        note(tenant, "q")
        arbiter.unregister(vm, now: now, into: &decisions)
        try checker.departed(tenant)
        tenants[tenant].vm = nil
        tenants[tenant].guest = GuestState()
        tenants[tenant].launch = LaunchState()
        forgetTurnsThatEnded()
        try settle()
        if let left = checker.open.entries.first(where: { $0.tenant == tenant }) {
            throw checker.broken(.oneReply, "request \(left.id.tag) of a VM that unregistered got no reply")
        }
    }

    /// One of the VM's two connections breaks: the guest's, or the one over which it is launched.
    mutating func hangUp(_ tenant: Int) throws(Violation) {
        guard let vm = tenants[tenant].vm else { return }
        let isGuests = !tenants[tenant].launch.isDead && random.chance(perMille: 500)
        let origin = isGuests ? tenants[tenant].guestOrigin : tenants[tenant].launchOrigin
        tell?("\(stamp) VM \(tenant) hangs up its \(isGuests ? "guest's" : "launch's") connection")
        note(tenant, "!")
        arbiter.hangUp(origin: origin, of: vm, now: now, into: &decisions)
        try checker.hungUp(origin: origin, tenant: tenant)
        forgetTurnsThatEnded()
        if isGuests {
            tenants[tenant].guest = GuestState()
            planGuest(tenant, after: .milliseconds(5))
        } else {
            tenants[tenant].launch.request = nil
            tenants[tenant].launch.turn = nil
            tenants[tenant].launch.isDead = true
        }
        try settle()
    }

    private mutating func forgetTurnsThatEnded() {
        turns.removeAll { held in !checker.turns.contains { $0.id == held.id } }
    }

    // MARK: Platform

    mutating func platformActs() throws(Violation) {
        guard !isSettling, let every = scenario.platformEvery else { return }
        agenda.plan(.platform, at: now + Nanoseconds(random.below(every.count * 2) + 1))
        let id = RequestID(origin: .max, tag: newTag())
        let kind = random.pick([CommandKind.platformStatus, .platformCommand])
        tell?("\(stamp) the operator asks \(id.tag): \(kind)")
        noteAsks(nil, kind)
        do { try arbiter.acquirePlatform(kind, request: id, now: now, into: &decisions) } catch {
            throw checker.broken(.mistake, "a platform command was an error: \(error)")
        }
        checker.asked(id, kind, units: 1, maxWait: nil, tenant: nil)
        platformRequests.append(id)
        try settle()
    }

    mutating func platformReleases(_ held: HeldTurn) throws(Violation) {
        tell?("\(stamp) turn \(held.id.number) (\(held.kind)) is returned")
        var refused: RequestError?
        do { try arbiter.releasePlatform(held.id, now: now, into: &decisions) } catch { refused = error }
        try released(held, refused)
        try settle()
    }

    // MARK: Reloads

    /// The same configuration, one of which no rule that is checked knows, or one that must be refused: whatever the
    /// moment, all that was promised and reckoned by the checker holds on.
    mutating func reload() throws(Violation) {
        guard !isSettling, let every = scenario.reloadEvery else { return }
        agenda.plan(.reload, at: now + Nanoseconds(random.below(every.count * 2) + 1))
        var other = arbiter.configuration
        switch random.below(3) {
        case 0: break
        case 1:
            other.guestWaitMax = .milliseconds(random.below(2_000) + 1)
            other.accountReservationMax = .perSecond(9_000 + random.below(1_000))
            other.launchBucketVM.burst += .milliseconds(1)
        default: other.capacityPerSecond = other.launchReservePerSecond + .milliseconds(1)
        }
        let mustBeRefused = !arbiter.objections(to: other).isEmpty
        // A smaller capacity that nobody minds yet would be minded by the checker, which goes on with the first.
        guard mustBeRefused || other.capacityPerSecond == arbiter.configuration.capacityPerSecond else { return }
        tell?("\(stamp) the operator reloads, which is \(mustBeRefused ? "refused" : "applied")")
        var isRefused = false
        do { try arbiter.reconfigure(other, now: now, into: &decisions) } catch { isRefused = true }
        guard isRefused == mustBeRefused else {
            throw checker.broken(.mistake, "a reload was \(isRefused ? "refused" : "applied"), against what was said")
        }
        checker.counts.reloads += 1
        try settle()
    }

    // MARK: Probes

    mutating func planProbe() {
        let plan = scenario.disturbances
        var outcome = ProbeOutcome.returned
        if !isSettling {
            if random.chance(perMille: plan.deadProbes) {
                outcome = .dead
            } else if random.chance(perMille: plan.unavailableProbes) {
                outcome = .unavailable
            }
        }
        let isLate = !isSettling && random.chance(perMille: plan.lateProbes)
        let takes =
            isLate ? random.draw(.seconds(2) ... .seconds(6)) : random.draw(.microseconds(100) ... .milliseconds(30))
        agenda.plan(.probeReturns(outcome), at: now + takes)
    }

    mutating func probeReturns(_ outcome: ProbeOutcome) throws(Violation) {
        tell?("\(stamp) the probe: \(outcome)")
        arbiter.probeReturned(outcome, now: now, into: &decisions)
        checker.probeIsUnderWay = false
        try settle()
    }

    // MARK: What goes wrong

    mutating func disturb() throws(Violation) {
        guard !isSettling else { return }
        let plan = scenario.disturbances
        agenda.plan(.disturb, at: now + Nanoseconds(random.below(plan.every.count * 2) + 1))
        let tenant = Int(random.below(Int64(tenants.count)))
        switch random.pick(plan.kinds) {
        case .hangUp: if tenants[tenant].vm != nil { try hangUp(tenant) }
        case .churn: if tenants[tenant].vm == nil { try arrive(tenant) } else { try depart(tenant) }
        case .drain: try drain()
        case .suspend: now += Nanoseconds(random.drawByMagnitude(1...20_000_000_000))
        case .clockStepsBack: try callFromThePast()
        case .mistakes: try makeMistakes(tenant)
        case .absence: try changePresence()
        }
    }

    private mutating func drain() throws(Violation) {
        tell?("\(stamp) drain")
        note(nil, "d")
        arbiter.drain(now: now, into: &decisions)
        checker.isDraining = true
        agenda.plan(.resume, at: now + Nanoseconds(random.drawByMagnitude(1...2_000_000_000)))
        try settle()
    }

    mutating func resume() throws(Violation) {
        tell?("\(stamp) resume")
        arbiter.resume(now: now, into: &decisions)
        checker.isDraining = false
        try settle()
    }

    private mutating func changePresence() throws(Violation) {
        tell?("\(stamp) the device node \(checker.device == .absent ? "comes" : "goes")")
        arbiter.devicePresence(isPresent: checker.device == .absent, now: now, into: &decisions)
        try settle()
    }

    /// A caller whose clock is behind: time stands, and nothing is undone.
    private mutating func callFromThePast() throws(Violation) {
        arbiter.advance(to: now, into: &decisions)
        try settle()
        let past = now - Nanoseconds(random.drawByMagnitude(1...5_000_000_000))
        arbiter.advance(to: past, into: &decisions)
        try settle()
    }

    /// At the end everything is well again, so that what is still open can come to its end.
    mutating func endDisturbances() {
        if checker.isDraining { agenda.plan(.resume, at: now) }
        // Whoever held a turn in silence is found out by its connection, at the latest now.
        for tenant in tenants.indices where tenants[tenant].launch.isDead {
            agenda.plan(.hangUp(tenant: tenant, life: tenants[tenant].life), at: now)
        }
    }
}
