import Arbiter
import ConfigurationFiles
import ManagerProtocol
import VMMProtocol

/// What another configuration changes in the one that runs: pure.
struct Reloading {
    typealias Key = SettingKey<DaemonConfiguration>

    private let running: DaemonConfiguration
    private let loaded: LoadedConfiguration
    /// Of which the value is another.
    let changed: [Key]

    init(_ running: DaemonConfiguration, to loaded: LoadedConfiguration) {
        self.running = running
        self.loaded = loaded
        changed = DaemonConfiguration.keys.filter { $0.read(running) != $0.read(loaded.configuration) }
    }

    /// What a daemon that is not restarted can go by.
    var next: DaemonConfiguration {
        var next = running
        for key in changed where key.effect != .restart { key.write(&next, key.read(loaded.configuration)) }
        next.policies = loaded.configuration.policies
        return next
    }

    var restartNeeded: [String] { changed.filter { $0.effect == .restart }.map(\.path) }
    var files: [String] { loaded.files.map(\.path) }

    var reply: ReloadReply {
        ReloadReply(
            files: files,
            changes: changed.map { key in
                ManagedSettingChange(
                    key: key.path, was: key.read(running).toml, now: key.read(loaded.configuration).toml,
                    applies: key.effect.managerName, origin: loaded.origins[key.path]?.last?.description)
            } + policyChanges)
    }

    /// What differs in policies, which are looked up whenever somebody connects, registers or begins a launch. VMs that
    /// are registered stay as they are, whatever comes or goes.
    private var policyChanges: [ManagedSettingChange] {
        let (before, after) = (running.policies, loaded.configuration.policies)
        let gone = before.filter { policy in !after.contains { $0.name == policy.name } }
        return gone.map { change("policy.\($0.name)", was: "there", now: "gone", .newRegistrations) }
            + after.flatMap { policy in
                guard let old = before.first(where: { $0.name == policy.name }) else {
                    return [change("policy.\(policy.name)", was: "not there", now: "there", .newRegistrations)]
                }
                return PolicySettings.keys.filter { $0.read(old) != $0.read(policy) }.map {
                    change(policy.setting($0.path), was: $0.read(old).toml, now: $0.read(policy).toml, $0.effect)
                }
            }
    }

    private func change(
        _ key: String, was: String, now: String, _ effect: SettingEffect
    ) -> ManagedSettingChange {
        ManagedSettingChange(
            key: key, was: was, now: now, applies: effect.managerName, origin: loaded.origins[key]?.last?.description)
    }

    /// - Parameter objections: what the Arbiter has against a configuration.
    func objections(
        _ refusal: ReconfigurationRefusal, _ objections: (Configuration) -> [ReconfigurationObjection]
    ) -> [ManagedReloadObjection] {
        refusal.objections.map { objection in
            let keys = toBlame(for: objection, objections)
            let settings = keys.map { key in
                let origin = loaded.origins[key.path]?.last.map { " (\($0))" } ?? ""
                return "\(key.path) = \(key.read(loaded.configuration).toml)\(origin), now \(key.read(running).toml)"
            }
            return ManagedReloadObjection(
                keys: keys.map(\.path), text: "\(settings.joined(separator: "; ")): \(objection.sentence)")
        }
    }

    /// Those that lead to the objection by themselves; if none does, all that may have a part in it.
    private func toBlame(
        for objection: ReconfigurationObjection, _ objections: (Configuration) -> [ReconfigurationObjection]
    ) -> [Key] {
        let candidates = changed.filter { $0.path.hasPrefix("arbiter.") || $0.path.hasPrefix("planning_cost.") }
        let alone = candidates.filter { key in
            var other = running
            key.write(&other, key.read(loaded.configuration))
            return objections(other.arbiter).contains { $0.isAlike(objection) }
        }
        return alone.isEmpty ? candidates : alone
    }
}

extension SettingEffect {
    var managerName: String {
        switch self {
        case .atOnce: "at_once"
        case .newRegistrations: "new_registrations"
        case .newLaunches: "new_launches"
        case .newConnections: "new_connections"
        case .restart: "restart"
        }
    }
}

extension ReconfigurationObjection {
    fileprivate func isAlike(_ other: Self) -> Bool {
        switch (self, other) {
        case (.capacity, .capacity), (.reservedWait, .reservedWait), (.promisedWait, .promisedWait),
            (.launchReserve, .launchReserve), (.launchBurst, .launchBurst), (.patience, .patience):
            true
        default: false
        }
    }

    /// What VMs would lose, and by how much.
    fileprivate var sentence: String {
        switch self {
        case .capacity(let needed, let available):
            "VMs were promised \(needed.text) of SP time a second, and \(available.text) would be left for them,"
                + " \((needed - available).text) too little"
        case .reservedWait(let would, let limit):
            "requests inside a reservation could wait \(would.text), \((would - limit).text) longer than promised"
        case .promisedWait(let was, let would):
            "VMs with a reservation were promised to wait no longer than \(was.text), and newcomers could make that"
                + " \(would.text)"
        case .launchReserve(let was, let would):
            "reservations would be suspended by launches that take \(would.text) a second, \((was - would).text) less"
                + " than before"
        case .launchBurst(let was, let would):
            "reservations would be suspended by launch work of \(would.text) at once, \((was - would).text) less than"
                + " before"
        case .patience(let would, let limit):
            "a guest could wait \(would.text) for the floor's turn, \((would - limit).text) longer than it may be frozen"
        }
    }
}
