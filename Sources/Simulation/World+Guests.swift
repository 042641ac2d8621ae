import Arbiter
import SPModel

/// Guests: what they ask, and what they do when they are refused.
extension World {
    mutating func guestActs(_ tenant: Int) throws(Violation) {
        let plan = tenants[tenant].plan.guest
        guard !isSettling, !tenants[tenant].guest.keyIsLost else { return }
        tenants[tenant].guest.isPlanned = false
        if case .every(let interval) = plan.pace, !tenants[tenant].guest.isRetry { planGuest(tenant, after: interval) }
        // The guest's driver has one request outstanding; only a double breaks that.
        if tenants[tenant].guest.request != nil || holdsGuestTurn(tenant) {
            guard random.chance(perMille: plan.doubles) else { return tenants[tenant].guest.isRetry = false }
            // What has come due may end the first; only then is it known whether this one is an extra.
            arbiter.advance(to: now, into: &decisions)
            try settle()
            guard tenants[tenant].guest.request != nil || holdsGuestTurn(tenant) else { return }
            return try ask(tenant, isDouble: true)
        }
        tenants[tenant].guest.isRetry = false
        if tenants[tenant].guest.firstAttempt == nil { tenants[tenant].guest.firstAttempt = now }
        try ask(tenant, isDouble: false)
    }

    private func holdsGuestTurn(_ tenant: Int) -> Bool {
        turns.contains { $0.tenant == tenant && $0.life == tenants[tenant].life && $0.kind.commandClass == .guest }
    }

    private mutating func ask(_ tenant: Int, isDouble: Bool) throws(Violation) {
        guard let vm = tenants[tenant].vm else { return }
        let plan = tenants[tenant].plan.guest
        let kind = random.pick(plan.kinds)
        let id = RequestID(origin: tenants[tenant].guestOrigin, tag: newTag())
        tell?("\(stamp) VM \(tenant) asks \(id.tag): \(kind)")
        noteAsks(tenant, kind)
        var refused: RequestError?
        do {
            try arbiter.acquire(
                kind, units: 1, maxWait: told(plan.maxWait), request: id, of: vm, now: now, into: &decisions)
        } catch { refused = error }
        checker.asked(id, kind, units: 1, maxWait: plan.maxWait, tenant: tenant)
        if let refused { throw checker.broken(.mistake, "a sound guest request was an error: \(refused)") }
        if !isDouble { tenants[tenant].guest.request = id }
        if random.chance(perMille: plan.cancels) {
            let after = Nanoseconds(random.drawByMagnitude(1...1_000_000_000))
            agenda.plan(.cancel(id, tenant: tenant, life: tenants[tenant].life), at: now + after)
        }
        try settle()
    }

    mutating func planGuest(_ tenant: Int, after wait: Nanoseconds) {
        guard !tenants[tenant].guest.isPlanned else { return }
        tenants[tenant].guest.isPlanned = true
        agenda.plan(.guest(tenant: tenant, life: tenants[tenant].life), at: now + wait)
    }

    mutating func guestReleases(_ held: HeldTurn) throws(Violation) {
        guard let tenant = held.tenant else { return }
        let error = releaseTurn(held, TurnOutcome(unitsDone: 1))
        try released(held, error)
        if held.life == tenants[tenant].life { guestWasServed(tenant) }
        try settle()
    }

    mutating func releaseTurn(_ held: HeldTurn, _ outcome: TurnOutcome) -> RequestError? {
        tell?("\(stamp) turn \(held.id.number) (\(held.kind)) is returned")
        note(held.tenant, "-")
        do {
            try arbiter.release(held.id, outcome, of: held.vm, now: now, into: &decisions)
            return nil
        } catch { return error }
    }

    private mutating func guestWasServed(_ tenant: Int) {
        tenants[tenant].guest.firstAttempt = nil
        tenants[tenant].guest.refusals = 0
        guard !isSettling else { return }
        switch tenants[tenant].plan.guest.pace {
        case .silent, .every: break
        case .script(let waits):
            tenants[tenant].guest.inBurst += 1
            if tenants[tenant].guest.inBurst < waits.count {
                planGuest(tenant, after: waits[tenants[tenant].guest.inBurst])
            }
        case .loop(let think): planGuest(tenant, after: think)
        case .bursts(let size, let every):
            tenants[tenant].guest.inBurst += 1
            let isOver = tenants[tenant].guest.inBurst >= size
            if isOver { tenants[tenant].guest.inBurst = 0 }
            planGuest(tenant, after: isOver ? every : .microseconds(400))
        }
    }

    mutating func guestHeardBusy(_ tenant: Int, _ busy: Busy) throws(Violation) {
        tenants[tenant].guest.request = nil
        tenants[tenant].guest.refusals += 1
        guard busy.reason != .unregistered, busy.reason != .cancelled else {
            return guestWasServed(tenant)
        }
        guard let wait = waitAfterBusy(tenant) else {
            tenants[tenant].guest.keyIsLost = true
            return try checker.keyWasLost(tenant: tenant)
        }
        tenants[tenant].guest.isRetry = true
        tenants[tenant].guest.isPlanned = false
        planGuest(tenant, after: wait)
    }

    /// `nil` when the guest gives up.
    private func waitAfterBusy(_ tenant: Int) -> Nanoseconds? {
        let guest = tenants[tenant].guest
        if case .insists(let after) = tenants[tenant].plan.guest.afterBusy { return after }
        switch tenants[tenant].plan.registration.retryPolicy {
        case .linux:
            return switch GuestDriver.afterBusy(firstAttempt: guest.firstAttempt ?? now, now: now) {
            case .retry(let after): after
            case .keyLost: nil
            }
        case .once: return guest.refusals >= 2 ? nil : .microseconds(100)
        case .never: return nil
        }
    }

    mutating func cancel(_ request: RequestID, _ tenant: Int) throws(Violation) {
        guard let vm = tenants[tenant].vm else { return }
        tell?("\(stamp) VM \(tenant) cancels \(request.tag)")
        note(tenant, "x")
        arbiter.cancel(request, of: vm, now: now, into: &decisions)
        try settle()
        guard checker.open[request] == nil else {
            throw checker.broken(.oneReply, "request \(request.tag) waits on although it was cancelled")
        }
    }
}

/// Where a guest's driver stands.
struct GuestState {
    var request: RequestID?
    var firstAttempt: Instant?
    var refusals = 0
    var isRetry = false
    var isPlanned = false
    var keyIsLost = false
    var inBurst = 0
}
