import ArgumentParser
import Reporting

/// Who decides which command the SP gets next.
enum Policy: String, CaseIterable, ExpressibleByArgument, Encodable, Sendable {
    /// Nobody: first come, first served, page by page, behind the kernel's mutex.
    case mutex
    /// A rate limit of one request a second for each VM before the mutex.
    case ratelimit
    case spschedd

    /// Its colour in every picture and table.
    var hue: Hue {
        switch self {
        case .mutex: .orange
        case .ratelimit: .amber
        case .spschedd: .blue
        }
    }
}
