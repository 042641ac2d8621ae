/// Guest requests: which part of rule 6 they belong to, and whether they wait or are refused.
extension Arbiter {
    // MARK: Arrival

    mutating func enqueueGuest(
        _ kind: CommandKind, request: RequestID, deadline: Instant, slot: Int, _ decisions: inout [Decision]
    ) {
        guard virtualMachines[slot].phase == .idle else {
            decisions.append(
                .busy(request, id(ofSlot: slot), Busy(retryAfter: costs.report, reason: .oneRequestPerVM, holder: nil)))
            return
        }
        beginAttempt(slot)
        var guest = GuestRequest(
            request: request, kind: kind, cost: costs.predicted(kind, units: 1), arrivedAt: clock, deadline: deadline)
        guest.isAged = age(slot) >= Limits.agedAfter
        guest.isProtected = attemptIsProtected(slot)
        guest.limitIsWaived = virtualMachines[slot].skipsLimit || guest.isAged || guest.isProtected
        virtualMachines[slot].guest = guest
        if let reason = reasonToRefuseAllGuests {
            return refuse(slot, reason, retryAfter: Limits.retryQuantum, &decisions)
        }
        let opens = limitOpens(slot)
        guard opens > clock else { return admitToQueue(slot, &decisions) }
        guard opens - clock < virtualMachines[slot].guestWaitMax else {
            return refuse(slot, .limit, retryAfter: opens - clock, &decisions)
        }
        virtualMachines[slot].phase = .barred
        updateBacklog(slot)
        set(.limitOpens, slot, at: opens)
        setGuestWait(slot, until: clock + virtualMachines[slot].guestWaitMax)
    }

    /// A retry continues the refused request if it comes while it is expected back; else a new request begins.
    private mutating func beginAttempt(_ slot: Int) {
        guard !virtualMachines[slot].isExpectedBack(at: clock) || virtualMachines[slot].firstAttempt == nil else {
            return
        }
        virtualMachines[slot].firstAttempt = clock
        virtualMachines[slot].refusals = 0
    }

    @inline(__always)
    func age(_ slot: Int) -> Nanoseconds {
        guard let first = virtualMachines[slot].firstAttempt else { return .zero }
        return clock - first
    }

    @inline(__always)
    private func attemptIsProtected(_ slot: Int) -> Bool {
        switch virtualMachines[slot].retryPolicy {
        case .linux: false
        case .once: virtualMachines[slot].refusals >= 1
        case .never: true
        }
    }

    /// From when on the VM's own limit permits its request.
    @inline(__always)
    private func limitOpens(_ slot: Int) -> Instant {
        guard let limit = virtualMachines[slot].limit, virtualMachines[slot].guest?.limitIsWaived != true else {
            return .distantPast
        }
        return virtualMachines[slot].limitBucket.opens(tolerance: virtualMachines[slot].limitTolerance(limit))
    }

    @inline(__always)
    var reasonToRefuseAllGuests: BusyReason? {
        if isDraining { return .draining }
        return device.reasonToRefuse
    }

    // MARK: Waiting

    /// The request is inside its limit: it waits if it may, and is refused if not.
    mutating func admitToQueue(_ slot: Int, _ decisions: inout [Decision]) {
        virtualMachines[slot].phase = .queued
        updateBacklog(slot)
        chargeReservationIfConforming(slot)
        virtualMachines[slot].tag = fairShare.clamped(virtualMachines[slot].tag)
        let start = fitsBehindAll(slot) ? nil : predictedStart(slot)
        if let start, !mayWait(slot, predictedStart: start) {
            return refuse(slot, reasonToWait, retryAfter: start, &decisions)
        }
        insert(slot)
        setGuestTimers(slot)
        if let start, waitEnds(slot) == .distantFuture { foretell(slot, start, &decisions) }
    }

    /// Whether the request may wait even behind all others: then its place among them need not be looked for.
    @inline(__always)
    private func fitsBehindAll(_ slot: Int) -> Bool {
        guard let guest = virtualMachines[slot].guest, !guest.isProtected, !guest.isAged, !launchUsesSP else {
            return false
        }
        let ahead = costs.report * Int64(aged.count) + reservedByTag.totalCost + shared.totalCost
        return timeUntilFree + ahead <= guest.arrivedAt + virtualMachines[slot].guestWaitMax - clock
    }

