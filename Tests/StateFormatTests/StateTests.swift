import StateFormat
import Testing

/// Goal: whatever moment the writer is killed at, the reader finds the records of one moment, or says what is wrong.
/// Method: the memory is copied after every single store of a transaction, as a killed process leaves it, and read.
@Suite("State in memory")
struct StateTests {
    private static let layout = StateLayout(virtualMachines: 3, accounts: 2, connections: 4)
    private static let boot = BootID(low: 7, high: 8)

    /// The memory and its writer.
    private struct Memory {
        var writer: StateWriter
        var words: [UInt64]

        init(committed: UInt64 = 0, words: [UInt64]? = nil) {
            writer = StateWriter(StateTests.layout, committed: committed)
            self.words = words ?? Array(repeating: 0, count: StateTests.layout.words)
            guard words == nil else { return }
            write { writer, words in
                writer.writeHeader(StateHeader(recordVersion: 5, boot: StateTests.boot, serial: 1), into: &words)
                writer.writeEpoch(99, into: &words)
            }
        }

        mutating func write(_ body: (inout StateWriter, inout MutableSpan<UInt64>) -> Void) {
            var writer = writer
            var span = words.mutableSpan
            body(&writer, &span)
            self.writer = writer
        }

        mutating func put(_ record: [UInt64], _ area: Area, _ place: Int) {
            write { $0.put(record, area, place, into: &$1) }
        }

        mutating func commit() {
            words[StateWriter.committedWord] = writer.transaction.littleEndian
            writer.advance()
        }

        func read() throws(StateDamage) -> StateImage {
            try StateImage(reading: words, recordVersion: 5, boot: StateTests.boot)
        }
    }

    private static func written() -> Memory {
        var memory = Memory()
        memory.put([1, 2, 3], .host, 0)
        memory.put([4], .virtualMachines, 2)
        memory.put([5, 6], .connections, 3)
        memory.commit()
        return memory
    }

    @Test("what a transaction wrote is read; what is not complete is as if it had not been begun")
    func transactions() throws {
        var memory = Self.written()
        memory.put([9, 9, 9], .host, 0)
        memory.put([], .connections, 3)
        memory.put([7, 7], .accounts, 1)
        var image = try memory.read()
        #expect(image.record(.host, 0) == [1, 2, 3])
        #expect(image.record(.connections, 3) == [5, 6])
        #expect(image.record(.accounts, 1) == nil)
        #expect(image.epoch == 99)
        memory.commit()
        image = try memory.read()
        #expect(image.record(.host, 0) == [9, 9, 9])
        #expect(image.record(.connections, 3) == nil)
        #expect(image.record(.accounts, 1) == [7, 7])
        #expect(image.record(.virtualMachines, 2) == [4])
        #expect(image.records(.virtualMachines).map(\.place) == [2])
    }

    @Test("killed after any single store, it holds the transaction before or the one that was being written")
    func killedAnywhere() throws {
        var before = Self.written()
        for round in 0..<6 as Range<UInt64> {
            let old = try before.read()
            var after = before
            after.put([round, 20, 30], .host, 0)
            after.put([round], .virtualMachines, 2)
            after.put(round % 2 == 0 ? [] : [round, round], .connections, 3)
            let changed = before.words.indices.filter { before.words[$0] != after.words[$0] }
            #expect(changed.count > 5)
            // A store at a time, from the first to the last and from the last to the first.
            for order in [changed, changed.reversed()] {
                var torn = before
                for index in order {
                    torn.words[index] = after.words[index]
                    #expect(try torn.read() == old)
                }
            }
            after.commit()
            let new = try after.read()
            #expect(new.record(.host, 0) == [round, 20, 30])
            #expect(new.record(.virtualMachines, 2) == [round])
            #expect(new.record(.connections, 3) == (round % 2 == 0 ? nil : [round, round]))
            before = after
        }
    }

