import RecordWords

/// Writes records into memory that is lent with each call, in transactions: no I/O, and no allocation.
///
/// Records of the transaction become valid all at once, with the one store that the caller makes of `transaction` into
/// `committedWord`: only the caller can keep the compiler from moving that store.
public struct StateWriter: Sendable {
    public let layout: StateLayout
    /// The transaction that is being written.
    public private(set) var transaction: UInt64
    private let starts: InlineArray<5, Int>

    /// - Parameter committed: the last complete transaction; zero on new memory.
    public init(_ layout: StateLayout, committed: UInt64 = 0) {
        self.layout = layout
        transaction = committed + 1
        starts = InlineArray { Area(rawValue: $0)?.start(in: layout) ?? 0 }
    }

    /// Where the number of the last complete transaction stands.
    public static var committedWord: Int { HeaderWord.committed }

    /// Writes the header on memory that is zero. It is valid with the first transaction.
    public func writeHeader(_ header: StateHeader, into words: inout MutableSpan<UInt64>) {
        var fixed: [UInt64] = [HeaderWord.magicValue, header.layoutVersion, header.recordVersion]
        fixed += [header.boot.low, header.boot.high]
        fixed += [UInt64(layout.virtualMachines), UInt64(layout.accounts), UInt64(layout.connections), header.serial]
        var checksum = Checksum()
        for word in fixed { checksum.add(word) }
        for (index, word) in (fixed + [checksum.value]).enumerated() { words[index] = word.littleEndian }
    }

    /// Says whose transactions follow.
    public func writeEpoch(_ epoch: UInt64, into words: inout MutableSpan<UInt64>) {
        words[HeaderWord.epoch] = epoch.littleEndian
    }

    /// Writes a record into this transaction. An empty one says that there is none.
    @inline(__always)
    public func put(_ record: [UInt64], _ area: Area, _ place: Int, into words: inout MutableSpan<UInt64>) {
        precondition(record.count <= area.wordsMax, "a record is longer than its place")
        let start = slot(area, place, words)
        words[start] = transaction.littleEndian
        words[start + 1] = UInt64(record.count).littleEndian
        var checksum = Checksum()
        checksum.add(transaction)
        var next = start + Area.headWords
        for word in record {
            checksum.add(word)
            words[next] = word.littleEndian
            next += 1
        }
        words[start + 2] = checksum.value.littleEndian
    }

    /// The slot to write: the one of this transaction, or else the older one.
    @inline(__always)
    private func slot(_ area: Area, _ place: Int, _ words: borrowing MutableSpan<UInt64>) -> Int {
        precondition(place >= 0 && place < area.places(in: layout), "no such place")
        let first = starts[area.rawValue] + place * area.wordsOfPlace
        let second = first + area.wordsOfSlot
        let (a, b) = (UInt64(littleEndian: words[first]), UInt64(littleEndian: words[second]))
        if a == transaction { return first }
        return b == transaction || b < a ? second : first
    }

    /// Forgets what a daemon that was killed had begun to write: its number will be used again.
    public func discardIncomplete(in words: inout MutableSpan<UInt64>) {
        for area in Area.allCases {
            for index in 0..<2 * area.places(in: layout) {
                let start = starts[area.rawValue] + index * area.wordsOfSlot
                if UInt64(littleEndian: words[start]) >= transaction { words[start] = 0 }
            }
        }
    }

    /// The transaction is complete; the next begins.
    @inline(__always)
    public mutating func advance() { transaction += 1 }
}

/// What the memory is.
public struct StateHeader: Equatable, Sendable {
    public var layoutVersion = StateLayout.version
    /// Of the words that the Arbiter and the daemon put into the records.
    public var recordVersion: UInt64
    public var boot: BootID
    /// Counts the memories of a boot: the one with the greatest number is the newest.
    public var serial: UInt64

    public init(recordVersion: UInt64, boot: BootID, serial: UInt64) {
        self.recordVersion = recordVersion
        self.boot = boot
        self.serial = serial
    }
}