    /// A request that waits without end is told how long that will be, lest its client give the daemon up.
    private func foretell(_ slot: Int, _ start: Nanoseconds, _ decisions: inout [Decision]) {
        guard start > .zero, let guest = virtualMachines[slot].guest else { return }
        let notice = QueueNotice(position: UInt32(aged.count + reserved.count + shared.count - 1), estimate: start)
        decisions.append(.queued(guest.request, id(ofSlot: slot), notice))
    }

    @inline(__always)
    private func mayWait(_ slot: Int, predictedStart: Nanoseconds) -> Bool {
        guard let guest = virtualMachines[slot].guest else { return false }
        if guest.isProtected { return true }
        if guest.isAged {
            return age(slot) >= Limits.lastChanceAfter || predictedStart <= configuration.guestWaitReserved
        }
        if guest.isReserved, !wasOverloaded { return true }
        return predictedStart <= guest.arrivedAt + virtualMachines[slot].guestWaitMax - clock
    }

    /// Puts the request into the part of rule 6 that it belongs to.
    private mutating func insert(_ slot: Int) {
        guard let guest = virtualMachines[slot].guest else { return }
        let tie = nextSequence()
        if guest.isAged {
            aged.set(slot, key: (clock - age(slot)).sinceBoot.count, tie: tie)
        } else if guest.isReserved {
            reserved.set(slot, key: waitsSince(slot, guest).sinceBoot.count, tie: tie)
            reservedByTag.set(slot, key: virtualMachines[slot].tag, tie: tie, cost: guest.cost)
        } else {
            shared.set(slot, key: virtualMachines[slot].tag, tie: tie, cost: guest.cost)
        }
    }

    /// A request that comes again after a restart keeps its place: it was asked for first when its VM's attempt began,
    /// and was not refused since.
    @inline(__always)
    private func waitsSince(_ slot: Int, _ guest: GuestRequest) -> Instant {
        guard !guest.isProtected, virtualMachines[slot].refusals == 0 else { return guest.arrivedAt }
        return min(virtualMachines[slot].firstAttempt ?? guest.arrivedAt, guest.arrivedAt)
    }

    private mutating func removeFromParts(_ slot: Int) {
        aged.remove(slot)
        reserved.remove(slot)
        reservedByTag.remove(slot)
        shared.remove(slot)
        patient.remove(slot)
    }

    private mutating func setGuestTimers(_ slot: Int) {
        guard let guest = virtualMachines[slot].guest else { return }
        setGuestWait(slot, until: waitEnds(slot))
        if !guest.isReserved, !guest.isAged, virtualMachines[slot].reservation > .zero {
            set(.reservationConforms, slot, at: reservationOpens(slot))
        }
        if !guest.isAged, let first = virtualMachines[slot].firstAttempt {
            let ages = first + Limits.agedAfter
            let agesFrozen = guest.arrivedAt + Limits.protectedAgedAfter
            set(.becomesAged, slot, at: guest.isProtected ? min(ages, agesFrozen) : ages)
        }
    }

    /// When the wait that was just begun ends by the Arbiter's own rules.
    @inline(__always)
    private func waitEnds(_ slot: Int) -> Instant {
        guard let guest = virtualMachines[slot].guest else { return .distantFuture }
        if guest.isProtected { return .distantFuture }
        if guest.isAged {
            return age(slot) >= Limits.lastChanceAfter ? .distantFuture : clock + configuration.guestWaitReserved
        }
        if guest.isPatient { return guest.arrivedAt + ledger.reservedWait }
        return guest.arrivedAt + virtualMachines[slot].guestWaitMax
    }

    private mutating func setGuestWait(_ slot: Int, until instant: Instant) {
        let ends = min(instant, virtualMachines[slot].guest?.deadline ?? .distantFuture)
        if wakeIsUseful(ends) { set(.guestWait, slot, at: ends) } else { clear(.guestWait, slot) }
    }

    // MARK: The reservation

    @inline(__always)
    private func reservationOpens(_ slot: Int) -> Instant {
        virtualMachines[slot].reservationBucket.opens(tolerance: virtualMachines[slot].reservationTolerance())
    }

