import Arbiter
import ConfigurationFiles
import LinuxIO
import ManagerProtocol

/// What the observer saw, as operators are told of it.
extension Daemon {
    /// Takes note of a report. A process is taken for the VM whose connection came from it: the kernel says so of the
    /// connection, and of the guest it proves nothing.
    func noteRequests(_ report: ObservedReport) {
        if requestBook.reportedAt == nil { log(.observer, .info, "spschedd-observer reports guests' requests") }
        let vmOfProcess = vmsByProcess()
        requestBook.note(report, now: clock.now()) { pid in
            vmOfProcess[pid].flatMap { record in
                self.report(of: record.vm).map { RequestBook.Asker(vm: record.vm, asked: asked(record, $0)) }
            }
        }
    }

    private func vmsByProcess() -> [Int32: VMRecord] {
        var records: [Int32: VMRecord] = [:]
        vms.forEach { record in
            for token in record.connections { if let pid = connections[token]?.peer.pid { records[pid] = record } }
        }
        return records
    }

    /// For how many guest requests the VM has asked: those that were granted, and those that were refused.
    private func asked(_ record: VMRecord, _ report: VMReport) -> Int64 {
        Int64(report.counters.guestTurns) + BusyReason.allCases.reduce(0) { $0 + record.busies[$1] }
    }

    func observation(at now: Instant) -> ManagedObservation? {
        guard let reportedAt = requestBook.reportedAt else { return nil }
        let processes = requestBook.unaskedFirst().prefix(DaemonLimits.observedProcessesShown).map { entry in
            ManagedProcess(
                pid: entry.pid, name: entry.name, vm: entry.vm.flatMap { vms[$0] }.map { "\($0.name)" },
                plain: entry.plain, extended: entry.extended, unasked: entry.unasked,
                isBypassing: requestBook.isBypassing(entry, at: now))
        }
        return ManagedObservation(
            processes: Array(processes), bypassing: requestBook.bypassing(at: now), lost: requestBook.lost,
            silentNanoseconds: (now - reportedAt).count)
    }

    /// Requests for which the VM did not ask; `nil` if nobody observes.
    func unasked(by record: VMRecord) -> Int64? {
        guard requestBook.reportedAt != nil else { return nil }
        let pids = Set(record.connections.compactMap { connections[$0]?.peer.pid })
        return pids.reduce(0) { sum, pid in
            guard let entry = requestBook[pid], entry.vm == record.vm else { return sum }
            return sum + entry.unasked
        }
    }

    /// Promise P1 by the planning costs, for a launch in one piece; each of its commands may wait for one request of
    /// each process that does not ask.
    func launchBound(at now: Instant) -> ManagedLaunchBound {
        let costs = configuration.arbiter.planningCosts
        let pages = DaemonLimits.boundPages
        // A page more for the one vCPU; GCTX_CREATE, LAUNCH_START and ACTIVATE; LAUNCH_FINISH.
        let commands = pages + 1 + 3 + 1
        let work = costs.launchStart + costs.launchPage * (pages + 1) + costs.launchFinish
        let bound = PromiseBounds(configuration.arbiter).launch(
            LaunchDemand(work: work, think: .zero, gapsNotHeld: 0))
        let unasked = costs.report * (commands * Int64(requestBook.bypassing(at: now)))
        return ManagedLaunchBound(
            pages: pages, commands: commands, boundNanoseconds: bound.map { ($0 + unasked).count },
            unaskedNanoseconds: unasked.count)
    }
}
