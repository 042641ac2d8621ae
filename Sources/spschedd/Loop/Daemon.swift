import Arbiter
import ConfigurationFiles
import Glibc
import LinuxIO
import VMMProtocol

/// The daemon: one thread that owns the Arbiter and waits in one epoll.
///
/// ```
///   registered VMs ─┐                                                      ┌─► replies, sent at once
///   timer          ─┼─► epoll ──► state machines ──► Arbiter ──► decisions ─┼─► probes
///   sd-event       ─┤     ▲                                                 └─► the timer's next time
///                         └── background: listeners, newcomers, those who flood, operators; a bounded share
/// ```
///
/// Nothing here may block: the journal and the service manager are told by other threads.
final class Daemon {
    var configuration: DaemonConfiguration
    let logger: Logger
    let notifier: Notifier
    let clock: DaemonClock
    /// Random for each start.
    let epoch = UInt64.random(in: 1...UInt64.max)
    let startedAt: Instant

    var arbiter: RecordedArbiter
    let trace: TraceRecorder?
    /// Writes down what the next daemon must know, where a service manager keeps it.
    let keeper: StateKeeper?
    /// Why what was kept could not be used.
    let stateProblems: [UnusableState]
    var unknownDescriptors: UnknownDescriptors?
    /// Filled by the Arbiter and carried out at once. Its room is kept.
    var decisions: [Decision] = []
    var connections: ConnectionTable
    var accounts = AccountTable()
    var policies: PolicyTable
    var vms: VMTable
    var counters = DaemonCounters()
    /// Connections to be closed, of those that are served first and of the others.
    var doomed: [EventToken] = []
    var doomedInBackground: [EventToken] = []

    let poll: EventPoll
    var background: BackgroundLane
    let listeners: ListeningSockets
    var deviceAccess: DeviceAccess
    var deviceLink: DeviceLink
    var deviceState = DeviceState.alive
    var platformDesk = PlatformDesk()
    let manager: ManagerServer
    /// What operators may ask about, or wait for.
    var refusals: RefusalLog
    var rejections = RejectionLog()
    var changes = ChangeLog()
    var saidReservationsAreSuspended = false
    /// `nil`: it was started without files to read again.
    var configurationReader: ConfigurationReader?
    var reloadDesk = ReloadDesk()

    /// Room for the message being read, and for the one being written.
    // SAFETY: only the daemon's own thread touches it, one message at a time.
    let inbox = Inbox()
    var outgoing = MessageBuffer()

    /// As of the last event: good enough for what does not charge anybody.
    var now: Instant
    /// Nothing has been done since `now` was read.
    var isNowFresh = false
    /// When a registered VM last asked something.
    var lastAsked = Instant.distantPast
    private let timer: BootTimer
    private var timerSetFor: Instant?
    var housekeepingAt: Instant
    var deviceCheckAt: Instant
    var acceptPausedUntil: Instant?
    var isStopping = false
    /// After a restart: how many clients have not said yet what they wait for, and until when that is waited for.
    var resyncsAwaited = 0
    var resyncEnds: Instant?
    /// Connections that the service manager keeps, and those that it is still to be given.
    var storedConnections = 0
    var storeLater: [EventToken] = []
    var failpoint = Failpoint.fromEnvironment()
    /// A probe was wanted and could not be made.
    var isUnprobed = false
    /// The last one told to the service manager.
    var toldStatus = ""
    var eventBudgets = EventBudgets()
    var isCarryingOut = false
    /// What the observer has told.
    var requestBook = RequestBook()
    /// What the Arbiter reported of every VM, for lists.
    var managerReports: (at: Instant, ofSlot: [UInt32: VMReport]) = (.distantPast, [:])