    @discardableResult
    private mutating func chargeReservationIfConforming(_ slot: Int) -> Bool {
        guard virtualMachines[slot].reservation > .zero, let guest = virtualMachines[slot].guest else { return false }
        guard !guest.isAged, !guest.isReserved, reservationOpens(slot) <= clock else { return false }
        let before = virtualMachines[slot].reservationBucket
        virtualMachines[slot].guest?.reservationBefore = before
        virtualMachines[slot].guest?.isReserved = true
        let interval = charged(virtualMachines[slot].reservation.interval, for: guest.kind)
        virtualMachines[slot].reservationBucket.charge(interval, at: clock)
        return true
    }

    mutating func refundReservation(_ slot: Int) {
        guard let guest = virtualMachines[slot].guest, guest.isReserved else { return }
        virtualMachines[slot].reservationBucket = guest.reservationBefore
        virtualMachines[slot].guest?.isReserved = false
    }

    /// A rate is meant in reports; a kind that costs less SP time moves its bucket by less.
    @inline(__always)
    private func charged(_ interval: Nanoseconds, for kind: CommandKind) -> Nanoseconds {
        guard kind == .derivedKey else { return interval }
        let cost = costs.planned(kind, units: 1)
        return Nanoseconds(interval.count / 1_000 * cost.count / max(ledger.guestTurn.count / 1_000, 1))
    }

    // MARK: Timers

    mutating func limitOpened(_ slot: Int, _ decisions: inout [Decision]) {
        guard virtualMachines[slot].phase == .barred else { return updateBacklog(slot) }
        admitToQueue(slot, &decisions)
    }

    /// A shared request came to conform to the reservation while it waited.
    mutating func reservationConforms(_ slot: Int) {
        guard virtualMachines[slot].phase == .queued else { return }
        guard shared.contains(slot), chargeReservationIfConforming(slot) else { return }
        removeFromParts(slot)
        insert(slot)
    }

    mutating func guestAged(_ slot: Int) {
        guard virtualMachines[slot].phase == .queued else { return }
        removeFromParts(slot)
        refundReservation(slot)
        virtualMachines[slot].guest?.isAged = true
        insert(slot)
        setGuestWait(slot, until: waitEnds(slot))
    }

    mutating func guestWaitEnded(_ slot: Int, _ decisions: inout [Decision]) {
        guard let guest = virtualMachines[slot].guest, virtualMachines[slot].phase != .inService else { return }
        if guest.deadline <= clock {
            return refuse(slot, .maxWait, retryAfter: predictedStart(slot), &decisions)
        }
        if guest.isAged, age(slot) >= Limits.lastChanceAfter { return setGuestWait(slot, until: .distantFuture) }
        if !wasOverloaded, !guest.isAged, !guest.isPatient {
            if !guest.isReserved { reservationConforms(slot) }
            if virtualMachines[slot].guest?.isReserved == true {
                virtualMachines[slot].guest?.isPatient = true
                patient.set(slot, key: guest.arrivedAt.sinceBoot.count, tie: Int64(slot))
                return setGuestWait(slot, until: waitEnds(slot))
            }
        }
        refuse(slot, reasonToWait, retryAfter: predictedStart(slot), &decisions)
    }

    // MARK: Refusal

    private var reasonToWait: BusyReason {
        if wasOverloaded { return .reservationsSuspended }
        return launchUsesSP ? .launchAhead : .guestsAhead
    }

    /// BUSY, before the firmware is called. What the request had been charged is given back; its age is kept.
    mutating func refuse(
        _ slot: Int, _ reason: BusyReason, retryAfter: Nanoseconds, _ decisions: inout [Decision]
    ) {
        guard let guest = virtualMachines[slot].guest else { return }
        let holder = reason == .limit ? nil : (recent.first.map { id(ofSlot: $0) } ?? turn?.vm)
        decisions.append(
            .busy(guest.request, id(ofSlot: slot), Busy(retryAfter: retryAfter, reason: reason, holder: holder)))
        endWaiting(slot)
        virtualMachines[slot].refusedAt = clock
        virtualMachines[slot].refusals += 1
        virtualMachines[slot].counters.refusals += 1
        totals.refusals += 1
        set(.backlogEnds, slot, at: clock + Limits.backlogMemory)
        updateBacklog(slot)
    }

    /// The request vanishes without an answer: its client is gone.
    mutating func withdrawGuest(_ slot: Int) {
        endWaiting(slot)
        updateBacklog(slot)
    }

    private mutating func endWaiting(_ slot: Int) {
        removeFromParts(slot)
        refundReservation(slot)
        clearGuestTimers(slot)
        virtualMachines[slot].guest = nil
        virtualMachines[slot].phase = .idle
    }

