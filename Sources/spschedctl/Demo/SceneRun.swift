import Arbiter
import LinuxIO
import Reporting

/// Plays one scene: starts the VMs, gives them their orders, and gathers what they report. One bounded event loop.
///
/// ```
///   starting ──all guests ready──► warmingUp ──► measuring ──slot over──► finishing ──► done
///                                               (launches)      (the launch under way, or the grace)
/// ```
final class SceneRun {
    private enum Phase {
        case starting(until: Instant)
        case warmingUp
        case measuring
        /// The slot is over; a launch is still under way.
        case finishing
        case done
    }

    private enum Member: UInt32 {
        case signals
        case server
        case guest
        case launch
    }

    private let scene: Scene
    private var stage: Stage
    private let signals: SignalSource
    private let poll: EventPoll
    private var phase: Phase
    private var record: SceneRecord
    private var progress: Progress
    private var nextProgress = Instant.distantPast
    private var started = Instant.distantPast

    private var guests: [VMProcess] = []
    /// Launched VMs by number: prepared, under way, or done and about to end.
    private var launched: [UInt32: VMProcess] = [:]
    private var prepared: UInt32 = 0
    private var next: UInt32 = 0
    private var underWay: (number: UInt32, requested: Instant)?
    private var nextLaunch = Instant.distantPast

    init(
        _ scene: Scene, in directory: String, signals: SignalSource, progress: Progress
    ) throws(DemoError) {
        self.scene = scene
        self.signals = signals
        self.progress = progress
        record = SceneRecord(scene: scene)
        stage = try Stage(in: directory, policy: scene.policy, seed: scene.seed)
        phase = .starting(until: BootClock.now() + DemoLimits.startPatience)
        do { poll = try EventPoll(capacity: DemoLimits.eventsPerWait) } catch { throw .system(error) }
    }

    /// Plays it from beginning to end.
    func play() throws(DemoError) -> SceneRecord {
        try watch(signals.descriptorNumber, .signals, 0)
        for (index, descriptor) in stage.endDescriptors.enumerated() { try watch(descriptor, .server, UInt32(index)) }
        try startVMs()
        while true {
            let now = BootClock.now()
            try advance(now)
            if case .done = phase { break }
            tell(now)
            try wait(now)
        }
        progress.end()
        // VMs first: their commands must not find the device gone.
        guests.removeAll()
        launched.removeAll()
        record.trace = stage.close()
        return record
    }

    private func startVMs() throws(DemoError) {
        for (index, plan) in scene.guests.enumerated() {
            let guest = try VMProcess(
                guest: plan, seed: scene.seed &+ UInt64(index), policy: scene.policy, stage: stage)
            try watch(guest.descriptor, .guest, UInt32(index))
            guests.append(guest)
        }
        guard scene.launches != .none else { return }
        for _ in 0..<DemoLimits.launchesPrepared { try prepareLaunch() }
    }

    private func prepareLaunch() throws(DemoError) {
        let number = prepared
        prepared += 1
        let vm = try VMProcess(
            launching: scene.profile.name, name: "launch-\(number + 1)", seed: scene.seed &+ 1_000 &+ UInt64(number),
            policy: scene.policy, stage: stage)
        try watch(vm.descriptor, .launch, number)
        launched[number] = vm
    }
}

// MARK: - Time

extension SceneRun {
    private func advance(_ now: Instant) throws(DemoError) {
        switch phase {
        case .starting(let until):
            if guests.allSatisfy(\.isReady) {
                try begin(now)
            } else if now >= until {
                let late = guests.filter { !$0.isReady }.map(\.name)
                throw .failed(what: "\(late.count) VMs did not start in time, among them \(late[0])", log: "")
            }
        case .warmingUp where now >= record.slotStart: phase = .measuring
        case .measuring where now >= record.slotEnd: phase = underWay == nil ? .done : .finishing
        case .finishing where underWay == nil: phase = .done
        case .finishing where now >= record.slotEnd + scene.grace:
            record.cutLaunch = underWay.map { SceneRecord.CutLaunch(requested: $0.requested, cut: now) }
            phase = .done
        case .warmingUp, .measuring, .finishing, .done: break
        }
        if case .measuring = phase { try launchIfDue(now) }
    }

