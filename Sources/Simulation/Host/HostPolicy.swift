import Arbiter

/// Who decides which command the SP gets next.
public enum HostPolicy: Hashable, Sendable {
    /// Nobody: first come, first served, page by page, behind the kernel's mutex.
    case mutex
    /// Linux's `___ratelimit()` for each joined VM before that mutex, as in version 6 of the kernel patch "kvm: sev:
    /// Add SEV-SNP guest request throttling". A request over the limit is BUSY to its guest.
    case rateLimit(interval: Nanoseconds, burst: Int32)
    /// A scheduler of turns that knows strict priority only: launches, first come, first served, before guests, first
    /// come, first served. Nobody is refused and nobody waits for a lease. With `hold`, the SP is kept between a
    /// launch's commands for `Configuration.hold`; with `floor`, guests keep `Configuration.floorShare`. For ablations.
    case priority(hold: Bool, floor: Bool)
    /// The production Arbiter, with the plan's configuration.
    case spschedd

    /// One request a second for each VM: what the kernel patch's measurements were made with.
    public static let rateLimit = HostPolicy.rateLimit(interval: .seconds(1), burst: 1)

    /// Whether joined VMs ask for turns.
    var hasTurns: Bool {
        switch self {
        case .mutex, .rateLimit: false
        case .priority, .spschedd: true
        }
    }
}
