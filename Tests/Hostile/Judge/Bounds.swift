import Arbiter

/// The promises of section 6 of `docs/architecture.md` for a daemon at its defaults, with the lease that the attacker
/// was granted as the length of the turns that it may hold. Symbols are those of section 5.
struct Bounds {
    private let settings = Configuration()
    /// The longest turn: of the attacker, or what the victims' own may last.
    private let turn: Nanoseconds
    private let attackers: Int64

    /// What `victim.c` reserves, and how long it waits before it asks again.
    private static let burst: Int64 = 5
    private static let retry = Nanoseconds.milliseconds(50)

    init(lease: Int64, attackers: Int) {
        turn = max(Nanoseconds(lease), settings.planningCosts.launchPage * Int64(settings.chunkPages))
        self.attackers = Int64(attackers)
    }

    private var platform: Nanoseconds { settings.planningCosts.platformCommand }
    /// Each turn that is overdue costs a status command before it passes over.
    private var probe: Nanoseconds { settings.planningCosts.platformStatus }

    /// P6: (β_L + max(s_l, s_g, s_o) + Σ b·s_g + N₀·s_g + s_o for each platform command)/R.
    var reservation: Nanoseconds {
        let turns = Self.burst + attackers
        let numerator = settings.launchBurst + max(turn, platform) + (turn + probe) * turns
        let left = settings.capacityPerSecond - settings.launchReservePerSecond
        return Nanoseconds(numerator.count * 1_000 / (left.count / 1_000_000))
    }

    /// From P3: while guests have got nothing, φ(W − D) − σ − (1 + φ)·s_o cannot be positive. A platform command may
    /// come each second; beyond that, the guest's own pause before it asks again.
    var floor: Nanoseconds {
        let share = settings.floorShare
        let sigma = settings.planningCosts.report + share.of(turn)
        let platforms = (platform + share.of(platform)) * 2
        return settings.floorDelay + share.whole(of: sigma + platforms) + Self.retry
    }

    /// P1: base = B + Z + s_r + m·max(s_g, s_o, s_l of others) + s_o·⌈T/1 s⌉; T ≤ max(base, (base + c₀ + s_g)/(1 − φ)),
    /// with the fullest bucket that there can be as c₀.
    func launch(_ launch: WaitsAnswer.Launch) -> Nanoseconds {
        let share = settings.floorShare
        let seconds = (launch.total + 999_999_999) / 1_000_000_000
        let base =
            Nanoseconds(launch.work + launch.think) + turn + max(turn, platform) * launch.gaps + platform * seconds
        let bucket = turn + share.of(turn)
        return max(base, Share(perMille: 1_000 - share.perMille).whole(of: base + bucket + turn))
    }
}
