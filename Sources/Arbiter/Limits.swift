/// Every fixed limit and constant of the Arbiter, each with its reason. What an operator may set is in `Configuration`.
public enum Limits {
    // MARK: How much there may be

    /// Hosts offer at most a few hundred SNP ASIDs (1006 on Genoa with all of them given to SNP).
    public static let defaultVMs = 1_024
    /// An account is a uid and a label. libvirt's sVirt gives each QEMU a label of its own: as many accounts as VMs.
    public static let accounts = defaultVMs
    /// More than any host has, and few enough that a damaged saved state cannot ask for all memory.
    static let restoredVMs = 65_536
    /// Platform commands come from an administrator at a keyboard or from one probe at a time.
    public static let platformQueue = 16

    // MARK: Guests

    /// The Linux guest driver sleeps 2 s after BUSY; observed on a host: 2.046 s (five in 10.23 s).
    public static let retryQuantum = Nanoseconds.milliseconds(2_046)
    /// A refused VM stays backlogged this long: its sleep, and as much again for a retry that comes late.
    public static let backlogMemory = Nanoseconds.milliseconds(4_092)
    /// The driver gives up 60 s after its first attempt and wipes its key; ten retries remain from here.
    public static let agedAfter = Nanoseconds.seconds(40)
    /// How far ahead of time a limit may be charged. Attempts that must not be refused are charged though they do not
    /// conform, and so many can come that the time would not fit into 64 bits. A burst of the slowest limit is an hour.
    static let limitChargedAhead = Nanoseconds.seconds(86_400)
    /// The last three retries before the driver gives up: refusing here risks the key.
    public static let lastChanceAfter = Nanoseconds.seconds(52)
    /// A VM's tag strays by as many rounds of all that are backlogged, where these take longer than `backlogMemory`: a
    /// report moves it ahead by one, and as much must be left for those that wait.
    static let roundsRemembered: Int64 = 2
    /// An attempt that must not be refused is frozen all the while: from here on it goes before reservations, and the
    /// floor's N·s_g/φ, which admission keeps below half of `frozenMax` for such VMs, brings it to its turn in time.
    public static let protectedAgedAfter = Nanoseconds.seconds(8)
    /// What a VM that is never refused needs, then: one request in `protectedAgedAfter`.
    public static let leastProtectedRate = Rate(millihertz: 125)
    /// A guest CPU waits with interrupts off; its soft-lockup watchdog barks at 20 s.
    public static let frozenMax = Nanoseconds.seconds(20)
    /// A guest allowed less than one request in 40 s would lose its key to its own 60 s limit.
    public static let leastRate = Rate(millihertz: 25)
    /// One request every 0.1 ms: more than any SP can serve; keeps products inside 64 bits.
    public static let mostRate = Rate.perSecond(10_000)
    /// Four orders of magnitude tell a favoured VM from a background one.
    public static let weights = Weight(1)...Weight(10_000)
    /// A second request follows a short certificate buffer at once; a hundred at once is a mistake.
    public static let bursts: ClosedRange<Int64> = 1...100
    /// Above the frozen limit a longer wait would do harm; below a millisecond nothing could be queued.
    public static let guestWaits = Nanoseconds.milliseconds(1)...Nanoseconds.seconds(20)
    /// The first request after a launch skips the limit, so that a boot's own attestation succeeds; once in this time.
    public static let launchWaiverEvery = Nanoseconds.seconds(60)
    /// Virtual time is kept in 1/256 ns per unit of weight: rounding stays below 0.001 % at a sum of weights of
    /// 100,000, and a year passes before it wraps.
    static let virtualTimeScale: Int64 = 256

    // MARK: Launches

    /// A session that issues nothing this long goes to the tail.
    public static let sessionIdle = Nanoseconds.seconds(1)
    /// A hold wastes the SP while guests wait: no longer than a guest's own request takes, and a little.
    public static let holdMax = Nanoseconds.milliseconds(10)
    /// Below this the wake-up of the next CPU is itself longer than the gap.
    public static let holdMin = Nanoseconds.microseconds(200)
    /// As many gaps of a client as are remembered; the hold falls only when all are known.
    public static let gapsRemembered = 100
    /// A session's holds cost at most a quarter of its own service, or this, whichever is more.
    public static let holdCostMin = Nanoseconds.milliseconds(50)
    /// See `holdCostMin`: at a quarter, a launch that always thinks costs the SP a fifth of its time.
    public static let holdCostDivisor: Int64 = 4
    /// More vCPUs than KVM allows (4096) cannot be launched.
    public static let virtualCPUsMax: UInt32 = 4_096
    /// Pages beyond declared × 1.25 send the session to the tail.
    static let declaredPagesExcessDivisor: UInt32 = 4
    /// A waiting launch hears of its place this often.
    public static let noticeEvery = Nanoseconds.seconds(1)

    // MARK: Platform

    /// Platform work waits this long behind everything else, then goes before it.
    public static let platformPatience = Nanoseconds.seconds(1)
    /// At most one platform command goes before everything in this time.
    public static let platformEvery = Nanoseconds.seconds(1)

    // MARK: Turns and the device

    /// A lease is this many times the predicted cost, and the grace.
    static let leaseFactor: Int64 = 4
    /// What a busy host may need to schedule the holder, twice over.
    static let leaseGrace = Nanoseconds.milliseconds(50)
    /// A whole launch also does work that is not the SP's: page faults, and thousands of ioctls.
    static let leaseGraceWhole = Nanoseconds.seconds(1)
    /// A status command takes a quarter of a millisecond; one that takes longer than this is stuck behind something.
    public static let probePatience = Nanoseconds.seconds(2)
    /// Clients' reports of device trouble cause at most one probe in this time.
    public static let probeEvery = Nanoseconds.seconds(1)
    /// A dead device is asked again with doubling pauses between these.
    static let deadProbePauses = Nanoseconds.seconds(1)...Nanoseconds.seconds(60)

    // MARK: Measured costs

    /// A measured cost is believed within a quarter and four times the planning cost.
    static let costBeliefFactor: Int64 = 4

    // MARK: Bounds

    /// A bound of more than a day is of no use; and its sums would leave 64 bits some day.
    static let boundMax = Nanoseconds.seconds(86_400)
}
