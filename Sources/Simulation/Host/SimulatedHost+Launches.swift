import Arbiter
import SPModel

/// Launches: when they come, and what their VMMs do.
extension SimulatedHost {
    // MARK: Requests

    /// A group's pattern says that launches are due.
    mutating func requestLaunches(_ group: Int) {
        guard now < ended else { return }
        switch launchGroups[group].pattern {
        case .oneAfterAnother, .continuous: request(group)
        case .evenly(let every, _):
            request(group)
            agenda.plan(.request(group: group), at: now + every)
        case .random:
            request(group)
            agenda.plan(.request(group: group), at: now + launchGroups[group].arrivals.next())
        case .storm(let count, _, let every):
            for _ in 0..<count { request(group) }
            if let every { agenda.plan(.request(group: group), at: now + every) }
        }
    }

    private mutating func request(_ group: Int) {
        launchGroups[group].record.requested += 1
        guard let place = freePlaces.popLast() else {
            launchGroups[group].record.turnedAway += 1
            return
        }
        launchesOpen += 1
        lastSerial += 1
        let number = launchGroups[group].record.requested - 1
        var launch = SimulatedLaunch(
            boot: BootRecord(requested: now, settled: now),
            random: SplitMix64(seed: launchGroups[group].seed &+ UInt64(number)))
        launch.serial = lastSerial
        launch.group = group
        launch.path = launchGroups[group].path
        launch.crash = drawCrash(group, &launch.random)
        launch.unitsLeft = launchGroups[group].ioctls[0].units
        if launchGroups[group].record.boots.count < HostLimits.bootsRecorded {
            launch.index = launchGroups[group].record.boots.count
            launchGroups[group].record.boots.append(launch.boot)
        }
        launches[place] = launch
        register(place)
    }

    private func drawCrash(_ group: Int, _ random: inout SplitMix64) -> (step: Int, holdsTurn: Bool)? {
        guard let oneIn = launchGroups[group].crashesOneIn, random.next() % oneIn == 0 else { return nil }
        let step = Int(random.below(Int64(launchGroups[group].ioctls.count)))
        return (step, random.next() % 2 == 0)
    }

    private mutating func register(_ place: Int) {
        let group = launches[place].group
        guard launches[place].path == .arbitrated else {
            launchGroups[group].record.admission.admitted += 1
            return act(place, .asking)
        }
        do {
            let admission = try arbiter.register(launchGroups[group].registration, account: account, now: now)
            launchGroups[group].record.admission.add(admission)
            launches[place].vm = admission.vm
            act(place, .opening)
        } catch {
            launchGroups[group].record.admission.add(error)
            close(place, .notAdmitted)
        }
    }

    // MARK: Steps

    mutating func launchActs(_ place: Int, _ serial: UInt64) {
        guard launches[place].serial == serial else { return }
        act(place, launches[place].stage)
    }

    private mutating func act(_ place: Int, _ stage: SimulatedLaunch.Stage) {
        launches[place].stage = stage
        switch stage {
        case .opening: open(place)
        case .asking: ask(place)
        case .issuing: issueIoctl(place)
        case .booting: close(place, .running)
        case .crashing: crash(place)
        case .free, .waiting, .inService: break
        }
    }

    private mutating func plan(_ place: Int, _ stage: SimulatedLaunch.Stage, after pause: Nanoseconds) {
        launches[place].stage = stage
        agenda.plan(.launch(place: place, serial: launches[place].serial), at: now + pause)
    }

    /// Opens the launch session; where the launch bucket is empty, later.
    private mutating func open(_ place: Int) {
        let declared = launchGroups[launches[place].group].declared
        do {
            launches[place].session = try arbiter.beginLaunch(declared, of: launches[place].vm, now: now)
            act(place, .asking)
        } catch {
            guard case .busy(let busy) = error else {
                preconditionFailure("a launch's declaration was a mistake: \(error)")
            }
            plan(place, .opening, after: max(busy.retryAfter, .milliseconds(1)))
        }
    }

    private func ioctl(_ place: Int) -> CommandSequence {
        launchGroups[launches[place].group].ioctls[launches[place].step]
    }

    private func isWhole(_ place: Int) -> Bool { launchGroups[launches[place].group].isWhole }

