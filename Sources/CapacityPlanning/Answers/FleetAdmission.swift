import Arbiter
import ConfigurationFiles
import VMMProtocol

/// Whether a fleet may register: the production Arbiter is asked, VM by VM, as the daemon would ask it.
public struct FleetAdmission: Sendable {
    public struct Group: Sendable {
        public let name: String
        public let count: Int64
        public fileprivate(set) var admitted: Int64 = 0
        /// Reservations granted, in the order of registration: so many VMs each.
        public fileprivate(set) var granted: [(reservation: Rate, count: Int64)] = []
        /// Why the first VM that was not admitted was not.
        public fileprivate(set) var refusal: FleetRefusal?
        public fileprivate(set) var unfulfilled: Int64 = 0
    }

    public private(set) var groups: [Group] = []
    /// What was promised, and what is left of each setting.
    public private(set) var uses: [SettingUse] = []
    /// The largest reservation that still fits.
    public private(set) var rateLeft = Rate.zero

    public var isAdmitted: Bool { groups.allSatisfy { $0.admitted == $0.count } }
    /// Whether also every VM got the reservation that it wants.
    public var isFulfilled: Bool { isAdmitted && groups.allSatisfy { $0.unfulfilled == 0 } }
    /// VMs that got less than they want.
    public var unfulfilled: Int64 { groups.reduce(0) { $0 + $1.unfulfilled } }
    public var firstRefusal: FleetRefusal? { groups.lazy.compactMap(\.refusal).first }
    /// The setting that is used most: of its limit, the largest part.
    public var tightest: SettingUse? { uses.max { $0.part < $1.part } }

    public init(_ fleet: Fleet) {
        var desk = RegistrationDesk(fleet.configuration)
        for group in fleet.groups { groups.append(Self.register(group, at: &desk)) }
        uses = desk.uses(fleet)
        rateLeft = desk.overview.rateLeft
    }

    private static func register(_ plan: FleetGroup, at desk: inout RegistrationDesk) -> Group {
        var group = Group(name: plan.name, count: plan.count)
        for _ in 0..<plan.count {
            do throws(FleetRefusal) {
                let reservation = try desk.register(plan)
                group.admitted += 1
                group.grant(reservation, of: plan)
            } catch {
                group.refusal = error
                break
            }
        }
        return group
    }

    /// How many VMs more of one group would be admitted beside the fleet, and what then refuses the next; with their
    /// reservations in full, if `fulfilled`.
    public static func room(
        in fleet: Fleet, for index: Int, fulfilled: Bool
    ) -> (count: Int64, refusal: FleetRefusal?) {
        var desk = RegistrationDesk(fleet.configuration)
        for group in fleet.groups { _ = register(group, at: &desk) }
        var plan = fleet.groups[index]
        if fulfilled { plan.reservationLeast = plan.registration.reservationMost }
        var count: Int64 = 0
        while count < FleetLimits.virtualMachines {
            do throws(FleetRefusal) {
                _ = try desk.register(plan)
                count += 1
            } catch {
                return (count, error)
            }
        }
        return (count, nil)
    }
}

extension FleetAdmission.Group {
    fileprivate mutating func grant(_ reservation: Rate, of plan: FleetGroup) {
        if reservation < plan.registration.reservationMost { unfulfilled += 1 }
        if granted.last?.reservation == reservation {
            granted[granted.count - 1].count += 1
        } else {
            granted.append((reservation, 1))
        }
    }
}

extension Registration {
    /// What it gets at most: nobody is promised more than the limit.
    fileprivate var reservationMost: Rate { min(reservationWanted, limit ?? reservationWanted) }
}

/// Why a VM was not admitted.
public enum FleetRefusal: Error, Equatable, Sendable {
    case arbiter(AdmissionRefusal)
    case accountVMs(account: String, cap: Int64)
    case accounts

    /// The setting that binds, by its key.
    public var setting: String {
        switch self {
        case .arbiter(.capacity): "arbiter.capacity"
        case .arbiter(.reservedWait): "arbiter.guest_wait_reserved"
        case .arbiter(.patience): "arbiter.floor_share"
        case .arbiter(.tooManyVMs): "clients.vms_max"
        case .arbiter(.accountReservation): "arbiter.account_reservation_max"
        case .arbiter(.invalid(let field, _)): field
        case .accountVMs: "account.vms_max"
        case .accounts: "the number of accounts"
        }
    }

