/// Every limit of what is read from a trace and kept of it, each with its reason.
public enum ObservationLimits {
    /// A line of this event has some 150 bytes; of the others none is wanted.
    public static let lineBytes = 512
    /// More VMs than a host has address-space ids for (1006 on Genoa with all of them given to SNP).
    public static let processes = 1_024
    /// TASK_COMM_LEN of include/linux/sched.h is 16, its NUL included; one written as escapes is longer.
    public static let nameBytes = 64
    /// A number of events, lost or counted, that sums cannot carry beyond 64 bits.
    static let eventsMax = UInt64(1) << 40
}
