import Arbiter
import SPModel

/// A host in virtual time: the SP behind the kernel's mutex, VMs that attest and VMs that are launched, and a policy.
///
/// ```
///   agenda (guests, VMMs, bursts) ──► policy: mutex, limit, priority or the production Arbiter
///        ▲                                │ may go
///        │                                ▼
///        └──── what they do next ◄── SecureProcessor, page by page
/// ```
///
/// Deterministic by the plan's seed; integers only. All VMs are of one account. The operator's other instruments, and
/// clients that break the protocol, are the business of `World`.
public struct SimulatedHost: ~Copyable {
    public let plan: HostPlan
    /// When the warm-up begins, on the host's own clock.
    static let boot = Instant(sinceBoot: .seconds(1_000))

    /// The counted time.
    let began: Instant
    let ended: Instant
    var now = Self.boot
    var isCounting = false
    public private(set) var isDone = false
    private var over: Instant
    var agenda = HostAgenda()

    // MARK: The SP

    var processor: SecureProcessor
    var completions: [SecureProcessor.Completion] = []
    /// Those before it have been dealt with.
    private var nextCompletion = 0
    private var countsBefore = SecureProcessor.Counts()
    private var teardownsOutstanding = 0
    private var lastTeardown: UInt64 = 0

    // MARK: The policy

    var arbiter: Arbiter
    let account: AccountID
    var decisions: [Decision] = []
    var priority: PriorityScheduler
    var lastTag: UInt64 = 0
    /// Requests without an answer, those of them for whole launches, and turns granted and not over.
    var waiting = 0
    var wholesWaiting = 0
    var turnsOutstanding = 0
    var gap: IdleGap?
    /// When the longest possible hold after the last launch turn ends.
    var holdLatest = Instant.distantPast

    // MARK: VMs

    var guests: [SimulatedGuest] = []
    var groups: [SimulatedGuestGroup] = []
    var launches: [SimulatedLaunch] = []
    var freePlaces: [Int] = []
    var launchGroups: [SimulatedLaunchGroup] = []
    var launchesOpen = 0
    var lastSerial: UInt64 = 0

    // MARK: The record

    var device = DeviceRecord()
    var reportTimesKept = 0

    /// - Throws: what of the plan makes no sense. VMs that the Arbiter does not admit are no error, but in the record.
    public init(_ plan: HostPlan) throws(HostPlanError) {
        try plan.check()
        self.plan = plan
        began = Self.boot + plan.warmUp
        ended = began + plan.duration
        over = ended + plan.grace
        processor = SecureProcessor(profile: plan.profile, seed: plan.seed, slowOneIn: plan.slowOneIn)
        var arbiter = Arbiter(
            configuration: plan.configuration, virtualMachines: plan.virtualMachines, now: Self.boot)
        guard let account = arbiter.openAccount() else { preconditionFailure("the first account was refused") }
        self.arbiter = arbiter
        self.account = account
        priority = plan.priorityScheduler(now: Self.boot)
        settleIn()
    }

    // MARK: Time

    /// Since the beginning of the warm-up.
    public var elapsed: Nanoseconds { now - Self.boot }

    /// Warm-up, counted time and grace: `elapsed` ends there at the latest.
    public var longest: Nanoseconds { plan.warmUp + plan.duration + plan.grace }

    /// Firmware commands served so far.
    public var commands: UInt64 { processor.counts.firmwareCommands }

    /// Plays on until `elapsed` has reached this, or all is over.
    public mutating func play(to elapsed: Nanoseconds) {
        let until = min(Self.boot + elapsed, over)
        while !isDone, step(by: until) {
            if now >= ended, launchesOpen == 0, !isCounting { end() }
        }
        now = isDone ? now : max(now, until)
        if now >= over { end() }
    }

    /// Plays to the end. `progress` is called after every `step` of virtual time.
    public mutating func run(
        step: Nanoseconds = .seconds(1), progress: (borrowing SimulatedHost) -> Void = { _ in }
    ) -> HostRecord {
        while !isDone {
            play(to: elapsed + step)
            progress(self)
        }
        return record
    }

