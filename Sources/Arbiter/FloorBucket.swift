/// The guest floor (rule 2): one bucket of SP time that grows at φ while a guest waits and pays for all guest service.
///
/// It starts, and bottoms out, at -φ·D, so that it acts only when launches kept guests waiting for D (deferrable, like
/// Linux's `dl_server`); it holds at most one guest turn, and what grows during one launch turn and during that guest
/// turn itself.
struct FloorBucket: Sendable {
    let share: Share
    let least: Nanoseconds
    let most: Nanoseconds
    /// The level in thousandths of a nanosecond: growth at a share in thousandths is then exact.
    private var level: Int64

    init(share: Share, delay: Nanoseconds, largestGuestTurn: Nanoseconds, largestLaunchTurn: Nanoseconds) {
        self.share = share
        least = -share.of(delay)
        most = largestGuestTurn + share.of(largestLaunchTurn + largestGuestTurn)
        level = least.count * 1_000
    }

    var balance: Nanoseconds { Nanoseconds(level / 1_000) }

    mutating func grow(over elapsed: Nanoseconds) {
        level = min(level + elapsed.count * share.perMille, most.count * 1_000)
    }

    mutating func charge(_ service: Nanoseconds) {
        level = max(level - service.count * 1_000, least.count * 1_000)
    }

    func covers(_ cost: Nanoseconds) -> Bool { level >= cost.count * 1_000 }

    /// How long it must grow until it covers `cost`; zero if it does.
    func timeToCover(_ cost: Nanoseconds) -> Nanoseconds {
        let lacking = cost.count * 1_000 - level
        guard lacking > 0 else { return .zero }
        return Nanoseconds((lacking + share.perMille - 1) / share.perMille)
    }
}
