import Arbiter

/// Every fixed limit of the daemon, each with its reason. What an operator may set is in `DaemonConfiguration`.
enum DaemonLimits {
    // MARK: One turn of the loop

    /// Events taken from the kernel at once: a host's VMs all asking together; the rest come with the next wait.
    static let eventsPerWait = 256

    // MARK: What can wait

    /// Events of the background served at once, each by one message, one connection or one operator's step of some ten
    /// microseconds: together about as long as the shortest firmware command.
    static let backgroundBatch = 32
    /// A batch ends after this time, whatever is left of it: registering where there are a thousand VMs takes longer.
    static let backgroundBatchTime = Nanoseconds.microseconds(500)
    /// Connections accepted in one batch: its other events have their turn, and a host's VMs are all accepted in a
    /// fraction of a second while others ask.
    static let acceptsPerBatch = 8
    /// The background gets one part in so many of the time while VMs ask for turns: enough to accept some thousand
    /// connections a second, too little for anyone to notice.
    static let backgroundShare: Int64 = 10
    /// Batches are at least this far apart while VMs ask: of a hundred thousand turns in a second, batches then make
    /// one hundred late. Connecting and registering takes three of them.
    /// And no further than this: a batch may last long because the daemon had no CPU, or the host was suspended.
    static let backgroundPause = Nanoseconds.milliseconds(10)...Nanoseconds.milliseconds(100)
    /// After this long without a question from a VM nobody is in the background's way. A launch asks more often.
    static let quietAfter = Nanoseconds.milliseconds(1)

    // MARK: Floods

    /// Messages of one connection in one `budgetWindow` that earn no turn. Retries, cancels and launches that begin
    /// make a handful; whoever exceeds it waits a few milliseconds longer, no more.
    static let unearnedMessages = 64
    /// Connections of one account in the same time: as many as a host has VMs, all starting at once.
    static let unearnedConnections = 256
    /// Short enough that a flood is seen before it has cost anyone a millisecond.
    static let budgetWindow = Nanoseconds.seconds(1)
    /// What a turn pays for: its ACQUIRE, its RELEASE, and a LAUNCH_BEGIN or CANCEL around it.
    static let messagesPerTurn = 4
    /// A connection that flooded is served after the others until it has not done so for this long.
    static let deferredFor = Nanoseconds.seconds(5)

    /// VMs that leave, their time to linger over, in one pass of housekeeping; the next is a moment later.
    static let leavingAtOnce = 32
    /// Connections closed between two rounds of messages: each costs a handful of system calls.
    static let closesPerTurn = 4

    // MARK: One connection

    /// Replies that wait for a client which does not read: some fifty, beside the kernel's own 200 KiB.
    static let outboxBytes = 16 * 1024

    /// Messages thrown away when a connection is closed: more do not fit into the kernel's queue.
    static let recordsDiscarded = 1_024

    // MARK: Now and then

    /// Silent and lingering clients are looked for no more often than this, however many there are.
    static let housekeepingEvery = Nanoseconds.milliseconds(100)
    /// A device that is absent is looked for again this often, and one that is there is looked at.
    static let deviceCheckEvery = Nanoseconds.seconds(5)
    /// When the process has no descriptor left, accepting stops this long: the condition does not pass in microseconds.
    static let acceptPause = Nanoseconds.seconds(1)

    // MARK: What the observer tells

    /// As many as the observer counts: more VMs than a host has address-space ids for.
    static let observedProcesses = 1_024
    /// Of them an operator reads a screenful; the rest is counted.
    static let observedProcessesShown = 32
    /// The observer tells of a process for a minute after its last request.
    static let observationMemory = Nanoseconds.seconds(120)
    /// A guest that was refused by the kernel or its own program comes back every 2 s: who asks nothing for five of
    /// these has stopped.
    static let bypassingFor = Nanoseconds.seconds(10)
    /// Of the launch whose bound is told: a small VMM's, as in the demonstration.
    static let boundPages: Int64 = 64

    // MARK: spschedd-device

    /// Pauses between attempts to reach it: a restart takes a quarter of a second, an absent one is not worth more.
    static let deviceLinkPauses = Nanoseconds.milliseconds(100)...Nanoseconds.seconds(10)

    // MARK: What is written

    /// Records that wait for the journal. It stalls for seconds when its disk does; a busy second makes a few dozen.
    static let logRecords = 1_024
    /// The longest message or field of a record: two sentences and some names.
    static let logFieldBytes = 2_048
    /// Records about one account in one window, of its VMs' comings and goings and of what went wrong each: as many as
    /// a person reads. More are counted, and the count is reported.
    static let logRecordsPerAccount = 16
    /// Short enough to read of the next trouble soon; doubled as long as an account offends in each.
    static let logWindow = Nanoseconds.seconds(10)...Nanoseconds.seconds(640)
    /// How long the last records may take to be written before the process ends without them.
    static let logFlush = Nanoseconds.seconds(2)

    // MARK: Manager connections

    /// Operators, a metrics reader and a few scripts. Each costs at most 80 KiB.
    static let managerConnections = 32
    /// Those of one user: its terminals and scripts. Root and the daemon's own user have no such bound: it would keep
    /// out whoever comes to see what is wrong.
    static let managerConnectionsOfUser = 8
    /// Places that nobody but those two takes: whatever others leave open, an administrator gets in, and the observer.
    static let managerConnectionsKept = 4
    /// One read takes most requests whole: they are a few hundred bytes.
    static let managerReadBytes = 4_096
    /// Different refusals of each VM that are remembered: the last, what was before, and before that. Each takes 56
    /// bytes.
    static let refusalsRemembered = 4
    /// Refusals for one reason belong together if they are no further apart: a guest comes back after 2 s.
    static let refusalsApart = Nanoseconds.seconds(10)
    /// Registrations not admitted that are remembered, some hundred bytes each: who tries again is counted, not listed.
    static let rejectionsRemembered = 256
    /// Those of one account, which must not push out the others'.
    static let rejectionsOfAccount = 32
    /// Changes that a watcher may be behind: a host's VMs all registering at once. Each takes some 200 bytes.
    static let changesKept = 1_024
    /// A list of VMs shows figures no older than this.
    static let managerReportsAge = Nanoseconds.seconds(1)

    // MARK: Restart

    /// Connections that the service manager keeps: their names are one variable of the next daemon's environment, which
    /// the kernel limits to 128 KiB; a name takes 18 bytes at most.
    static let storedConnections = 6_000
    /// Descriptors on their way to the service manager: a host's VMs all registering at once. Further ones follow a
    /// moment later.
    static let storeOrders = 1_024
    /// After a restart nothing is granted for so long, or until every client has said what it waits for: what a launch
    /// waits for must not be overtaken because its process was scheduled later than a guest's.
    static let resyncPatience = Nanoseconds.milliseconds(100)
    /// Of that, the last answer's requests get so long to arrive: they were sent together.
    static let resyncSettles = Nanoseconds.milliseconds(1)
    /// More than the state of the greatest settings takes.
    static let stateBytes = 1 << 28
    /// In the record of those that were let go of: enough to see where they came from.
    static let unknownDescriptorsNamed = 4

    // MARK: Descriptors

    /// Those beside the connections: listeners, device, timers, journal, and room for one handed out.
    static let descriptorsBesideConnections = 64
}
