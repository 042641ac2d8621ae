import Arbiter

/// P6 and P7: requests inside a reservation, and the patience of guests.
extension Checker {
    // MARK: P6

    /// Charges the checker's own bucket. A VM that ever asks for more than it reserved is left out from then on.
    mutating func isInsideReservation(_ tenant: Int) -> Bool {
        let view = tenants[tenant]
        guard view.reservation > .zero, !view.exceedsReservation else { return false }
        let interval = view.reservation.interval
        guard view.theoreticalArrival - interval * (view.registration.burst - 1) <= clock else {
            tenants[tenant].exceedsReservation = true
            return false
        }
        tenants[tenant].theoreticalArrival = max(view.theoreticalArrival, clock) + interval
        return true
    }

    mutating func promisedReservation(_ request: OpenRequest, endedBy reason: BusyReason?) throws(Violation) {
        guard isHonest, request.isInsideReservation, !launchWork.wasExceeded, let tenant = request.tenant else {
            return
        }
        let wait = clock - request.arrivedAt
        let bound = reservedWaitBound(platformCommands: floorWindow.platformStarted - request.platformBefore)
        worst.note(.reservation, wait.count, of: bound.count)
        if wait > bound {
            throw broken(
                .reservation, "VM \(tenant) waited \(wait.count) ns inside its reservation, bound \(bound.count)")
        }
        // The Arbiter's own time-out does not know of platform commands to come.
        if let reason, floorWindow.platformStarted == request.platformBefore {
            throw broken(.reservation, "VM \(tenant) was refused inside its reservation: \(reason)")
        }
    }

    /// (β_L + max(s_l, s_g, s_o) + Σ b·s_g + N₀·s_g + s_o per platform command) / R
    private func reservedWaitBound(platformCommands: Int64) -> Nanoseconds {
        let work =
            configuration.launchBurst + max(largest.launch, largest.guest, largest.platform)
            + largest.guest * reservedBursts.guests + largest.platform * platformCommands
        let left = configuration.capacityPerSecond - configuration.launchReservePerSecond
        return Nanoseconds(work.count * 1_000 / (left.count / 1_000_000))
    }

    // MARK: P7

    /// A guest is frozen while it waits, and gives up when it was refused for 60 s.
    mutating func promisedPatience(_ request: OpenRequest, isRefused: Bool) throws(Violation) {
        guard isHonest, request.commandClass == .guest else { return }
        let frozen = clock - request.arrivedAt
        worst.note(.patience, frozen.count, of: Limits.frozenMax.count)
        if isRefused { worst.note(.patience, (clock - request.firstAttempt).count, of: Self.givesUpAfter.count) }
        if frozen > Limits.frozenMax { throw broken(.patience, "a guest waited frozen for \(frozen.count) ns") }
    }

    private static let givesUpAfter = Nanoseconds.seconds(60)

    /// A guest's driver gave up: it will never attest again.
    mutating func keyWasLost(tenant: Int) throws(Violation) {
        guard isHonest else { return }
        throw broken(.patience, "the guest of VM \(tenant) lost its key (\(tenants[tenant].registration.retryPolicy))")
    }
}
