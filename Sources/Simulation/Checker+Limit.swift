import Arbiter

/// Rule 5.3: no VM is served beyond its limit, but for what the rules waive.
extension Checker {
    mutating func staysInLimit(_ request: OpenRequest, _ tenant: Int) throws(Violation) {
        let view = tenants[tenant]
        guard let limit = view.registration.limit else { return }
        let interval = limit.interval
        let tolerance = max(interval * (view.registration.burst - 1), Limits.retryQuantum)
        if !limitMayBeWaived(request, view), view.limitArrival - tolerance > clock {
            throw broken(
                .limit, "VM \(tenant) was served \((view.limitArrival - tolerance - clock).count) ns before its limit")
        }
        // A kind that costs less moves the bucket by less: nothing is said of a VM that mixes them.
        tenants[tenant].limitArrival =
            request.kind == .derivedKey ? .distantPast : max(view.limitArrival, request.arrivedAt) + interval
    }

    private func limitMayBeWaived(_ request: OpenRequest, _ view: TenantView) -> Bool {
        // It may have been waived for a launch before: then the bucket was not charged, and ours is fuller.
        guard view.registration.retryPolicy == .linux, !view.hasLaunched else { return true }
        return clock - request.firstAttempt >= Limits.agedAfter
    }
}
