import FoundationEssentials

@testable import ManagerProtocol

/// A daemon's dispatcher and the client that talks to it.
struct Server {
    var dispatcher = ManagerDispatcher(version: "1.2.3")
    var source: Source

    init(vms: [ManagedVM] = []) { source = Source(vms: vms) }

    /// Sends the calls in one piece and returns every reply.
    mutating func exchange(_ calls: String...) throws -> [[String: JSONValue]] {
        try feed(calls.flatMap { Array($0.utf8) + [0] })
    }

    mutating func feed(_ bytes: [UInt8]) throws -> [[String: JSONValue]] {
        var written: [UInt8] = []
        dispatcher.receive(bytes)
        while true {
            let progress = try dispatcher.answer(from: source)
            written += dispatcher.output
            dispatcher.sent(dispatcher.output.count)
            if progress == .idle { break }
        }
        return try written.split(separator: 0).map {
            try JSONDecoder().decode([String: JSONValue].self, from: Data($0))
        }
    }
}

struct Source: ManagerSource {
    var vms: [ManagedVM]

    func status() -> ManagerStatus { .sample }
    func virtualMachine(afterSlot slot: Int?) -> ManagedVM? { vms.first { $0.slot > slot ?? -1 } }

    func explain(_ vm: String) -> ManagedExplanations? {
        guard vm == "web" else { return nil }
        return ManagedExplanations(
            explanations: virtualMachine(afterSlot: nil).map { [.sample(of: $0)] } ?? [], rejections: [.sample])
    }
    func beginWatch() -> UInt64 { 1 }
    func nextChange(_ cursor: inout UInt64) -> WatchedChange? {
        defer { cursor += 1 }
        return cursor == 1 ? WatchedChange(change: .sample, lost: 3) : nil
    }
    func hostFigures() -> HostFigures {
        HostFigures(
            status: status(), connections: 3, connectionsMax: 4_096, accounts: 2, operators: 1, watchers: 0,
            registrations: 9, rejections: ["tooManyVMs": 2], connectionsRefused: 1, journalDropped: 0)
    }
    func figures(afterSlot slot: Int?) -> VMFigures? {
        virtualMachine(afterSlot: slot).map {
            VMFigures(
                slot: $0.slot, uuid: $0.uuid, name: $0.name, account: $0.account,
                reservationMillihertz: $0.reservationMillihertz, grants: $0.grants, guestGrants: $0.guestGrants,
                refusals: 4, spTimeNanoseconds: $0.spTimeNanoseconds, launches: $0.launches, overdueTurns: 0)
        }
    }
    func drain() -> Bool {
        defer { platform.isDraining = true }
        return platform.isDraining
    }
    func resume() -> Bool {
        defer { platform.isDraining = false }
        return !platform.isDraining
    }

    let platform = PlatformLog()
    func beginPlatform(_ order: ManagedPlatformOrder) -> UInt64 {
        platform.orders.append(order)
        return UInt64(platform.orders.count)
    }
    func platformOutcome(of ticket: UInt64) -> ManagedPlatformOutcome? {
        platform.outcomes.removeValue(forKey: ticket)
    }
    func releaseDevice() -> Int {
        platform.isReleased = true
        return vms.count
    }
    func retakeDevice() { platform.isReleased = false }

    let reloads = ReloadLog()
    func beginReload() -> UInt64 {
        reloads.tickets += 1
        return reloads.tickets
    }
    func reloadOutcome(of ticket: UInt64) -> ManagedReloadOutcome? { reloads.outcomes.removeValue(forKey: ticket) }

    /// Whether its caller is root.
    var takesReports = true
    func noteRequests(_ report: ObservedReport) -> Bool {
        if takesReports { platform.reports.append(report) }
        return takesReports
    }
}

/// What a source was asked of the platform, and what it is to answer.
final class PlatformLog {
    var orders: [ManagedPlatformOrder] = []
    var outcomes: [UInt64: ManagedPlatformOutcome] = [:]
    var isReleased = false
    var reports: [ObservedReport] = []
    var isDraining = false
}

/// How often a source was asked to reload, and what it is to answer.
final class ReloadLog {
    var tickets: UInt64 = 0
    var outcomes: [UInt64: ManagedReloadOutcome] = [:]
}

extension ManagedPlatform {
    static let sample = ManagedPlatform(
        apiVersion: "1.58", build: 20, state: "initialised", isRMPInitialised: true, guestCount: 3,
        currentTCB: "0xd316000000000004", reportedTCB: "0xd315000000000004", flags: ["vlek_en"])
}