    private mutating func clearGuestTimers(_ slot: Int) {
        clear(.guestWait, slot)
        clear(.limitOpens, slot)
        clear(.reservationConforms, slot)
        clear(.becomesAged, slot)
    }

    mutating func refuseAllGuests(_ reason: BusyReason, _ decisions: inout [Decision]) {
        for slot in virtualMachines.indices {
            let phase = virtualMachines[slot].phase
            guard phase == .queued || phase == .barred else { continue }
            refuse(slot, reason, retryAfter: Limits.retryQuantum, &decisions)
        }
    }

    func waitingGuest(_ slot: Int, is matches: (RequestID) -> Bool) -> Bool {
        let phase = virtualMachines[slot].phase
        guard phase == .queued || phase == .barred, let guest = virtualMachines[slot].guest else { return false }
        return matches(guest.request)
    }

    /// Launches crossed their reserve, one way or the other. When reservations become suspended, so does the long wait.
    @inline(__always)
    mutating func noticeOverload(_ decisions: inout [Decision]) {
        if wasOverloaded || overload.mayBeOverloaded { noticeChangeOfOverload(&decisions) }
    }

    private mutating func noticeChangeOfOverload(_ decisions: inout [Decision]) {
        let isOverloaded = overload.isOverloaded(at: clock)
        guard isOverloaded != wasOverloaded else { return }
        wasOverloaded = isOverloaded
        guard isOverloaded else { return }
        while let slot = patient.first {
            patient.remove(slot)
            if virtualMachines[slot].guest?.isProtected == true { continue }
            refuse(slot, .reservationsSuspended, retryAfter: predictedStart(slot), &decisions)
        }
    }

    // MARK: Service

    mutating func grantGuest(
        _ slot: Int, _ part: GuestPart, byFloor: Bool, beside: Bool, _ decisions: inout [Decision]
    ) {
        guard let guest = virtualMachines[slot].guest else { return }
        floor.isOwedInFull = byFloor
        removeFromParts(slot)
        clearGuestTimers(slot)
        clear(.backlogEnds, slot)
        if part == .shared { refundReservation(slot) }
        chargeLimit(slot, guest)
        virtualMachines[slot].guestIsServed()
        updateBacklog(slot)
        let wait = beside ? costs.launchPage : .zero
        start(
            guest.kind, units: 1, predicted: guest.cost + wait, of: slot, request: guest.request, guestPart: part,
            beside: beside, &decisions)
    }

    private mutating func chargeLimit(_ slot: Int, _ guest: GuestRequest) {
        guard let limit = virtualMachines[slot].limit else { return }
        if virtualMachines[slot].skipsLimit {
            virtualMachines[slot].skipsLimit = false
            virtualMachines[slot].lastSkip = clock
            // Nothing is to be given back if the grant is taken back, whenever the skip came.
            virtualMachines[slot].guest?.limitIsWaived = true
            return
        }
        // From its arrival, as the reservation: a wait inside a reservation costs the limit nothing.
        virtualMachines[slot].limitBucket.charge(
            charged(limit.interval, for: guest.kind), at: guest.arrivedAt, notBeyond: clock + Limits.limitChargedAhead)
    }

    mutating func guestTurnEnded(_ turn: Turn, slot: Int?, occupancy: Nanoseconds) {
        totals.guestTurns += 1
        totals.guestService += occupancy
        guard let slot else { return }
        if turn.guestPart == .shared {
            virtualMachines[slot].tag = fairShare.serve(
                occupancy, weight: virtualMachines[slot].weight, tag: virtualMachines[slot].tag)
            var leastQueued: Int64?
            if let first = shared.first { leastQueued = shared.key(of: first) }
            fairShare.follow(served: virtualMachines[slot].tag, leastQueued: leastQueued)
            if fairShare.isFarAhead(of: virtualMachines[slot].tag) {
                var mostQueued: Int64?
                if let last = shared.last { mostQueued = shared.key(of: last) }
                fairShare.fallBack(served: virtualMachines[slot].tag, mostQueued: mostQueued)
            }
        }
        virtualMachines[slot].guestTurnEnded(occupancy)
        updateBacklog(slot)
    }

