import Testing

@testable import Arbiter

/// Calls anything at any time. What it knows of turns and requests it learns from decisions, and sometimes makes up.
struct RandomCaller {
    private let host: Host
    private var random: SeededRandom
    private var vms: [VMID] = []
    private var requests: [RequestID] = []
    private var sessions: [SessionID] = []
    private let kinds = CommandKind.allCases

    init(seed: UInt64) {
        random = SeededRandom(seed)
        var configuration = Configuration()
        configuration.floorShare = Share(percent: 30)
        configuration.floorDelay = .milliseconds(50)
        configuration.launchOrder = seed % 2 == 0 ? .firstComeFirstServed : .shortestFirst
        configuration.launchWallClockMax = .seconds(3)
        host = Host(configuration, virtualMachines: 6)
        for _ in 0..<4 { register() }
    }

    private mutating func pick<Element>(_ elements: [Element]) -> Element? {
        elements.isEmpty ? nil : elements[random.below(elements.count)]
    }

    private mutating func chance(_ one: Int) -> Bool { random.below(one) == 0 }

    mutating func act() {
        let durations: [Nanoseconds] = [
            .zero, .microseconds(300), .milliseconds(3), .milliseconds(20), .milliseconds(700),
        ]
        host.run(for: chance(40) ? .seconds(Int64(random.below(30))) : pick(durations) ?? .zero)
        // Neither a broken device nor a drain lasts long, or little else would happen.
        if !host.arbiter.device.permitsGrants, chance(3) { answerProbe(.returned) }
        if host.arbiter.isDraining, chance(3) {
            host.step { arbiter, now, out in arbiter.resume(now: now, into: &out) }
        }
        switch random.below(20) {
        case 0: register()
        case 1: beginLaunch()
        case 2: endLaunch()
        case 3...9: acquire()
        case 10...14: release()
        case 15: leave()
        case 16: device()
        case 17: platform()
        case 18 where chance(6): operation()
        default: cancel()
        }
    }

    private mutating func register() {
        let registration = Registration(
            reservationWanted: chance(2) ? .perSecond(Int64(1 + random.below(20))) : .zero,
            limit: chance(3) ? Rate(millihertz: Int64(25 + random.below(5_000))) : nil,
            weight: Weight(Int64(1 + random.below(400))), burst: Int64(1 + random.below(4)),
            retryPolicy: pick(RetryPolicy.allCases) ?? .linux,
            guestWaitMax: chance(2) ? .milliseconds(Int64(1 + random.below(3_000))) : nil)
        if let vm = try? host.register(registration) { vms.append(vm) }
    }

    private mutating func beginLaunch() {
        guard let vm = pick(vms) else { return }
        let plan = LaunchPlan(
            pages: UInt32(random.below(300)), virtualCPUs: UInt32(random.below(50)), isWhole: chance(3),
            isProxy: chance(4))
        if let session = try? host.begin(plan, of: vm) { sessions.append(session) }
    }

    private mutating func endLaunch() {
        guard let vm = pick(vms), let session = pick(sessions.suffix(4)) else { return }
        try? host.end(session, of: vm)
    }

    private mutating func acquire() {
        guard let vm = pick(vms), let kind = chance(2) ? .report : pick(kinds) else { return }
        let units = UInt32(kind.commandClass == .guest ? 1 : random.below(60))
        let wait = chance(6) ? Nanoseconds.milliseconds(Int64(random.below(100))) : nil
        if let request = try? host.acquire(kind, units, of: vm, maxWait: wait) { requests.append(request) }
    }

    private mutating func release() {
        guard let turn = chance(2) ? host.arbiter.turn : host.arbiter.turnBeside ?? host.arbiter.turn else { return }
        guard turn.vm != .none else {
            return host.step { arbiter, now, out in try? arbiter.releasePlatform(turn.id, now: now, into: &out) }
        }
        let vm = chance(10) ? pick(vms) ?? turn.vm : turn.vm
        guard chance(2) else {
            try? host.release(turn.id, of: vm, units: UInt32(random.below(64)), trouble: chance(10))
            return
        }
        let kind = turn.kind.commandClass == .guest ? .report : pick(kinds) ?? .report
        let request = host.newRequest(UInt64(vm.slot))
        let units = UInt32(kind.commandClass == .guest ? 1 : random.below(60))
        do {
            try host.step { (arbiter, now, out) throws(RequestError) in
                try arbiter.releaseAndAcquire(
                    turn.id, TurnOutcome(unitsDone: 1), kind, units: units, maxWait: nil, request: request, of: vm,
                    now: now, into: &out)
            }
            requests.append(request)
        } catch {}
    }

