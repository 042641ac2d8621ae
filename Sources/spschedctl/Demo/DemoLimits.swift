import Arbiter

/// Every bound of the demo, each with its reason.
enum DemoLimits {
    /// With the launched VM and the two that wait to follow it, the 259 VMs that the daemon admits at its defaults.
    static let antagonists = 256
    /// An hour for each policy and number of antagonists: reports gathered stay below half a million.
    static let seconds = 3_600
    /// A long warm-up adds nothing: five sleeps of a refused guest fit.
    static let warmUpMax = Nanoseconds.seconds(10)
    /// Nothing has to settle where no guest attests.
    static let warmUpAlone = Nanoseconds.milliseconds(200)
    /// A guest's lead is paid back within some ten seconds: in 30 s fairness shows.
    static let steadyAfter = Nanoseconds.seconds(30)
    /// A launch under way at the end may take this much longer, or a quarter of the slot, before it is cut.
    static let graceMin = Nanoseconds.seconds(1)
    /// Launched VMs that wait, connected, for the one before them: starting a process takes less than a launch.
    static let launchesPrepared = 2
    /// Processes of 256 VMs on a loaded machine of two CPUs.
    static let startPatience = Nanoseconds.seconds(60)
    /// A server that does not end when told is killed.
    static let stopPatienceMilliseconds: Int32 = 3_000
    /// Events taken by one wait, and records read from one VM at a time: the rest come with the next wait.
    static let eventsPerWait = 64
    /// As above: one VM that has much to say must not keep the others waiting.
    static let recordsPerEvent = 16
    /// How often the progress line changes.
    static let progressEvery = Nanoseconds.milliseconds(250)
    /// Less than this part of the slot between launches says nothing about the reports between them.
    static let betweenLaunchesLeast = 0.02
    /// A trace as large as the emulator writes.
    static let traceBytes = 256 * 1024 * 1024
}