    private mutating func ask(_ place: Int) {
        switch launches[place].path {
        case .straight, .limited:
            launches[place].unitsGranted = launches[place].unitsLeft
            noteBegin(place)
            act(place, .issuing)
        case .prioritised:
            launches[place].stage = .waiting
            waiting += 1
            priority.ask(.launch(place, order: launches[place].serial), now: now)
        case .arbitrated:
            launches[place].stage = .waiting
            let (kind, units) = asked(place)
            do {
                try arbiter.acquire(
                    kind, units: units, maxWait: nil, request: newRequest(place), of: launches[place].vm, now: now,
                    into: &decisions)
                noteAsked(kind)
            } catch {
                preconditionFailure("a launch's request was a mistake: \(error)")
            }
        }
    }

    private func asked(_ place: Int) -> (CommandKind, UInt32) {
        guard !isWhole(place) else { return (.wholeLaunch, launchGroups[launches[place].group].declared.pages) }
        return (ioctl(place).kind, launches[place].unitsLeft)
    }

    private mutating func newRequest(_ place: Int) -> RequestID {
        lastTag += 1
        return RequestID(origin: Origin.launch(place, serial: launches[place].serial), tag: lastTag)
    }

    private mutating func noteAsked(_ kind: CommandKind) {
        waiting += 1
        if kind == .wholeLaunch { wholesWaiting += 1 }
    }

    /// The turn has come. If its session goes on from the turn before, the VMM has its own work to do first.
    mutating func launchWasGranted(_ place: Int, _ turn: TurnID?, units: UInt32) {
        let isContinued = launches[place].unitsLeft < ioctl(place).units
        launches[place].turn = turn
        launches[place].unitsGranted = isWhole(place) ? launches[place].unitsLeft : units
        noteBegin(place)
        if isContinued { plan(place, .issuing, after: pause(place)) } else { act(place, .issuing) }
    }

    /// What the baseline scheduler grants: as much as the Arbiter would.
    func unitsInTurn(_ place: Int) -> UInt32 {
        let kind = ioctl(place).kind
        let isDivisible = kind == .launchUpdate || kind == .legacyLaunch
        return isDivisible ? min(launches[place].unitsLeft, plan.configuration.chunkPages) : launches[place].unitsLeft
    }

    private mutating func noteBegin(_ place: Int) {
        if launches[place].boot.began == nil { launches[place].boot.began = now }
    }

    private mutating func pause(_ place: Int) -> Nanoseconds {
        plan.profile.gaps.nextIoctl(using: &launches[place].random)
    }

    private mutating func issueIoctl(_ place: Int) {
        launches[place].stage = .inService
        let ioctl = ioctl(place)
        guard
            let part = CommandSequence(
                kind: ioctl.kind, units: launches[place].unitsGranted, pageKind: ioctl.pageKind,
                hasIDBlock: ioctl.hasIDBlock)
        else { preconditionFailure("a turn of \(launches[place].unitsGranted) units of \(ioctl.kind) is no ioctl") }
        processor.submit(
            part, origin: Origin.launch(place, serial: launches[place].serial), tag: 0, at: now, into: &completions)
    }

    // MARK: What came of it

    mutating func ioctlEnded(_ place: Int, _ completion: SecureProcessor.Completion) {
        launches[place].boot.service += completion.service
        launches[place].unitsLeft -= min(completion.unitsDone, launches[place].unitsLeft)
        if completion.error != nil {
            returnTurn(place, completion)
            return close(place, .failed)
        }
        if let crash = launches[place].crash, crash.step == launches[place].step {
            if !crash.holdsTurn { returnTurn(place, completion) }
            return crash.holdsTurn ? self.crash(place) : plan(place, .crashing, after: pause(place))
        }
        guard launches[place].unitsLeft == 0 else { return goOn(place, completion) }
        launches[place].step += 1
        let ioctls = launchGroups[launches[place].group].ioctls
        guard launches[place].step < ioctls.count else {
            returnTurn(place, completion)
            return finish(place)
        }
        launches[place].unitsLeft = ioctls[launches[place].step].units
        launches[place].unitsGranted = launches[place].unitsLeft
        guard isWhole(place), launches[place].turn != nil || launches[place].path == .prioritised else {
            returnTurn(place, completion)
            return plan(place, .asking, after: pause(place))
        }
        plan(place, .issuing, after: pause(place))
    }

    /// The rest of a region: the next turn in the same message, and the next ioctl after the VMM's own work.
    private mutating func goOn(_ place: Int, _ completion: SecureProcessor.Completion) {
        guard launches[place].path == .arbitrated, let turn = launches[place].turn else {
            returnTurn(place, completion)
            return act(place, .asking)
        }
        launches[place].turn = nil
        launches[place].stage = .waiting
        let kind = ioctl(place).kind
        do {
            try arbiter.releaseAndAcquire(
                turn, TurnOutcome(unitsDone: completion.unitsDone), kind, units: launches[place].unitsLeft,
                maxWait: nil, request: newRequest(place), of: launches[place].vm, now: now, into: &decisions)
            turnsOutstanding -= 1
            noteAsked(kind)
        } catch {
            preconditionFailure("the rest of a region was a mistake: \(error)")
        }
    }