    /// Its grant never reached its client, which asks again: it is as if it still waited, and was refused just now.
    mutating func guestTurnTakenBack(_ slot: Int) {
        guard let guest = virtualMachines[slot].guest else { return }
        refundReservation(slot)
        if let limit = virtualMachines[slot].limit, !guest.limitIsWaived {
            let before = virtualMachines[slot].limitBucket.theoreticalArrival - charged(limit.interval, for: guest.kind)
            virtualMachines[slot].limitBucket = CellRate(chargedUntil: max(before, .distantPast))
        }
        virtualMachines[slot].firstAttempt = guest.isAged ? clock - Limits.agedAfter : guest.arrivedAt
        virtualMachines[slot].keepAge(of: guest)
        virtualMachines[slot].refusedAt = clock
        virtualMachines[slot].guest = nil
        virtualMachines[slot].phase = .idle
        set(.backlogEnds, slot, at: clock + Limits.backlogMemory)
        updateBacklog(slot)
    }

    // MARK: Who waits

    /// Brings the VM's part in the sum of weights and among the floor's waiters in line with its state.
    mutating func updateBacklog(_ slot: Int) {
        let isExpected = virtualMachines[slot].isExpectedBack(at: clock)
        let isBacklogged = virtualMachines[slot].phase != .idle || isExpected
        if isBacklogged != virtualMachines[slot].isBacklogged {
            virtualMachines[slot].isBacklogged = isBacklogged
            if isBacklogged {
                fairShare.join(virtualMachines[slot].weight)
            } else {
                fairShare.leave(virtualMachines[slot].weight)
            }
        }
        let waits = waitsForFloor(slot, isExpected: isExpected)
        if waits != virtualMachines[slot].isWaitingForFloor {
            virtualMachines[slot].isWaitingForFloor = waits
            floorWaiters += waits ? 1 : -1
        }
    }

    private mutating func waitsForFloor(_ slot: Int, isExpected: Bool) -> Bool {
        switch virtualMachines[slot].phase {
        case .queued, .inService: return true
        case .barred: return false
        case .idle:
            guard isExpected else { return false }
            let opens = limitOpens(slot)
            if opens > clock { set(.limitOpens, slot, at: opens) }
            return opens <= clock
        }
    }

    // MARK: Prediction

    /// How long until this request would start: what is before it, and while launches run the faster of their end and
    /// the floor.
    @inline(__always)
    func predictedStart(_ slot: Int) -> Nanoseconds {
        let ahead = ahead(of: slot)
        let busy = timeUntilFree
        guard launchUsesSP else { return busy + ahead }
        // What the turn in service has done is still part of what its session has to do.
        var done = Nanoseconds.zero
        if let turn, turn.kind.commandClass == .launch { done = turn.predicted - turn.remaining(at: clock) }
        let afterLaunches = max(busy, sessions.totalCost - done) + ahead
        // The bucket grows meanwhile; beside a whole launch the guest need not wait for the end of the turn.
        let inTheWay = turn?.isWholeLaunch == true ? turnBeside?.remaining(at: clock) ?? .zero : busy
        return min(afterLaunches, max(inTheWay, floor.timeToCover(ahead + ledger.guestTurn)))
    }

    /// Until the turns that are outstanding are expected to end.
    @inline(__always)
    private var timeUntilFree: Nanoseconds {
        max(turn?.remaining(at: clock) ?? .zero, turnBeside?.remaining(at: clock) ?? .zero)
    }

    /// Whether a launch has the SP, is ready for it, or has it held. One that thinks longer than its hold does not
    /// count: guests are served meanwhile, however much it declared.
    @inline(__always)
    private var launchUsesSP: Bool {
        turn?.kind.commandClass == .launch || heldFor != nil || !ready.isEmpty || !readyLong.isEmpty
    }

    /// The cost of all that is served before this request, as things stand.
    @inline(__always)
    private func ahead(of slot: Int) -> Nanoseconds {
        let agedCost = costs.report * Int64(aged.count)
        guard let guest = virtualMachines[slot].guest, !guest.isAged else { return agedCost }
        let tag = virtualMachines[slot].tag
        let sharedBefore = shared.before(key: tag, tie: .max).cost
        if wasOverloaded { return agedCost + sharedBefore + reservedByTag.before(key: tag, tie: .max).cost }
        // A reserved request goes by arrival: all that are reserved and already here are before it.
        return agedCost + reservedByTag.totalCost + (guest.isReserved ? .zero : sharedBefore)
    }
}
