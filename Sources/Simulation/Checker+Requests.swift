import Arbiter

/// Each request gets exactly one terminal reply.
extension Checker {
    mutating func asked(
        _ id: RequestID, _ kind: CommandKind, units: UInt32, maxWait: Nanoseconds?, tenant: Int?
    ) {
        let isGuest = kind.commandClass == .guest
        var isExtra = false
        if isGuest, let tenant { isExtra = hasGuestOutstanding(tenant) }
        var request = OpenRequest(
            id: id, tenant: tenant, kind: kind, units: units, arrivedAt: clock,
            deadline: maxWait.map { clock + $0 } ?? .distantFuture, isExtra: isExtra,
            firstAttempt: tenant.flatMap { tenants[$0].firstAttempt } ?? clock)
        request.isLong = kind == .wholeLaunch || kind == .launchFinish && units > configuration.chunkPages
        if let tenant, isGuest {
            request.isEligible = tenants[tenant].registration.limit == nil
            request.longestWait = longestWait(tenant, request)
            if !isExtra {
                if tenants[tenant].firstAttempt == nil { tenants[tenant].firstAttempt = clock }
                request.isInsideReservation = isInsideReservation(tenant)
                request.platformBefore = floorWindow.platformStarted
                if isHonest { fairness.asked(tenant, at: clock) }
            }
        }
        open.append(request)
    }

    private func hasGuestOutstanding(_ tenant: Int) -> Bool {
        open.hasGuest(of: tenant) || turns.contains { $0.tenant == tenant && $0.commandClass == .guest }
    }

    /// How long a guest's request may wait, where the rules say it without knowing any level.
    private func longestWait(_ tenant: Int, _ request: OpenRequest) -> Nanoseconds? {
        let view = tenants[tenant]
        guard view.registration.retryPolicy == .linux, view.reservation == .zero else { return nil }
        // A request that ages while it waits is given the reserved wait once more.
        let agesAt = request.firstAttempt + Limits.agedAfter
        guard clock + view.guestWaitMax < agesAt else { return nil }
        return view.guestWaitMax + Nanoseconds(1)
    }

    /// The request was answered with an error: that is its reply.
    mutating func erred(_ id: RequestID) { open.remove(id) }

    mutating func decided(_ decision: Decision) throws(Violation) {
        switch decision {
        case .granted(let id, let vm, let grant): try granted(id, vm, grant)
        case .busy(let id, let vm, let busy): try refused(id, vm, busy)
        case .failed(let id, let vm, let error):
            _ = try close(id, vm, "an error (\(error))")
        case .queued(let id, let vm, _):
            guard let request = open[id], matches(request, vm) else {
                throw broken(.oneReply, "a notice of its place for request \(id.tag), which does not wait")
            }
        case .revoked(let turn, _, _): try revoked(turn)
        case .probe:
            guard !probeIsUnderWay else { throw broken(.oneTurn, "a second probe beside the first") }
            probeIsUnderWay = true
        case .deviceState(let state): device = state
        case .sessionEnded(let session, let vm, _):
            // A VM that goes may still hear of what came due just before.
            guard let tenant = tenant(of: vm) else { return }
            guard tenants[tenant].session?.id == session else {
                throw broken(.mistake, "session \(session.number) ended, and was not open")
            }
            sessionVanished(tenant)
        }
    }

    private mutating func revoked(_ turn: TurnID) throws(Violation) {
        guard let held = turns.first(where: { $0.id == turn }) else {
            throw broken(.oneTurn, "turn \(turn.number) was revoked and is not outstanding")
        }
        guard clock >= held.grantedAt + held.lease else {
            throw broken(.oneTurn, "turn \(turn.number) was revoked before its lease ended")
        }
        try ended(turn, service: nil)
    }

    private func matches(_ request: OpenRequest, _ vm: VMID) -> Bool {
        guard let tenant = request.tenant else { return vm == .none }
        return tenants[tenant].vm == vm || tenants[tenant].vm == nil
    }

    private mutating func close(
        _ id: RequestID, _ vm: VMID, _ reply: @autoclosure () -> String
    ) throws(Violation) -> OpenRequest {
        guard let request = open[id] else {
            throw broken(.oneReply, "\(reply()) for request \(id.tag), which is not open")
        }
        guard matches(request, vm) else {
            throw broken(.oneReply, "\(reply()) for request \(id.tag) names another VM")
        }
        open.remove(id)
        if request.commandClass == .launch, let tenant = request.tenant {
            tenants[tenant].session?.commandIsOpen = false
            tenants[tenant].session?.lastActivity = clock
        }
        return request
    }

    private mutating func refused(_ id: RequestID, _ vm: VMID, _ busy: Busy) throws(Violation) {
        let request = try close(id, vm, "BUSY (\(busy.reason))")
        counts.refusals += 1
        guard busy.retryAfter >= .zero else { throw broken(.oneReply, "BUSY with a negative retry_after") }
        guard (busy.reason == .oneRequestPerVM) == request.isExtra || !deviceMayBeUsed || isDraining else {
            throw broken(.oneReply, "request \(id.tag), \(request.isExtra ? "an" : "no") extra one: \(busy.reason)")
        }
        if busy.reason == .maxWait, clock < request.deadline {
            throw broken(.timeOut, "request \(id.tag) was refused for its client's time-out, before it")
        }
        if let tenant = request.tenant, request.commandClass == .launch { tenants[tenant].session?.isIrregular = true }
        if request.isExtra { return }
        try promisedReservation(request, endedBy: busy.reason)
        try promisedPatience(request, isRefused: true)
        guard isHonest, request.commandClass == .guest, let tenant = request.tenant else { return }
        fairness.refused(tenant, at: clock)
    }

    private mutating func granted(_ id: RequestID, _ vm: VMID, _ grant: Grant) throws(Violation) {
        let request = try close(id, vm, "a grant")
        counts.grants += 1
        try isSound(grant, request, vm)
        try begun(request, vm, grant)
        try promisedReservation(request, endedBy: nil)
        try promisedPatience(request, isRefused: false)
        guard let tenant = request.tenant, request.commandClass == .guest else { return }
        try staysInLimit(request, tenant)
        tenants[tenant].firstAttempt = nil
        if isHonest { fairness.granted(tenant) }
    }

    private func isSound(_ grant: Grant, _ request: OpenRequest, _ vm: VMID) throws(Violation) {
        guard deviceMayBeUsed else { throw broken(.soundGrant, "a turn on a device that is \(device)") }
        if let tenant = request.tenant, tenants[tenant].vm != vm {
            throw broken(.soundGrant, "a turn for a VM that is gone")
        }
        guard !request.isWithdrawn else { throw broken(.soundGrant, "a turn for a client that hung up") }
        guard !(isDraining && request.commandClass == .guest) else {
            throw broken(.soundGrant, "a guest's turn while draining")
        }
        guard grant.kind == request.kind, grant.units >= 1, grant.units <= request.units else {
            throw broken(.soundGrant, "\(grant.units) of \(grant.kind), asked \(request.units) of \(request.kind)")
        }
        guard grant.kind != .launchUpdate || grant.units <= configuration.chunkPages else {
            throw broken(.soundGrant, "a turn of \(grant.units) pages, more than a chunk")
        }
        guard grant.lease > .zero, grant.startWithin > .zero, grant.startWithin < grant.lease else {
            throw broken(.soundGrant, "a lease of \(grant.lease.count) ns, start within \(grant.startWithin.count) ns")
        }
        guard clock <= request.deadline else { throw broken(.timeOut, "a turn after the client's time-out") }
    }
}