    private mutating func end() {
        guard !isDone else { return }
        isDone = true
        cutLaunches()
    }

    /// Does the next thing that happens by `limit`, if there is one.
    private mutating func step(by limit: Instant) -> Bool {
        if nextCompletion == completions.count {
            let horizon = min(agenda.next, wake, limit)
            processor.advanceToCompletion(by: horizon, into: &completions)
        }
        if nextCompletion < completions.count {
            let completion = completions[nextCompletion]
            nextCompletion += 1
            if nextCompletion == completions.count {
                completions.removeAll(keepingCapacity: true)
                nextCompletion = 0
            }
            now = max(now, completion.ended)
            hear(completion)
        } else {
            let next = min(agenda.next, wake)
            guard next <= limit else { return false }
            now = max(now, next)
            happen()
        }
        settle()
        return true
    }

    /// When the policy has something to do by itself.
    private var wake: Instant {
        switch plan.policy {
        case .mutex, .rateLimit: .distantFuture
        case .priority: priority.wake(now: now)
        case .spschedd: arbiter.nextWake ?? .distantFuture
        }
    }

    private mutating func happen() {
        guard agenda.next <= now, let event = agenda.removeNext() else {
            if plan.policy == .spschedd { arbiter.advance(to: now, into: &decisions) }
            return
        }
        switch event {
        case .guest(let guest): guestActs(guest)
        case .launch(let place, let serial): launchActs(place, serial)
        case .request(let group): requestLaunches(group)
        case .teardown(let index): tearDown(index)
        case .fault(let index): processor.apply(plan.faults[index].fault, at: now, into: &completions)
        case .boundary: crossBoundary()
        }
    }

    private mutating func hear(_ completion: SecureProcessor.Completion) {
        if let guest = Origin.guest(of: completion.origin) {
            wasServed(guest, completion)
        } else if let place = launchPlace(completion.origin) {
            ioctlEnded(place, completion)
        } else if completion.origin == Origin.probe {
            probeReturned(completion)
        } else {
            teardownsOutstanding -= 1
        }
    }

    // MARK: Teardowns

    /// A burst is left out while the one before is not over: an SP that does not answer must not pile them up.
    private mutating func tearDown(_ index: Int) {
        let burst = plan.teardowns[index]
        agenda.plan(.teardown(index), at: now + burst.every)
        guard teardownsOutstanding == 0 else { return }
        for _ in 0..<burst.virtualMachines { submitTeardown(.decommission) }
        submitTeardown(.dataFabricFlush)
    }

    private mutating func submitTeardown(_ sequence: CommandSequence) {
        lastTeardown += 1
        teardownsOutstanding += 1
        processor.submit(sequence, origin: Origin.teardown(lastTeardown), tag: 0, at: now, into: &completions)
    }

    // MARK: The record

    /// The counted time begins or ends. The Arbiter brings its own account up to date, so that no gap spans it.
    private mutating func crossBoundary() {
        if plan.policy == .spschedd { arbiter.advance(to: now, into: &decisions) }
        settle()
        isCounting = now < ended
        if isCounting { countsBefore = processor.counts(at: now) } else { noteDevice() }
    }

    private mutating func noteDevice() {
        let counts = processor.counts(at: now)
        device.commands = counts.firmwareCommands - countsBefore.firmwareCommands
        device.busy = counts.busy - countsBefore.busy
        device.idle = now - began - device.busy
        device.launchService = counts.launches - countsBefore.launches
        device.guestService = counts.guests - countsBefore.guests
    }

    /// What happened so far; whole once `isDone`.
    public var record: HostRecord {
        var record = HostRecord(began: began, ended: ended)
        record.device = device
        record.guests = zip(plan.guests, groups).map { plan, group in
            GuestGroupRecord(
                name: plan.name, admission: group.admission, latency: group.latency,
                guests: guests[group.members].map(\.record), windows: group.windows)
        }
        record.launches = launchGroups.map(\.record)
        if plan.policy == .spschedd { record.arbiter = arbiter.overview(now: now).totals }
        return record
    }
}
