import Arbiter

/// P4: the SP is idle while work waits only in a hold, or while a whole launch waits for an earlier session.
extension Checker {
    /// At each step, in any world: by a hold as long as there may be.
    func staysBusy() throws(Violation) {
        guard turns.isEmpty, open.eligible > 0, deviceMayBeUsed, !mayBeHeld, !onlyLongOnesWait else { return }
        throw broken(.workConserving, "the SP is idle while \(open.entries.filter(\.isEligible).map(\.kind)) wait")
    }

    /// Over the time that passed, in honest worlds: by the hold that the rules allow, to the session first in order.
    mutating func idlePasses(_ elapsed: Nanoseconds) throws(Violation) {
        guard turns.isEmpty, open.eligible > 0, deviceMayBeUsed else { return }
        guard let tenant = holder() else {
            guard !onlyLongOnesWait, knowsHolds else { return }
            throw broken(.workConserving, "the SP was idle for \(elapsed.count) ns beside eligible work, and not held")
        }
        tenants[tenant].session?.heldIdle += elapsed
        guard knowsHolds, let session = tenants[tenant].session else { return }
        let allowed = session.heldIdleAllowed
        worst.note(.workConserving, session.heldIdle.count, of: allowed.count)
        if session.heldIdle > allowed {
            throw broken(
                .workConserving, "holds of VM \(tenant) cost \(session.heldIdle.count) ns, of \(allowed.count)")
        }
    }

    /// Whether it can be told which session holds: not by size, nor where limits hide who waits.
    private var knowsHolds: Bool {
        configuration.launchOrder == .firstComeFirstServed && reservedBursts.limited == 0
    }

    /// The session for which the SP is being kept now: the first in order of those in their hold.
    func holder() -> Int? {
        var first: (tenant: Int, order: Int64)?
        for tenant in launching {
            guard let session = tenants[tenant].session, session.isIdleInHold, let ended = session.lastTurnEnded,
                first.map({ session.order < $0.order }) ?? true
            else { continue }
            if clock - ended < holdLength(tenant), session.heldIdle < session.heldIdleAllowed {
                first = (tenant, session.order)
            }
        }
        return first?.tenant
    }

    var mayBeHeld: Bool {
        launching.contains { tenant in
            guard let session = tenants[tenant].session, !session.commandIsOpen, !session.turnIsOutstanding,
                let ended = session.lastTurnEnded
            else { return false }
            return clock - ended < .milliseconds(10)
        }
    }

    /// Whether all that waits is indivisible and another session has issued something within a second.
    private var onlyLongOnesWait: Bool {
        guard open.eligible == open.eligibleLong else { return false }
        return launching.contains { tenant in
            guard let session = tenants[tenant].session, !session.commandIsOpen else { return false }
            return clock - session.lastActivity < .seconds(1)
        }
    }
}
