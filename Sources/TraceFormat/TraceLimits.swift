/// Every fixed limit of the format, each with its reason.
public enum TraceLimits {
    /// More segments lose less when the oldest is written over; each costs one saved state. A quarter is little enough.
    public static let segments = 4
    /// A file says itself how many it has; a reader believes no more than anyone would want.
    public static let segmentsMax = 1_024
    /// A page: what follows then begins at a page's beginning too.
    public static let headerWords = 512
    /// Its number, where its records begin, two clocks, a checksum, and how far it is complete.
    public static let segmentHeaderWords = 8
    /// A call is recorded with so many of its decisions in full; of more there is a digest. All but a drain and a dead
    /// device cause fewer.
    public static let decisionsShown = 8
    /// A configuration has 29 words.
    static let configurationWords = 48
    /// No record of a call is longer: its head, eight decisions of seven words, and the longest call, which has a
    /// configuration.
    public static let callWordsMax = 128
    /// The longest name of a VM, in bytes: the protocol's.
    public static let nameBytes = 64
    /// No record of a name is longer: its head, the VM, the length, and the name.
    public static let nameWordsMax = 16
    /// Eight bytes for each of: magic, version, shape, epoch, two clocks, the program's version, a checksum.
    static let programVersionBytes = 32
}
