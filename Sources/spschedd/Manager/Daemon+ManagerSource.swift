import Arbiter
import ConfigurationFiles
import LinuxIO
import ManagerProtocol
import VMMProtocol

/// One operator's calls, with who that is.
struct OperatorCalls: ManagerSource {
    let daemon: Daemon
    let uid: UInt32

    func status() -> ManagerStatus { daemon.status() }
    func virtualMachine(afterSlot slot: Int?) -> ManagedVM? { daemon.virtualMachine(afterSlot: slot) }
    func explain(_ vm: String) -> ManagedExplanations? { daemon.explain(vm) }
    func beginWatch() -> UInt64 {
        daemon.changes.keep()
        return Daemon.watchBegins
    }
    func nextChange(_ cursor: inout UInt64) -> WatchedChange? { daemon.nextChange(&cursor) }
    func hostFigures() -> HostFigures { daemon.hostFigures() }
    func figures(afterSlot slot: Int?) -> VMFigures? { daemon.figures(afterSlot: slot) }
    func drain() -> Bool { daemon.drain(uid: uid) }
    func resume() -> Bool { daemon.resume(uid: uid) }
    func beginPlatform(_ order: ManagedPlatformOrder) -> UInt64 { daemon.beginPlatform(order, uid: uid) }
    func platformOutcome(of ticket: UInt64) -> ManagedPlatformOutcome? { daemon.platformOutcome(of: ticket) }
    func releaseDevice() -> Int {
        daemon.log(
            .deviceLink, .notice, "An operator has released the device",
            [LogField(.reason, "released by uid \(uid)"), LogField(.uid, uid)])
        return daemon.releaseDevice()
    }
    func retakeDevice() { daemon.retakeDevice() }
    var isAskedElsewhere: Bool { daemon.isAsked }
    func beginReload() -> UInt64 { daemon.beginReload(uid: uid) }
    func reloadOutcome(of ticket: UInt64) -> ManagedReloadOutcome? { daemon.reloadOutcome(of: ticket) }

    /// Whoever else may ask the Manager could make any VM look as if it did not ask.
    func noteRequests(_ report: ObservedReport) -> Bool {
        guard ManagerServer.isOwn(uid) else { return false }
        daemon.noteRequests(report)
        return true
    }
}

/// What operators are told.
extension Daemon {
    func status() -> ManagerStatus {
        let now = clock.now()
        let overview = arbiter.overview(now: now)
        var detail: String?
        if case .absent(let reason) = deviceAccess.presence { detail = reason }
        return ManagerStatus(
            version: PackageVersion.current, epoch: hexadecimal(epoch), uptimeNanoseconds: (now - startedAt).count,
            device: overview.device.managed, devicePath: deviceAccess.path, deviceDetail: detail,
            isDraining: overview.isDraining, registeredVMs: vms.count,
            registeredVMsMax: Int(configuration.clients.vmsMax), capacity: capacity(overview),
            launchOverload: overview.reservationsAreSuspended, turn: overview.turn.map(managed),
            queues: ManagedQueues(
                launchSessions: overview.sessionsOpen, guestRequests: overview.guestsWaiting,
                platformCommands: overview.platformWaiting),
            counters: managedCounters(overview.totals), configuration: reloadDesk.state,
            launchBound: launchBound(at: now), observation: observation(at: now))
    }

    private func capacity(_ overview: Overview) -> ManagedCapacity {
        let settings = configuration.arbiter
        let hasMeasured = overview.totals.guestTurns > 0
        return ManagedCapacity(
            capacityNanoseconds: settings.capacityPerSecond.count,
            launchReserveNanoseconds: settings.launchReservePerSecond.count,
            reservedNanoseconds: overview.reserved.load(each: settings.planningCosts.report).count,
            reservableMillihertz: overview.rateLeft.millihertz,
            reportPlanningNanoseconds: settings.planningCosts.report.count,
            reportMeasuredNanoseconds: hasMeasured ? overview.predictedReport.count : nil)
    }

    private func managed(_ turn: TurnView) -> ManagedTurn {
        ManagedTurn(
            vm: vms[turn.vm].map { "\($0.name)" }, kind: turn.kind.managerName, heldNanoseconds: turn.heldFor.count,
            leaseLeftNanoseconds: (turn.lease - turn.heldFor).count, isOverdue: turn.isOverdue)
    }

    private func managedCounters(_ totals: Totals) -> ManagedCounters {
        ManagedCounters(
            grants: counters.grants, busies: counters.busies.byName, overdueTurns: Int64(totals.overdueTurns),
            launches: Int64(totals.launches), launchNanoseconds: totals.launchService.count,
            guestNanoseconds: totals.guestService.count, platformNanoseconds: totals.platformService.count,
            protocolErrors: counters.protocolErrors, adoptedConnections: counters.adopted,
            resumedRegistrations: counters.resumed)
    }

    func virtualMachine(afterSlot slot: Int?) -> ManagedVM? {
        vms.first(from: (slot ?? -1) + 1).flatMap(managed)
    }

    func managed(_ record: VMRecord) -> ManagedVM? {
        guard let report = report(of: record.vm) else { return nil }
        return ManagedVM(
            slot: Int(record.vm.slot), generation: Int(record.vm.generation), uuid: "\(record.uuid)",
            name: "\(record.name)", account: record.account.key.text, state: state(record, report),
            connections: record.connections.count,
            registeredNanoseconds: (clock.now() - record.registeredAt).count,
            reservationMillihertz: report.reservation.millihertz, limitMillihertz: report.limit?.millihertz,
            weight: report.weight.value, burst: report.burst, retryPolicy: report.retryPolicy.managerName,
            failureMode: record.failureMode == .open ? "open" : "closed",
            entitlementMillihertz: report.entitlement.millihertz,
            grants: Int64(report.counters.guestTurns + report.counters.launchTurns),
            guestGrants: Int64(report.counters.guestTurns), busies: record.busies.byName,
            spTimeNanoseconds: (report.counters.guestService + report.counters.launchService).count,
            launches: Int64(report.counters.launches), overdueTurns: Int64(report.counters.overdueTurns),
            unasked: unasked(by: record))
    }

    private func state(_ record: VMRecord, _ report: VMReport) -> ManagedVMState {
        if record.connections.isEmpty { return .detached }
        if report.launchIsOpen { return .launching }
        switch report.guest {
        case .idle: return .idle
        case .waiting: return .waiting
        case .inService: return .serving
        case .refused: return .refused
        }
    }

    /// Dividing the capacity costs time for every VM: a list divides it once, not for each of its entries.
    func report(of vm: VMID) -> VMReport? {
        let now = clock.now()
        if now - managerReports.at > DaemonLimits.managerReportsAge || managerReports.ofSlot[vm.slot]?.vm != vm {
            let reports = arbiter.reports().map { ($0.vm.slot, $0) }
            managerReports = (now, Dictionary(uniqueKeysWithValues: reports))
        }
        return managerReports.ofSlot[vm.slot]
    }
}

extension BusyCounts {
    var byName: [String: Int64] {
        var named: [String: Int64] = [:]
        for reason in BusyReason.allCases where self[reason] > 0 { named[reason.managerName] = self[reason] }
        return named
    }
}
