/// How one VM stands with the rules now: what its buckets hold and what its guest waits for.
public struct VMStanding: Equatable, Sendable {
    public var account: AccountID
    public var reservation: Rate
    public var limit: Rate?
    public var weight: Weight
    public var burst: Int64
    public var retryPolicy: RetryPolicy
    public var guestWaitMax: Nanoseconds
    public var counters: VMCounters

    /// Requests that would be inside the reservation if they came now, and how long until the next is; both zero
    /// without a reservation, the second also while one is.
    public var reservedRequests: Int64
    public var reservationOpensIn: Nanoseconds
    /// How long until the limit permits a request; zero while it does, or without a limit.
    public var limitOpensIn: Nanoseconds
    /// The next request skips the limit, because a launch has just ended.
    public var skipsLimit: Bool

    public var guest: VMReport.Activity
    /// Since the first attempt of the request that waits or was refused; zero if there is none.
    public var age: Nanoseconds
    /// How often that request was refused.
    public var refusalsInARow: Int
    /// The next attempt is not refused, whatever stands before it: the retry policy says so.
    public var isProtected: Bool
    /// Predicted time until the waiting request starts; `nil` if none waits for the SP.
    public var predictedStart: Nanoseconds?

    /// SP time of launches that the VM has not paid off, and its account.
    public var launchDebt: Nanoseconds
    public var launchDebtOfAccount: Nanoseconds
    /// Pages granted and declared of the launch session that is open.
    public var launch: LaunchProgress?
}

public struct LaunchProgress: Equatable, Sendable {
    public var session: SessionID
    public var pagesGranted: UInt32
    public var pagesDeclared: UInt32
    public var openFor: Nanoseconds
    /// A command waits for its turn.
    public var isWaiting: Bool
}

extension Arbiter {
    /// One VM, without dividing the capacity; `nil` when it is not registered.
    public func standing(of vm: VMID, now: Instant) -> VMStanding? {
        guard let slot = existingSlot(of: vm) else { return nil }
        let now = max(now, clock)
        let vm = virtualMachines[slot]
        let account = accounts[Int(vm.account.slot)]
        return VMStanding(
            account: vm.account, reservation: vm.reservation, limit: vm.limit, weight: vm.weight, burst: vm.burst,
            retryPolicy: vm.retryPolicy, guestWaitMax: vm.guestWaitMax, counters: vm.counters,
            reservedRequests: reservedRequests(vm, now), reservationOpensIn: reservationOpensIn(vm, now),
            limitOpensIn: limitOpensIn(vm, now), skipsLimit: vm.skipsLimit, guest: vm.activity,
            age: vm.firstAttempt.map { now - $0 } ?? .zero, refusalsInARow: vm.refusals,
            isProtected: vm.retryPolicy == .never || (vm.retryPolicy == .once && vm.refusals >= 1),
            predictedStart: vm.phase == .queued ? predictedStart(slot) : nil,
            launchDebt: vm.launchDebt.level(at: now, configuration.launchBucketVM),
            launchDebtOfAccount: account?.launchDebt.level(at: now, configuration.launchBucketAccount) ?? .zero,
            launch: vm.session.map { progress($0, now) })
    }

    private func reservationOpensIn(_ vm: VirtualMachine, _ now: Instant) -> Nanoseconds {
        guard vm.reservation > .zero else { return .zero }
        return max(vm.reservationBucket.opens(tolerance: vm.reservationTolerance()) - now, .zero)
    }

    private func reservedRequests(_ vm: VirtualMachine, _ now: Instant) -> Int64 {
        guard vm.reservation > .zero, reservationOpensIn(vm, now) == .zero else { return 0 }
        let unused = now - vm.reservationBucket.opens(tolerance: vm.reservationTolerance())
        return min(unused.count / max(vm.reservation.interval.count, 1) + 1, vm.burst)
    }

    private func limitOpensIn(_ vm: VirtualMachine, _ now: Instant) -> Nanoseconds {
        guard let limit = vm.limit, !vm.skipsLimit else { return .zero }
        return max(vm.limitBucket.opens(tolerance: vm.limitTolerance(limit)) - now, .zero)
    }

    private func progress(_ session: LaunchSession, _ now: Instant) -> LaunchProgress {
        LaunchProgress(
            session: session.id, pagesGranted: session.pagesGranted, pagesDeclared: session.plan.pages,
            openFor: now - session.startedAt, isWaiting: session.command != nil)
    }
}

extension VirtualMachine {
    var activity: VMReport.Activity {
        switch phase {
        case .barred, .queued: .waiting
        case .inService: .inService
        case .idle: isBacklogged ? .refused : .idle
        }
    }
}