    private func begin(_ now: Instant) throws(DemoError) {
        started = now
        record.slotStart = now + scene.warmUp
        record.slotEnd = record.slotStart + scene.slot
        nextLaunch = record.slotStart
        for (guest, plan) in zip(guests, scene.guests) { try guest.start(at: now + plan.phase) }
        progress.begin(scene.title, length: scene.warmUp + scene.slot)
        phase = .warmingUp
    }

    private func launchIfDue(_ now: Instant) throws(DemoError) {
        guard underWay == nil, now >= nextLaunch, let vm = launched[next], vm.isReady else { return }
        try vm.start(at: now)
        underWay = (next, now)
        next += 1
        if case .every(let interval) = scene.launches { nextLaunch += interval }
    }

    /// When the next thing happens by itself.
    private func wakeUp(_ now: Instant) -> Instant {
        switch phase {
        case .starting(let until): until
        case .warmingUp: record.slotStart
        case .measuring: nextLaunch > now ? min(nextLaunch, record.slotEnd) : record.slotEnd
        case .finishing: record.slotEnd + scene.grace
        case .done: now
        }
    }

    private func tell(_ now: Instant) {
        guard now >= nextProgress, started > .distantPast else { return }
        nextProgress = now + DemoLimits.progressEvery
        var news: [String] = []
        if let last = record.launches.last {
            let latency = Format.fixed(last.bootLatency.milliseconds, 0)
            news.append("\(record.launches.count) launches, the last in \(latency) ms")
        } else if let underWay {
            news.append("a launch under way for \(Format.fixed((now - underWay.requested).seconds, 1)) s")
        }
        if !guests.isEmpty { news.append("\(record.reports.reduce(0) { $0 + $1.count }) reports") }
        progress.update(elapsed: now - started, news.joined(separator: ", "))
    }
}

// MARK: - Events

extension SceneRun {
    private func watch(_ descriptor: Int32, _ member: Member, _ index: UInt32) throws(DemoError) {
        do {
            try poll.add(descriptor, for: .readable, token: EventToken(slot: index, generation: member.rawValue))
        } catch {
            throw .system(error)
        }
    }

    private func wait(_ now: Instant) throws(DemoError) {
        let until = min(wakeUp(now), now + DemoLimits.progressEvery)
        // Rounded up: waking a little late is better than spinning through the last millisecond.
        let milliseconds = Int32(max(0, (until - now).count + 999_999) / 1_000_000)
        let count: Int
        do { count = try poll.wait(milliseconds: milliseconds) } catch { throw .system(error) }
        for index in 0..<count {
            let token = poll.event(index).token
            switch Member(rawValue: token.generation) {
            case .signals: try signals.throwIfSignalled()
            case .server: throw stage.ended(server: Int(token.slot))
            case .guest: try listen(toGuest: Int(token.slot))
            case .launch: try listen(toLaunch: token.slot)
            case nil: break
            }
        }
    }

    private func listen(toGuest index: Int) throws(DemoError) {
        for _ in 0..<DemoLimits.recordsPerEvent {
            switch try guests[index].next() {
            case .nothing: return
            case .hungUp: throw .failed(what: "\(guests[index].name) ended unexpectedly", log: "")
            case .report(.report(let end)): record.reports[index].append(end)
            case .report(.busy(let at)): record.refusals.append(at)
            case .report(.keyLost): record.keysLost += 1
            case .report: break
            }
        }
    }

    private func listen(toLaunch number: UInt32) throws(DemoError) {
        guard let vm = launched[number] else { return }
        switch try vm.next() {
        case .nothing, .report(.ready): break
        case .report(.launched(let times)):
            record.launches.append(times)
            underWay = nil
            if case .measuring = phase { try prepareLaunch() }
        case .report: break
        case .hungUp:
            guard underWay?.number != number, vm.isReady else {
                throw .failed(what: "\(vm.name) ended unexpectedly", log: "")
            }
            launched[number] = nil
        }
    }
}