    init(
        configuration: DaemonConfiguration, listeners: consuming ListeningSockets, logger: Logger, notifier: Notifier,
        clock: DaemonClock = .boot, stored: StoredDescriptors = StoredDescriptors()
    ) throws {
        let now = clock.now()
        self.configuration = configuration
        self.logger = logger
        self.notifier = notifier
        self.clock = clock
        self.listeners = listeners
        self.now = now
        startedAt = now
        housekeepingAt = now + DaemonLimits.deviceCheckEvery
        deviceCheckAt = now + DaemonLimits.deviceCheckEvery
        trace = Self.openTrace(configuration, epoch: epoch, now, logger)
        let places = try DescriptorLimit.connections(wanted: configuration.clients.connectionsMax)
        let opened = try Self.openState(configuration, places, stored, epoch: epoch, now, logger, notifier)
        keeper = opened?.keeper
        let restored = opened?.restored
        stateProblems = opened?.problems ?? []
        let machines = max(Int(configuration.clients.vmsMax), restored?.places ?? 0)
        if let restored {
            arbiter = RecordedArbiter(
                try restored.arbiter(configuration.arbiter, virtualMachines: machines, now: now), keeper: keeper)
        } else {
            arbiter = RecordedArbiter(
                Arbiter(configuration: configuration.arbiter, virtualMachines: machines, now: now), keeper: keeper,
                recorder: trace)
        }
        policies = try PolicyTable(configuration.policies)
        vms = VMTable(capacity: machines)
        refusals = RefusalLog(virtualMachines: machines)
        connections = ConnectionTable(capacity: places, restored?.lastTokens ?? [])
        deviceAccess = DeviceAccess(path: configuration.device.path)
        deviceLink = DeviceLink(path: configuration.device.probeSocket)
        manager = ManagerServer(version: PackageVersion.current, group: try OperatorGroup.of(configuration.manager))
        poll = try EventPoll(capacity: DaemonLimits.eventsPerWait)
        background = try BackgroundLane()
        timer = try BootTimer()
        decisions.reserveCapacity(2 * Int(configuration.clients.vmsMax) + 16)
        doomed.reserveCapacity(connections.capacity)
        doomedInBackground.reserveCapacity(connections.capacity)
        try watch()
        goOn(restored, stored)
    }

    private func watch() throws(SystemError) {
        try poll.add(timer.descriptor.number, for: .readable, token: Member.timer.token)
        try poll.add(background.poll.descriptor.number, for: .readable, token: Member.background.token)
        try watchListeners()
    }

    func watchListeners() throws(SystemError) {
        try background.poll.add(
            listeners.vmm.descriptor.number, for: .readable, token: Member.vmmListener.token)
        try background.poll.add(
            listeners.manager.descriptor.number, for: .readable, token: Member.managerListener.token)
    }
}

/// Members of the two epolls that are not VMMs' connections. Their slots lie above any connection's.
enum Member: UInt32 {
    case timer = 0xFFFF_0000
    case systemd
    case vmmListener
    case managerListener
    case deviceLink
    case background
    case configurationReader

    var token: EventToken { EventToken(slot: rawValue, generation: 0) }

    /// Manager connections have the slots from here on, below the others.
    static let managerSlots: UInt32 = 0xFFFE_0000
}

struct DaemonCounters {
    var grants: Int64 = 0
    var busies = BusyCounts()
    /// Connections closed for breaking the protocol.
    var protocolErrors: Int64 = 0
    /// VMs that registered anew, registrations that were not admitted, connections turned away.
    var registrations: Int64 = 0
    var rejections = RejectionCounts()
    var connectionsRefused: Int64 = 0
    /// Connections taken over from the daemon before, and registrations that were resumed by their token.
    var adopted: Int64 = 0
    var resumed: Int64 = 0
}

// MARK: - The loop

extension Daemon {
    /// Serves until a signal says to stop.
    func run() throws {
        let systemd = try SystemdEvents { [unowned self] in occurred($0) }
        try poll.add(systemd.descriptor, for: .readable, token: Member.systemd.token)
        begin()
        while !isStopping { try turn(systemd) }
        end()
    }

