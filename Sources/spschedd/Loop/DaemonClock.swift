import Arbiter
import LinuxIO

/// The daemon's time: the host's, or, where time itself is under test, one that stands still until it is moved.
struct DaemonClock {
    private let hand: Hand?

    /// The host's boot clock.
    static var boot: DaemonClock { DaemonClock(hand: nil) }

    /// Shows what `hand` points to.
    static func manual(_ hand: Hand) -> DaemonClock { DaemonClock(hand: hand) }

    /// A manual clock's only way to go on.
    final class Hand {
        var now: Instant

        init(at now: Instant) { self.now = now }
    }

    /// Whether the kernel can be told to wake the daemon at an instant: it knows only its own clock.
    var canWake: Bool { hand == nil }

    func now() -> Instant { hand?.now ?? BootClock.now() }
}
