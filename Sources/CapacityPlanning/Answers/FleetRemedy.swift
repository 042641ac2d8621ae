import Arbiter
import ConfigurationFiles

/// Which settings would admit a fleet that is refused. Each was tried: what a refusal says in general may not help this
/// fleet, because another limit binds next, or because no value that the setting takes is enough.
public struct FleetRemedy: Sendable {
    public struct Change: Equatable, Sendable {
        public let key: String
        /// As it is written in the configuration, quotes included.
        public let was: String
        public let value: String
    }

    /// The least changes that admit the fleet, all of them together. Empty: the settings can do nothing.
    public let changes: [Change]
    /// Whether the fleet is admitted with them. Otherwise they are as far as the settings go.
    public let isEnough: Bool
    /// Of the fleet's shape, with these changes.
    public let largest: LargestFleet

    public init(_ fleet: Fleet) { self.init(fleet, Lever.against) }

    private init(_ fleet: Fleet, _ against: (FleetRefusal, Fleet) -> [Lever]) {
        var trial = fleet
        var levers: [Lever] = []
        while let refusal = FleetAdmission(trial).firstRefusal {
            guard let lever = against(refusal, fleet).first(where: { !levers.contains($0) }) else { break }
            lever.pullWhole(&trial.configuration)
            levers.append(lever)
        }
        isEnough = FleetAdmission(trial).isAdmitted
        if isEnough {
            for lever in levers { lever.relax(&trial, from: fleet.configuration) }
        }
        changes = levers.compactMap { $0.change(from: fleet.configuration, to: trial.configuration) }
        largest = LargestFleet(trial, fulfilled: false)
    }
}

/// The reservations with which a fleet would be admitted that no setting admits as it is.
public struct SmallerReservations: Sendable {
    /// The most that a VM may reserve: what it wants and what it accepts beyond that is cut. Zero: no reservations.
    public let most: Rate
    /// What must be changed besides. What may be promised is left as it is: head-room and launches keep their part.
    public let remedy: FleetRemedy

    /// `nil`: the fleet is refused even without reservations.
    init?(_ fleet: Fleet) {
        guard let none = Self.remedy(fleet, 0) else { return nil }
        var (fitting, best) = (Int64(0), none)
        var excessive = (fleet.groups.compactMap(\.reservation).max() ?? .zero).millihertz / Self.step + 1
        while excessive - fitting > 1 {
            let middle = (fitting + excessive) / 2
            if let found = Self.remedy(fleet, middle) { (fitting, best) = (middle, found) } else { excessive = middle }
        }
        most = Self.rate(fitting)
        remedy = best
    }

    /// In millihertz: finer ones nobody writes.
    private static let step: Int64 = 5

    private static func rate(_ steps: Int64) -> Rate {
        let rate = Rate(millihertz: steps * step)
        return rate < Limits.leastRate ? .zero : rate
    }

    private static func remedy(_ fleet: Fleet, _ steps: Int64) -> FleetRemedy? {
        let remedy = FleetRemedy(keepingPromises: fleet.reserving(atMost: rate(steps)))
        return remedy.isEnough ? remedy : nil
    }
}

extension FleetRemedy {
    fileprivate init(keepingPromises fleet: Fleet) {
        self.init(fleet) { refusal, fleet in
            if case .arbiter(.capacity) = refusal { [] } else { Lever.against(refusal, fleet) }
        }
    }
}

extension Fleet {
    fileprivate func reserving(atMost most: Rate) -> Fleet {
        func cut(_ rate: Rate?) -> Rate? { most == .zero ? nil : rate.map { min($0, most) } }
        var fleet = self
        for index in groups.indices {
            fleet.groups[index].reservation = cut(groups[index].reservation)
            fleet.groups[index].reservationLeast = cut(groups[index].reservationLeast)
        }
        return fleet
    }
}

/// A setting, and how far it may be moved so that more VMs are admitted.
private struct Lever: Equatable {
    let key: String
    /// The value that admits most.
    let end: Int64
    /// Values that are worth writing are whole multiples.
    let step: Int64

