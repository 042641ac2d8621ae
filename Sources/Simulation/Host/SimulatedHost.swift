import Arbiter
import SPModel

/// A host in virtual time: the SP behind the kernel's mutex, VMs that attest and VMs that are launched, and a policy.
///
/// ```
///   agenda (guests, VMMs, bursts) ──► policy: mutex, limit, priority or the production Arbiter
///        ▲                                │ may go
///        │                                ▼
///        └──── what they do next ◄── SecureProcessor, page by page
/// ```
///
/// Deterministic by the plan's seed; integers only.
public struct SimulatedHost: ~Copyable {
    public let plan: HostPlan
    /// What happened so far; whole once `isDone`.
    public private(set) var record: HostRecord
    private var now = Self.boot

    /// When the warm-up begins, on the host's own clock.
    static let boot = Instant(sinceBoot: .seconds(1_000))

    /// - Throws: what of the plan makes no sense. VMs that the Arbiter does not admit are no error, but in the record.
    public init(_ plan: HostPlan) throws(HostPlanError) {
        self.plan = plan
        record = HostRecord(began: Self.boot + plan.warmUp, ended: Self.boot + plan.warmUp + plan.duration)
    }

    /// Since the beginning of the warm-up.
    public var elapsed: Nanoseconds { now - Self.boot }

    /// Warm-up, counted time and grace: `elapsed` ends there at the latest.
    public var longest: Nanoseconds { plan.warmUp + plan.duration + plan.grace }

    public var isDone: Bool { elapsed >= longest }

    /// Plays on until `elapsed` has reached this, or all is over.
    public mutating func play(to elapsed: Nanoseconds) {
        now = max(now, Self.boot + min(elapsed, longest))
    }

    /// Plays to the end. `progress` is called at every `step` of virtual time.
    public mutating func run(
        step: Nanoseconds = .seconds(1), progress: (borrowing SimulatedHost) -> Void = { _ in }
    ) -> HostRecord {
        while !isDone {
            play(to: elapsed + step)
            progress(self)
        }
        return record
    }
}