    @Test("a daemon that goes on after a kill never completes what the other had begun")
    func goingOn() throws {
        var memory = Self.written()
        memory.put([8, 8], .virtualMachines, 1)
        memory.put([9], .virtualMachines, 2)
        var next = Memory(committed: try memory.read().committed, words: memory.words)
        next.write { $0.discardIncomplete(in: &$1) }
        next.put([1, 1, 1], .host, 0)
        next.commit()
        let image = try next.read()
        #expect(image.record(.virtualMachines, 1) == nil)
        #expect(image.record(.virtualMachines, 2) == [4])
        #expect(image.record(.host, 0) == [1, 1, 1])
    }

    @Test("a record written twice in one transaction counts once")
    func twice() throws {
        var memory = Self.written()
        memory.put([1], .host, 0)
        memory.put([2], .host, 0)
        #expect(try memory.read().record(.host, 0) == [1, 2, 3])
        memory.commit()
        #expect(try memory.read().record(.host, 0) == [2])
        memory.put([3], .host, 0)
        #expect(try memory.read().record(.host, 0) == [2])
    }

    @Test("any changed word is noticed or does not count: reading never traps")
    func damaged() throws {
        let sound = Self.written()
        let image = try sound.read()
        var noticed = 0
        // Every word that something stands in, and some of the many that are zero.
        for index in sound.words.indices where sound.words[index] != 0 || index < 24 || index % 61 == 0 {
            for value in [0, 1, UInt64.max, sound.words[index] ^ 0x100] where value != sound.words[index] {
                var damaged = sound
                damaged.words[index] = value
                guard let read = try? damaged.read() else {
                    noticed += 1
                    continue
                }
                // Words that nothing stands in, the epoch, and a later transaction's number say nothing else.
                if read != image { noticed += 1 }
            }
        }
        #expect(noticed > 60)
    }

    @Test("what is not ours, newer, older or of another boot is told")
    func strangers() throws {
        let sound = Self.written()
        var other = sound
        other.words[0] = 1
        #expect(throws: StateDamage.noState) { try other.read() }
        other = sound
        other.words[1] = 2
        #expect(throws: StateDamage.version(what: "layout", found: 2, known: 1)) { try other.read() }
        #expect(throws: StateDamage.version(what: "records", found: 5, known: 6)) {
            try StateImage(reading: sound.words, recordVersion: 6, boot: Self.boot)
        }
        #expect(throws: StateDamage.otherBoot) {
            try StateImage(reading: sound.words, recordVersion: 5, boot: BootID(low: 1, high: 1))
        }
        other = sound
        other.words[5] = 4
        #expect(throws: StateDamage.header) { try other.read() }
        #expect(throws: StateDamage.tooShort(words: 600, needed: Self.layout.words)) {
            try StateImage(reading: Array(sound.words[..<600]), recordVersion: 5, boot: Self.boot)
        }
        #expect(throws: StateDamage.neverCompleted) { try Memory().read() }
    }

    @Test("the layout stands as documented: a change of it needs another version")
    func layoutIsFixed() {
        #expect(StateLayout.version == 1)
        #expect(Area.allCases.map(\.wordsMax) == [93, 141, 45, 93, 21])
        #expect(Self.layout.words == 2_336)
        let words = Self.written().words
        #expect(words[0] == 0x7473_6468_6373_7073)
        #expect(Array(words[1...8]) == [1, 5, 7, 8, 3, 2, 4, 1])
        // The host's record, in the first of its two slots: transaction, length, checksum, words.
        #expect(Array(words[512...517]) == [1, 3, words[514], 1, 2, 3])
        #expect(words[514] == 17_994_558_224_059_755_121, "the checksum's rule has changed")
    }

    @Test("a boot's name is read as the kernel writes it")
    func bootNames() {
        #expect(
            BootID("0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0\n")
                == BootID(low: 0x8796_a5b4_c3d2_e1f0, high: 0x0f1e_2d3c_4b5a_6978))
        #expect(BootID("0f1e2d3c") == nil)
    }

    @Test("text goes eight bytes to the word, and comes back", arguments: ["", "a", "12345678", "vm-\u{fc}ber-9"])
    func text(_ text: String) {
        var words: [UInt64] = []
        RecordText.put(text.utf8, words: 3, into: &words)
        #expect(words.count == 3)
        #expect(RecordText.bytes(words).prefix { $0 != 0 } == Array(text.utf8)[...])
    }
}
