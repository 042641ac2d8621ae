import RecordWords

/// What a memory says: the records of the last complete transaction. Read once, at start, and nothing in it believed.
public struct StateImage: Equatable, Sendable {
    public let header: StateHeader
    public let layout: StateLayout
    /// Of the daemon that wrote last.
    public let epoch: UInt64
    public let committed: UInt64
    private var records: [Area: [Int: [UInt64]]] = [:]

    /// The records of an area, by their places in order.
    public func records(_ area: Area) -> [(place: Int, words: [UInt64])] {
        (records[area] ?? [:]).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    public func record(_ area: Area, _ place: Int) -> [UInt64]? { records[area]?[place] }

    /// - Parameters:
    ///   - recordVersion: the one that is understood.
    ///   - boot: which start of the host it is now.
    public init(reading words: [UInt64], recordVersion: UInt64, boot: BootID) throws(StateDamage) {
        (header, layout) = try Self.header(words)
        guard header.recordVersion == recordVersion else {
            throw .version(what: "records", found: header.recordVersion, known: recordVersion)
        }
        guard header.boot == boot else { throw .otherBoot }
        guard layout.words <= words.count else { throw .tooShort(words: words.count, needed: layout.words) }
        committed = UInt64(littleEndian: words[HeaderWord.committed])
        epoch = UInt64(littleEndian: words[HeaderWord.epoch])
        guard committed > 0 else { throw .neverCompleted }
        for area in Area.allCases { try read(area, words) }
    }

    private static func header(_ words: [UInt64]) throws(StateDamage) -> (StateHeader, StateLayout) {
        guard words.count >= StateLimits.headerWords else {
            throw .tooShort(words: words.count, needed: StateLimits.headerWords)
        }
        func word(_ index: Int) -> UInt64 { UInt64(littleEndian: words[index]) }
        guard word(HeaderWord.magic) == HeaderWord.magicValue else { throw .noState }
        guard word(HeaderWord.version) == StateLayout.version else {
            throw .version(what: "layout", found: word(HeaderWord.version), known: StateLayout.version)
        }
        var checksum = Checksum()
        for index in 0..<HeaderWord.checksum { checksum.add(word(index)) }
        guard checksum.value == word(HeaderWord.checksum) else { throw .header }
        let header = StateHeader(
            recordVersion: word(HeaderWord.recordVersion),
            boot: BootID(low: word(HeaderWord.bootLow), high: word(HeaderWord.bootHigh)),
            serial: word(HeaderWord.serial))
        let layout = StateLayout(
            virtualMachines: Int(clamping: word(HeaderWord.virtualMachines)),
            accounts: Int(clamping: word(HeaderWord.accounts)),
            connections: Int(clamping: word(HeaderWord.connections)))
        guard layout.isPlausible else { throw .header }
        return (header, layout)
    }

    private mutating func read(_ area: Area, _ words: [UInt64]) throws(StateDamage) {
        var start = area.start(in: layout)
        for place in 0..<area.places(in: layout) {
            let numbers = [start, start + area.wordsOfSlot].map { (UInt64(littleEndian: words[$0]), $0) }
            let valid = numbers.filter { $0.0 > 0 && $0.0 <= committed }.max { $0.0 < $1.0 }
            if let valid {
                let record = try Self.record(area, place, at: valid.1, words)
                if !record.isEmpty { records[area, default: [:]][place] = record }
            }
            start += area.wordsOfPlace
        }
    }

    private static func record(
        _ area: Area, _ place: Int, at start: Int, _ words: [UInt64]
    ) throws(StateDamage) -> [UInt64] {
        let length = UInt64(littleEndian: words[start + 1])
        guard length <= UInt64(area.wordsMax) else { throw .record(area, place) }
        let record = words[start + Area.headWords..<start + Area.headWords + Int(length)].map {
            UInt64(littleEndian: $0)
        }
        var checksum = Checksum()
        checksum.add(UInt64(littleEndian: words[start]))
        for word in record { checksum.add(word) }
        guard checksum.value == UInt64(littleEndian: words[start + 2]) else { throw .record(area, place) }
        return record
    }
}

/// Why a memory cannot be used.
public enum StateDamage: Error, Equatable, Sendable, CustomStringConvertible {
    /// It is nothing of ours.
    case noState
    case version(what: String, found: UInt64, known: UInt64)
    /// It was written before the host was started last: its instants mean nothing.
    case otherBoot
    case header
    case tooShort(words: Int, needed: Int)
    /// The daemon that made it ended before it had written anything.
    case neverCompleted
    case record(Area, Int)
    /// The words of a record mean nothing, as this sentence says.
    case meaning(String)

    public var description: String {
        switch self {
        case .noState: "it is no state of spschedd's"
        case .version(let what, let found, let known):
            "its \(what) are of version \(found), and this program knows version \(known)"
        case .otherBoot: "it is of an earlier start of the host"
        case .header: "its header is damaged"
        case .tooShort(let words, let needed): "it has \(words * 8) bytes where \(needed * 8) are needed"
        case .neverCompleted: "nothing was completed in it"
        case .record(let area, let place): "record \(place) of the \(area) is damaged"
        case .meaning(let sentence): sentence
        }
    }
}
