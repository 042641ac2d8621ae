import Arbiter

/// What one decision costs: the Arbiter alone, in this process, in virtual time.
///
/// All VMs want a turn all the time. Each grant is released 0.3 ms later, and the same VM asks again in the same step:
/// the release, the request's place among all others, the choice of the next holder, its grant.
enum DecisionBenchmark {
    static func run(_ plan: Plan, _ results: inout Results) throws(BenchmarkProblem) {
        let sizes = [100, 1_000, 10_000]
        var hosts: [BusyHost] = []
        for size in sizes { hosts.append(try BusyHost(virtualMachines: size)) }
        for host in hosts { try host.take(turns: plan.grants / 4) }
        var samples: [Int: [Double]] = [:]
        // Side by side, as all ratios are measured.
        for _ in 0..<plan.shortRounds {
            for (size, host) in zip(sizes, hosts) {
                let began = Clock.thread()
                try host.take(turns: plan.grants)
                samples[size, default: []].append(Double(Clock.thread() - began) / Double(plan.grants))
            }
        }
        results.add(.decision100, samples[100, default: []])
        results.add(.decision1000, samples[1_000, default: []])
        results.add(.decision10000, samples[10_000, default: []])
        results.add(.decisionGrowth, Statistics.ratios(samples[10_000, default: []], to: samples[100, default: []]))
        results.note(
            "decision_ns: a floor of 20 %, a report planned at 0.3 ms and taking that; guests wait up to 20 s.")
    }
}

/// An Arbiter whose VMs all want a turn, all the time.
final class BusyHost {
    private var arbiter: Arbiter
    private var decisions: [Decision] = []
    private var now = Instant(sinceBoot: .seconds(1))
    private var vms: [VMID] = []
    private var holder: (vm: VMID, turn: TurnID)
    private var tag: UInt64 = 0

    private static let report = Nanoseconds.microseconds(300)

    init(virtualMachines count: Int) throws(BenchmarkProblem) {
        var configuration = Configuration()
        configuration.floorShare = Share(percent: 20)
        configuration.planningCosts.report = Self.report
        var arbiter = Arbiter(configuration: configuration, virtualMachines: count, now: now)
        holder = (.none, TurnID(number: 0))
        decisions.reserveCapacity(64)
        guard let account = arbiter.openAccount() else { throw .unexpected("a new Arbiter has no room for an account") }
        let registration = Registration(reservationWanted: .zero, guestWaitMax: .seconds(20))
        for index in 0..<count {
            do {
                vms.append(try arbiter.register(registration, account: account, now: now).vm)
            } catch {
                throw .unexpected("VM \(index) of \(count) was not admitted: \(error)")
            }
        }
        self.arbiter = arbiter
        for vm in vms { try ask(vm) }
        try settle()
    }

    private func ask(_ vm: VMID) throws(BenchmarkProblem) {
        tag += 1
        do {
            try arbiter.acquire(
                .report, units: 1, maxWait: nil, request: RequestID(origin: UInt64(vm.slot), tag: tag), of: vm,
                now: now, into: &decisions)
        } catch {
            throw .unexpected("a request of the Arbiter's was a mistake: \(error)")
        }
    }

    /// Whose turn it is follows from the decisions, which must be one grant and nothing else.
    private func settle() throws(BenchmarkProblem) {
        guard decisions.count == 1, case .granted(_, let vm, let grant) = decisions[0] else {
            throw .unexpected("the Arbiter decided otherwise than by one grant: \(decisions.prefix(3))")
        }
        holder = (vm, grant.turn)
        decisions.removeAll(keepingCapacity: true)
    }

    func take(turns: Int) throws(BenchmarkProblem) {
        for _ in 0..<turns {
            now += Self.report
            tag += 1
            do {
                try arbiter.releaseAndAcquire(
                    holder.turn, TurnOutcome(unitsDone: 1), .report, units: 1, maxWait: nil,
                    request: RequestID(origin: UInt64(holder.vm.slot), tag: tag), of: holder.vm, now: now,
                    into: &decisions)
            } catch {
                throw .unexpected("a turn of the Arbiter's could not be released: \(error)")
            }
            try settle()
        }
    }
}