    static func against(_ refusal: FleetRefusal, _ fleet: Fleet) -> [Lever] {
        switch refusal {
        case .arbiter(.capacity):
            [upwards("arbiter.capacity", milliseconds(10)), launchReserve(fleet)].compactMap(\.self)
        case .arbiter(.reservedWait): [upwards("arbiter.guest_wait_reserved", milliseconds(500))].compactMap(\.self)
        case .arbiter(.patience): [upwards("arbiter.floor_share", Share(percent: 1).perMille)].compactMap(\.self)
        case .arbiter(.tooManyVMs): [upwards("clients.vms_max", 1)].compactMap(\.self)
        case .accountVMs: [upwards("account.vms_max", 1)].compactMap(\.self)
        case .arbiter(.accountReservation): [upwards("arbiter.account_reservation_max", 1_000)].compactMap(\.self)
        case .arbiter(.invalid), .accounts: []
        }
    }

    private static func milliseconds(_ count: Int64) -> Int64 { Nanoseconds.milliseconds(count).count }

    private static func upwards(_ key: String, _ step: Int64) -> Lever? {
        setting(key).kind.most.map { Lever(key: key, end: $0, step: step) }
    }

    /// Never below what the fleet's own launches take.
    private static func launchReserve(_ fleet: Fleet) -> Lever? {
        let step = milliseconds(10)
        let needed = (LaunchLoad(fleet).perSecond.count + step - 1) / step * step
        guard needed < fleet.configuration.arbiter.launchReservePerSecond.count else { return nil }
        return Lever(key: "arbiter.launch_reserve", end: needed, step: step)
    }

    func pullWhole(_ configuration: inout DaemonConfiguration) { set(end, &configuration) }

    /// Takes back of it what is not needed, the others being as they are.
    func relax(_ trial: inout Fleet, from before: DaemonConfiguration) {
        guard let start = setting(key).read(before).number else { return }
        // Of a multiple between, the first that lies behind the start is the least that may help.
        var (refused, admitted) = (end > start ? start / step : (start + step - 1) / step, end / step)
        while abs(admitted - refused) > 1 {
            let middle = (refused + admitted) / 2
            set(middle * step, &trial.configuration)
            if FleetAdmission(trial).isAdmitted { admitted = middle } else { refused = middle }
        }
        set(admitted * step, &trial.configuration)
    }

    func change(from before: DaemonConfiguration, to after: DaemonConfiguration) -> FleetRemedy.Change? {
        let (was, value) = (setting(key).read(before), setting(key).read(after))
        return was == value ? nil : FleetRemedy.Change(key: key, was: was.toml, value: value.toml)
    }

    private func set(_ number: Int64, _ configuration: inout DaemonConfiguration) {
        let setting = setting(key)
        setting.write(&configuration, setting.read(configuration).with(number))
    }
}

private func setting(_ key: String) -> SettingKey<DaemonConfiguration> {
    guard let setting = DaemonConfiguration.keys.first(where: { $0.path == key }) else {
        preconditionFailure("there is no setting \(key)")
    }
    return setting
}

extension ConfigurationKind {
    /// The largest value, as a number.
    fileprivate var most: Int64? {
        switch self {
        case .duration(let range): range.upperBound.count
        case .share(let range): range.upperBound.perMille
        case .integer(let range): range.upperBound
        case .optionalRate(let range): range.upperBound.millihertz
        default: nil
        }
    }
}

extension ConfigurationValue {
    fileprivate var number: Int64? {
        switch self {
        case .duration(let time): time.count
        case .share(let share): share.perMille
        case .integer(let number): number
        case .rate(let rate): rate?.millihertz
        default: nil
        }
    }

    /// Another value of this kind.
    fileprivate func with(_ number: Int64) -> ConfigurationValue {
        switch self {
        case .duration: .duration(Nanoseconds(number))
        case .share: .share(Share(perMille: number))
        case .integer: .integer(number)
        case .rate: .rate(Rate(millihertz: number))
        default: self
        }
    }
}
