/// Where everything stands in the memory that outlives the daemon: little-endian words of 64 bits.
///
/// ```
///   header │ host │ accounts … │ identities of VMs … │ VMs … │ connections …
///            └─ each place: two slots, of which one holds what is valid while the other is written
/// ```
///
/// The header says what the memory is, for which boot and of which size, and the number of the last transaction that is
/// complete. A slot begins with the number of the transaction that wrote it. Valid is the slot with the greatest number
/// that is not beyond the header's: whatever moment the daemon is killed at, all records are those of one moment.
public struct StateLayout: Equatable, Sendable {
    /// Of the places and their words. A memory of another version is put aside, not read.
    public static let version: UInt64 = 1

    /// How many VMs, accounts and connections there may be.
    public let virtualMachines: Int
    public let accounts: Int
    public let connections: Int

    public init(virtualMachines: Int, accounts: Int, connections: Int) {
        self.virtualMachines = virtualMachines
        self.accounts = accounts
        self.connections = connections
    }

    /// With so many places for VMs at least.
    public func having(virtualMachines least: Int) -> StateLayout {
        StateLayout(
            virtualMachines: max(virtualMachines, least), accounts: accounts, connections: connections)
    }

    /// How many words the whole has.
    public var words: Int { Area.connections.start(in: self) + connections * Area.connections.wordsOfPlace }
    public var bytes: Int { words * 8 }

    /// Whether a header that claims these numbers is to be believed.
    var isPlausible: Bool {
        [virtualMachines, accounts, connections].allSatisfy { (1...StateLimits.placesMax).contains($0) }
    }
}

public enum StateLimits {
    /// Of VMs, accounts or connections: as many as the greatest values of the settings, and few enough that a damaged
    /// header cannot ask for all memory.
    public static let placesMax = 65_536
    static let headerWords = 512
}

/// One kind of records.
public enum Area: Int, CaseIterable, Sendable {
    case host
    case accounts
    /// What a VM is: its token, names and registration. Written when it registers.
    case identities
    /// What the Arbiter keeps of a VM. Written at each of its turns.
    case virtualMachines
    case connections

    /// The longest record of this kind in words, with room to grow.
    public var wordsMax: Int {
        switch self {
        case .host: 93
        case .accounts: 141
        case .identities: 45
        case .virtualMachines: 93
        case .connections: 21
        }
    }

    /// A multiple of a cache line's eight words.
    var wordsOfSlot: Int { wordsMax + Self.headWords }
    var wordsOfPlace: Int { 2 * wordsOfSlot }
    /// Transaction, length, checksum.
    static let headWords = 3

    func places(in layout: StateLayout) -> Int {
        switch self {
        case .host: 1
        case .accounts: layout.accounts
        case .identities, .virtualMachines: layout.virtualMachines
        case .connections: layout.connections
        }
    }

    /// The first word of the area.
    func start(in layout: StateLayout) -> Int {
        var start = StateLimits.headerWords
        for area in Area.allCases.prefix(rawValue) { start += area.places(in: layout) * area.wordsOfPlace }
        return start
    }
}

/// The words of the header.
enum HeaderWord {
    static let magic = 0
    static let version = 1
    static let recordVersion = 2
    static let bootLow = 3
    static let bootHigh = 4
    static let virtualMachines = 5
    static let accounts = 6
    static let connections = 7
    static let serial = 8
    static let checksum = 9
    /// In a cache line of its own: it changes with each transaction.
    static let committed = 16
    static let epoch = 17

    /// "spschdst" as bytes.
    static let magicValue: UInt64 = 0x7473_6468_6373_7073
}

/// Which start of the host, as the kernel names it (/proc/sys/kernel/random/boot_id): instants count from there.
public struct BootID: Equatable, Sendable {
    public let low: UInt64
    public let high: UInt64

    public init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    /// From the kernel's text; `nil` if that is not 32 hexadecimal digits and some hyphens.
    public init?(_ text: some StringProtocol) {
        let digits = text.filter { $0 != "-" && !$0.isWhitespace }
        guard digits.count == 32, let low = UInt64(String(digits.suffix(16)), radix: 16),
            let high = UInt64(String(digits.prefix(16)), radix: 16)
        else { return nil }
        self.init(low: low, high: high)
    }
}