    /// What binds, and how much is left, in the daemon's own words. What helps a whole fleet tells `FleetRemedy`.
    public var sentence: String {
        switch self {
        case .arbiter(let refusal): refusal.finding
        case .accountVMs(let account, let cap):
            "Account \(account) has \(cap) VMs, the most that account.vms_max allows."
        case .accounts: "There are more accounts than the daemon has places for: \(Limits.accounts)."
        }
    }
}

/// Where VMs register: the Arbiter, and the caps that the daemon keeps beside it.
struct RegistrationDesk: ~Copyable {
    private let settings: DaemonConfiguration
    private var arbiter: Arbiter
    private var accounts: [String: (id: AccountID, vms: Int64)] = [:]
    private var impatient = false

    private static let now = Instant(sinceBoot: .seconds(1))

    init(_ settings: DaemonConfiguration) {
        self.settings = settings
        arbiter = Arbiter(
            configuration: settings.arbiter, virtualMachines: Int(settings.clients.vmsMax), now: Self.now)
    }

    mutating func register(_ plan: FleetGroup) throws(FleetRefusal) -> Rate {
        var account = try account(plan.account)
        guard account.vms < settings.account.vmsMax else {
            throw .accountVMs(account: plan.account, cap: settings.account.vmsMax)
        }
        let admission: Admission
        do {
            admission = try arbiter.register(plan.registration, account: account.id, now: Self.now)
        } catch {
            throw .arbiter(error)
        }
        account.vms += 1
        accounts[plan.account] = account
        if plan.guest.kind.retryPolicy != .linux { impatient = true }
        return admission.reservation
    }

    private mutating func account(_ name: String) throws(FleetRefusal) -> (id: AccountID, vms: Int64) {
        if let known = accounts[name] { return known }
        guard let id = arbiter.openAccount() else { throw .accounts }
        accounts[name] = (id, 0)
        return (id, 0)
    }

    var overview: Overview { arbiter.overview(now: Self.now) }

    func uses(_ fleet: Fleet) -> [SettingUse] {
        let overview = overview
        let rules = settings.arbiter
        let bounds = PromiseBounds(rules)
        let left = overview.rateLeft.load(each: bounds.turns.guest)
        var uses = [
            SettingUse(
                "arbiter.capacity", "reservations: capacity less launch_reserve, each second",
                .time(bounds.reservable - left),
                of: .time(bounds.reservable)),
            SettingUse(
                "arbiter.floor_share",
                "\(impatient ? "two rounds" : "one round") of all VMs while launches never end",
                .time(bounds.patience(virtualMachines: Int64(overview.virtualMachines), turns: impatient ? 2 : 1)),
                of: .time(Limits.frozenMax)),
            SettingUse(
                "clients.vms_max", "VMs", .count(Int64(overview.virtualMachines)), of: .count(settings.clients.vmsMax)),
            SettingUse(
                "account.vms_max", "VMs of one account", .count(accounts.values.map(\.vms).max() ?? 0),
                of: .count(settings.account.vmsMax)),
            SettingUse(
                "arbiter.launch_reserve", "launches, each second", .time(LaunchLoad(fleet).perSecond),
                of: .time(rules.launchReservePerSecond)),
        ]
        if overview.reserved > .zero {
            uses.insert(
                SettingUse(
                    "arbiter.guest_wait_reserved", "longest wait inside reservations", .time(overview.reservedWait),
                    of: .time(rules.guestWaitReserved)), at: 1)
        }
        return uses
    }
}

/// How much of a setting a fleet uses.
public struct SettingUse: Equatable, Sendable {
    public enum Amount: Equatable, Sendable {
        case time(Nanoseconds)
        case count(Int64)

        var value: Int64 {
            switch self {
            case .time(let time): time.count
            case .count(let count): count
            }
        }
    }

    /// The setting's key, and what it bounds.
    public let key: String
    public let title: String
    public let used: Amount
    public let limit: Amount

    init(_ key: String, _ title: String, _ used: Amount, of limit: Amount) {
        (self.key, self.title, self.used, self.limit) = (key, title, used, limit)
    }

    /// 1 where all of it is used.
    public var part: Double { Double(used.value) / Double(max(limit.value, 1)) }
}
