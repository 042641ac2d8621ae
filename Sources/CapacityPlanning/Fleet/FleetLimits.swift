import Arbiter

/// Every bound of a fleet and of its simulation, each with its reason.
public enum FleetLimits {
    /// The most that `clients.vms_max` may be set to: no host has more address-space ids.
    public static let virtualMachines: Int64 = 4_096
    /// Each unjoined guest in a tight loop adds a report's time to every command: beyond this nothing works anyway.
    public static let unjoined: Int64 = 1_024
    /// More groups than a person reads in one table.
    public static let groups = 64
    /// The names of tables' rows.
    public static let nameLength = 32
    /// An hour between two requests is as good as none.
    public static let requestRates = Rate(millihertz: 1)...Rate.perSecond(1_000)
    /// A burst as large as the largest that a VM may register.
    public static let requestsAtOnce: ClosedRange<Int64> = 1...Limits.bursts.upperBound
    /// 60 a second in one group: five times what an SP can do, in thousandths of a minute.
    public static let launchesPerThousandMinutes: ClosedRange<Int64> = 0...3_600_000
    /// A day of the host's life takes minutes to simulate; with none nothing is played.
    public static let seconds: ClosedRange<Int64> = 0...86_400
    /// Requests of `hostile` guests in one simulation, the warm-up included: some ten seconds of a CPU.
    public static let hostileRequests: Int64 = 50_000_000
    /// However many they are, so much is played: five sleeps of a refused guest.
    public static let secondsLeast: Int64 = 10
    /// What has not been promised in a day is not promised.
    public static let boundMax = Nanoseconds.seconds(86_400)
}