    private mutating func returnTurn(_ place: Int, _ completion: SecureProcessor.Completion) {
        holdLatest = now + max(Limits.holdMax, plan.configuration.hold)
        switch launches[place].path {
        case .straight, .limited: break
        case .prioritised:
            turnsOutstanding -= 1
            priority.release(now: now)
        case .arbitrated:
            guard let turn = launches[place].turn else { return }
            launches[place].turn = nil
            let outcome = TurnOutcome(
                unitsDone: completion.unitsDone, reportsDeviceTrouble: completion.error?.isOfDevice == true)
            release(turn, outcome, of: launches[place].vm)
        }
    }

    mutating func launchWasRefused(_ place: Int) { plan(place, .asking, after: GuestDriver.busyRetry) }

    /// The Arbiter ended its session.
    mutating func launchWasEnded(_ place: Int) {
        launches[place].session = nil
        close(place, .failed)
    }

    private mutating func finish(_ place: Int) {
        launches[place].boot.ended = now
        endSession(place)
        plan(place, .booting, after: BootModel.outsideTheSP)
        if case .continuous = launchGroups[launches[place].group].pattern { requestNext(launches[place].group) }
    }

    private mutating func endSession(_ place: Int) {
        switch launches[place].path {
        case .straight, .limited: break
        case .prioritised: priority.close(order: launches[place].serial, now: now)
        case .arbitrated:
            guard let session = launches[place].session else { return }
            launches[place].session = nil
            do {
                try arbiter.endLaunch(session, of: launches[place].vm, now: now, into: &decisions)
            } catch {
                preconditionFailure("the end of a launch was a mistake: \(error)")
            }
        }
    }

    private mutating func crash(_ place: Int) { close(place, .crashed) }

    // MARK: The end

    /// The VM runs, or is gone; either way it unregisters, and its place is free.
    private mutating func close(_ place: Int, _ outcome: BootRecord.Outcome) {
        let launch = launches[place]
        processor.hangUp(origin: Origin.launch(place, serial: launch.serial))
        leave(place)
        settle(place, outcome)
        launches[place].stage = .free
        launches[place].serial = 0
        launches[place].turn = nil
        freePlaces.append(place)
        launchesOpen -= 1
        let group = launch.group
        switch launchGroups[group].pattern {
        case .oneAfterAnother: requestNext(group, after: outcome)
        case .continuous where outcome != .running: requestNext(group, after: outcome)
        case .continuous, .evenly, .random, .storm: break
        }
    }

    private mutating func leave(_ place: Int) {
        switch launches[place].path {
        case .straight, .limited: break
        case .prioritised:
            if launches[place].stage == .waiting { waiting -= 1 }
            let held = priority.isIdle
            priority.close(order: launches[place].serial, now: now)
            if !held, priority.isIdle { turnsOutstanding -= 1 }
        case .arbitrated:
            guard launches[place].vm != .none else { return }
            // A request that waits is answered BUSY, which is counted when it is heard.
            if launches[place].turn != nil { turnsOutstanding -= 1 }
            arbiter.unregister(launches[place].vm, now: now, into: &decisions)
        }
    }

    private mutating func settle(_ place: Int, _ outcome: BootRecord.Outcome) {
        launches[place].boot.settled = now
        launches[place].boot.outcome = outcome
        guard let index = launches[place].index else { return }
        launchGroups[launches[place].group].record.boots[index] = launches[place].boot
    }

    private mutating func requestNext(_ group: Int, after outcome: BootRecord.Outcome = .running) {
        let pause = outcome == .running ? .zero : HostLimits.pauseAfterFailure
        agenda.plan(.request(group: group), at: now + pause)
    }

    /// The grace is over: what is still under way is cut.
    mutating func cutLaunches() {
        for place in launches.indices where launches[place].stage != .free {
            settle(place, .cut)
            launches[place].stage = .free
        }
        launchesOpen = 0
    }
}

extension AdmissionRecord {
    mutating func add(_ admission: Admission) {
        admitted += 1
        reserved.millihertz += admission.reservation.millihertz
    }

    mutating func add(_ refusal: AdmissionRefusal) {
        refused += 1
        if firstRefusal == nil { firstRefusal = refusal }
    }
}