    /// One turn: wait, serve the VMs, then time, then what can wait.
    ///
    /// - Parameter mayWait: false serves what is there now.
    /// - Returns: whether there was anything to do.
    @discardableResult
    func turn(_ systemd: SystemdEvents?, mayWait: Bool = true) throws(SystemError) -> Bool {
        try armTimer()
        let wasUnprobed = isUnprobed
        let count = try wait(mayWait && doomed.isEmpty && !backgroundHasWork && !wasUnprobed)
        now = clock.now()
        isNowFresh = true
        var hasOccurred = false
        var hasBackground = backgroundHasWork
        for index in 0..<count {
            let event = poll.event(index)
            switch Member(rawValue: event.token.slot) {
            case .systemd: hasOccurred = true
            case .background: hasBackground = true
            default: serve(event)
            }
        }
        if wasUnprobed { giveUpProbe() }
        advance()
        closeDoomed()
        if hasOccurred { systemd?.dispatch() }
        if hasBackground { try serveBackground() }
        if let trace, trace.wantsSegment { arbiter.beginSegment(at: clock.now()) }
        return count > 0 || hasBackground || !doomed.isEmpty || isUnprobed
    }

    /// Waits for events; if so configured, awake for a moment after a VM has asked something.
    private func wait(_ mayWait: Bool) throws(SystemError) -> Int {
        let awakeUntil = lastAsked + configuration.loop.spin
        while mayWait, now < awakeUntil {
            let count = try poll.wait(milliseconds: 0)
            if count > 0 { return count }
            now = clock.now()
        }
        return try poll.wait(milliseconds: mayWait ? nil : 0)
    }

    func serve(_ event: EventPoll.Event) {
        if let connection = connections[event.token] { return serve(connection, event.readiness) }
        switch Member(rawValue: event.token.slot) {
        case .timer: timerSetFor = nil
        case .vmmListener: acceptClients()
        case .managerListener: manager.accept(self)
        case .deviceLink: receiveFromDevice()
        case .configurationReader: configurationWasRead()
        case .systemd, .background: break
        case nil: manager.noteReady(event)
        }
    }

    /// Work that no descriptor tells of.
    private var backgroundHasWork: Bool {
        (manager.hasWork || !doomedInBackground.isEmpty) && !background.isMuted
    }

    /// Runs what has come due.
    private func advance() {
        if let wake = arbiter.nextWake, wake <= now {
            arbiter.advance(to: now, into: &decisions)
            carryOutDecisions()
        }
        let areSuspended = arbiter.reservationsAreSuspended(at: now)
        if areSuspended != saidReservationsAreSuspended { noteReservations(areSuspended: areSuspended) }
        if resyncEnds != nil { endResyncIfDue(now) }
        if housekeepingAt <= now { keepHouse(now) }
    }

    /// A timer that fires too early costs one idle turn; setting it anew for each grant would cost a system call each.
    private func armTimer() throws(SystemError) {
        if background.isMuted, background.mayRun(at: now, lastAsked: lastAsked) { try muteBackground(false) }
        guard clock.canWake else { return }
        var wake = min(arbiter.nextWake ?? .distantFuture, housekeepingAt)
        if background.isMuted { wake = min(wake, background.resumesAt) }
        if let resyncEnds { wake = min(wake, resyncEnds) }
        if let set = timerSetFor, set <= wake, set > now { return }
        try timer.set(wake)
        timerSetFor = wake
    }

    private func occurred(_ occurrence: SystemdEvents.Occurrence) {
        switch occurrence {
        case .watchdog: notifier.alive()
        case .signal(SIGHUP): reloadBySignal()
        case .signal(let signal):
            isStopping = true
            log(.stopping, .info, "Stopping: \(signal == SIGINT ? "interrupted" : "told to end")")
        }
    }
}