    private mutating func leave() {
        guard let vm = pick(vms) else { return }
        let hangsUp = !chance(4)
        host.step { arbiter, now, out in
            if hangsUp {
                arbiter.hangUp(origin: UInt64(vm.slot), of: vm, now: now, into: &out)
            } else {
                arbiter.unregister(vm, now: now, into: &out)
            }
        }
        // The requests of a connection that hung up vanish without an answer.
        if hangsUp { requests.removeAll { $0.origin == UInt64(vm.slot) && host.answer(to: $0) == nil } }
    }

    private mutating func device() {
        guard chance(4) else {
            return answerProbe(pick([.returned, .returned, .returned, .unavailable, .unavailable, .dead]) ?? .returned)
        }
        let isPresent = chance(2)
        host.step { arbiter, now, out in arbiter.devicePresence(isPresent: isPresent, now: now, into: &out) }
    }

    private func answerProbe(_ outcome: ProbeOutcome) {
        host.step { arbiter, now, out in arbiter.probeReturned(outcome, now: now, into: &out) }
    }

    private mutating func platform() {
        let request = host.newRequest(.max)
        host.step { arbiter, now, out in
            try? arbiter.acquirePlatform(.platformStatus, request: request, now: now, into: &out)
        }
        requests.append(request)
    }

    private mutating func operation() {
        let drains = chance(2)
        host.step { arbiter, now, out in
            if drains { arbiter.drain(now: now, into: &out) } else { arbiter.resume(now: now, into: &out) }
        }
    }

    /// The refusal, if it is refused.
    func reconfigure(_ configuration: Configuration) -> ReconfigurationRefusal? {
        do { try host.reconfigure(configuration) } catch { return error }
        return nil
    }

    func advance() { host.step { arbiter, now, out in arbiter.advance(to: now, into: &out) } }

    private mutating func cancel() {
        guard let request = pick(requests.suffix(8)), let vm = vms.last(where: { UInt64($0.slot) == request.origin })
        else { return }
        host.step { arbiter, now, out in arbiter.cancel(request, of: vm, now: now, into: &out) }
    }

    /// The device is well, everyone leaves, and each turn is returned.
    mutating func settle() {
        host.step { arbiter, now, out in arbiter.devicePresence(isPresent: true, now: now, into: &out) }
        for vm in vms { host.step { arbiter, now, out in arbiter.unregister(vm, now: now, into: &out) } }
        for _ in 0..<80 {
            host.run(for: .seconds(70))
            host.step { arbiter, now, out in arbiter.probeReturned(.returned, now: now, into: &out) }
            if let turn = host.arbiter.turn, turn.vm == .none {
                host.step { arbiter, now, out in try? arbiter.releasePlatform(turn.id, now: now, into: &out) }
            }
        }
    }

    private func answers(to request: RequestID) -> Int {
        host.log.count {
            switch $0.decision {
            case .granted(request, _, _), .busy(request, _, _), .failed(request, _, _): true
            default: false
            }
        }
    }

    var granted: Int { host.granted.count }
    var unanswered: [RequestID] { requests.filter { answers(to: $0) == 0 } }
    var answeredTwice: [RequestID] { requests.filter { answers(to: $0) > 1 } }

    // MARK: The Arbiter's state

    var log: [Host.Entry] { host.log }

    var savedState: [UInt64] {
        var words: [UInt64] = []
        host.arbiter.save(into: &words)
        return words
    }

    var configuration: Configuration { host.arbiter.configuration }

    var records: ArbiterRecords { host.arbiter.records }

    /// From now on a rebuilt Arbiter is called.
    func rebuild(after gap: Nanoseconds) throws(StateProblem) { try host.rebuild(after: gap) }

    /// From now on a restored Arbiter is called.
    func restore(_ configuration: Configuration? = nil) throws(StateProblem) { try host.restore(configuration) }
}