extension ManagerStatus {
    /// Every optional field is there.
    static let sample = ManagerStatus(
        version: "1.2.3", epoch: "0123456789abcdef", uptimeNanoseconds: 1_000_000_000, device: .alive,
        devicePath: "/dev/sev", deviceDetail: "alive since start", isDraining: false, registeredVMs: 2,
        registeredVMsMax: 1024,
        capacity: ManagedCapacity(
            capacityNanoseconds: 950_000_000, launchReserveNanoseconds: 200_000_000, reservedNanoseconds: 480_000_000,
            reservableMillihertz: 36_000, reportPlanningNanoseconds: 7_500_000, reportMeasuredNanoseconds: 7_600_000),
        launchOverload: false,
        turn: ManagedTurn(
            vm: "web", kind: "report", heldNanoseconds: 3_000_000, leaseLeftNanoseconds: 70_000_000, isOverdue: false),
        queues: ManagedQueues(launchSessions: 1, guestRequests: 3, platformCommands: 0),
        counters: ManagedCounters(grants: 10, busies: ["limit": 2]),
        configuration: ManagedConfiguration(
            files: ["/etc/spschedd/spschedd.toml"], reloads: 1, failure: "a mistake", restartNeeded: ["vmm.socket"]),
        launchBound: ManagedLaunchBound(
            pages: 64, commands: 69, boundNanoseconds: 900_000_000, unaskedNanoseconds: 517_500_000),
        observation: ManagedObservation(
            processes: [
                ManagedProcess(
                    pid: 7, name: "vmm", vm: "web", plain: 3, extended: 4, unasked: 3, isBypassing: true)
            ], bypassing: 1, lost: 0, silentNanoseconds: 5))
}

extension ManagedExplanation {
    static func sample(of vm: ManagedVM) -> ManagedExplanation {
        ManagedExplanation(
            vm: vm,
            standing: ManagedStanding(
                reservedRequests: 2, reservationOpensNanoseconds: 0, limitOpensNanoseconds: 1, skipsLimit: false,
                guestWaitMaxNanoseconds: 500_000_000, ageNanoseconds: 2_000_000_000, refusalsInARow: 1,
                isProtected: false, predictedStartNanoseconds: 4, launchDebtNanoseconds: 5,
                accountLaunchDebtNanoseconds: 6, launchPagesGranted: 7, launchPagesDeclared: 8),
            refusals: [
                ManagedRefusal(
                    reason: "guests_ahead", times: 2, sinceNanoseconds: 3, agoNanoseconds: 2, limit: "500ms",
                    holder: "VM \"b\"", retryAfterNanoseconds: 5, retryInNanoseconds: 3, text: "Other guests.")
            ])
    }
}

extension ManagedRejection {
    static let sample = ManagedRejection(
        uuid: "00000000-0000-4000-8000-000000000001", name: "web", account: "uid 1", code: "capacity", times: 1,
        agoNanoseconds: 1, text: "Nothing is left.")
}

extension ManagedChange {
    static let sample = ManagedChange(
        sequence: 5, realtimeMicroseconds: 1_700_000_000_000_000, kind: .refused, vm: "web",
        uuid: "00000000-0000-4000-8000-000000000001", slot: 0, reason: "limit", text: "VM \"web\" is refused.")
}

extension ManagedVM {
    static func sample(slot: Int) -> ManagedVM {
        ManagedVM(
            slot: slot, generation: 1, uuid: "00000000-0000-4000-8000-000000000001", name: "vm \"\u{0}\" \(slot)",
            account: "uid 64055", state: .refused, connections: 1, registeredNanoseconds: 5_000_000_000,
            reservationMillihertz: 1000, limitMillihertz: 2000, weight: 100, burst: 3, retryPolicy: "linux",
            failureMode: "open", entitlementMillihertz: 1950, grants: 12, guestGrants: 10,
            busies: ["guests_ahead": 4], spTimeNanoseconds: 75_000_000, launches: 1, overdueTurns: 0,
            unasked: 3)
    }
}

extension JSONValue {
    var object: [String: JSONValue]? {
        if case .object(let members) = self { members } else { nil }
    }
}

/// Reads field names out of the interface description, as an introspecting client would.
enum InterfaceText {
    static func fields(after opening: String) -> Set<String> {
        let lines = ManagerInterface.description.split(separator: "\n").map { $0.trimmingPrefix(while: { $0 == " " }) }
        guard let start = lines.firstIndex(where: { $0 == opening }) else { return [] }
        let body = lines[(start + 1)...].prefix { $0 != ")" && !$0.hasPrefix(")") }
        return Set(body.filter { !$0.hasPrefix("#") }.compactMap { $0.split(separator: ":").first.map(String.init) })
    }
}
