import Arbiter
import LinuxIO
import StateFormat
import VMMProtocol

/// What the daemon puts into its records, as words.
enum DaemonRecord {
    /// Of the order and meaning of the words. To be raised with each change.
    static let version: UInt16 = 1
    /// A security label has at most so many bytes (`PeerIdentity`), and so many words.
    static let labelWords = 128
    static let nameWords = ProtocolLimits.nameBytes / 8
}

extension Account {
    func save(into words: inout [UInt64]) {
        words.append(UInt64(key.uid))
        let label = Array(key.label.utf8.prefix(DaemonRecord.labelWords * 8))
        words.append(UInt64(label.count))
        RecordText.put(label, words: (label.count + 7) / 8, into: &words)
    }
}

extension VMRecord {
    func save(into words: inout [UInt64]) {
        words.append(UInt64(vm.slot) | UInt64(vm.generation) << 32)
        words += [token.high, token.low, uuid.high, uuid.low]
        RecordText.put(name.utf8, words: DaemonRecord.nameWords, into: &words)
        words.append(UInt64(account.id.slot))
        words.append(UInt64(failureMode.rawValue))
        words.append(bits(registeredAt.sinceBoot.count))
        registration.save(into: &words)
        for value in [
            admission.reservation.millihertz, admission.guestWaitReserved.count, admission.guestWaitMax.count,
        ] { words.append(bits(value)) }
    }
}

extension Registration {
    fileprivate func save(into words: inout [UInt64]) {
        let limit = limit?.millihertz ?? 0
        let values = [
            reservationWanted.millihertz, reservationLeast.millihertz, limit, weight.value, burst,
            Int64(retryPolicy.rawValue), guestWaitMax?.count ?? 0,
        ]
        for value in values { words.append(bits(value)) }
    }
}

extension Connection {
    func save(of vm: VMID, into words: inout [UInt64]) {
        words.append(UInt64(token.generation))
        words.append(UInt64(vm.slot) | UInt64(vm.generation) << 32)
        words.append(machine.features.rawValue)
        RecordText.put(client.utf8, words: DaemonRecord.nameWords, into: &words)
    }
}

private func bits(_ value: Int64) -> UInt64 { UInt64(bitPattern: value) }

// MARK: - Back

/// A registered VM, as it was written down.
struct SavedVM {
    let vm: VMID
    let token: Token
    let uuid: UUIDBytes
    let name: Name64
    let account: AccountID
    let failureMode: FailureMode
    let registeredAt: Instant
    let registration: Registration
    let reservation: Rate
    let guestWaitReserved: Nanoseconds
    let guestWaitMax: Nanoseconds

    init(_ words: [UInt64]) throws(StateDamage) {
        var record = RecordReader(words)
        vm = try record.vm()
        token = Token(high: try record.word(), low: try record.word())
        uuid = UUIDBytes(high: try record.word(), low: try record.word())
        name = try record.name()
        account = AccountID(slot: UInt32(try record.integer(in: 0...Int64(Limits.accounts - 1))))
        let mode = UInt8(try record.integer(in: 0...255))
        guard let failureMode = FailureMode(rawValue: mode) else { throw .meaning("a VM has no failure mode") }
        self.failureMode = failureMode
        registeredAt = Instant(sinceBoot: Nanoseconds(try record.integer(in: 0...Self.longest)))
        registration = try record.registration()
        reservation = Rate(millihertz: try record.integer(in: 0...Limits.mostRate.millihertz))
        guestWaitReserved = Nanoseconds(try record.integer(in: 0...Self.longest))
        guestWaitMax = Nanoseconds(try record.integer(in: 0...Self.longest))
        guard token != .none else { throw .meaning("a VM has no token") }
    }

    fileprivate static let longest = Instant.distantFuture.sinceBoot.count
}

/// A client's connection, as it was written down; its descriptor is with the service manager.
struct SavedConnection {
    let token: EventToken
    /// `nil`: the place is free.
    let client: (vm: VMID, features: Features, name: Name64)?

    init(slot: Int, _ words: [UInt64]) throws(StateDamage) {
        var record = RecordReader(words)
        token = EventToken(slot: UInt32(slot), generation: UInt32(try record.integer(in: 0...Int64(UInt32.max))))
        guard words.count > 1 else {
            client = nil
            return
        }
        client = (try record.vm(), Features(rawValue: try record.word()).intersection(.all), try record.name())
    }
}

/// An account, and how many of the words are the daemon's; the Arbiter's follow.
struct SavedAccount {
    let key: AccountKey
    let arbiterWords: [UInt64]

    init(_ words: [UInt64]) throws(StateDamage) {
        var record = RecordReader(words)
        let uid = UInt32(try record.integer(in: 0...Int64(UInt32.max)))
        let length = Int(try record.integer(in: 0...Int64(DaemonRecord.labelWords * 8)))
        var label: [UInt64] = []
        for _ in 0..<(length + 7) / 8 { label.append(try record.word()) }
        key = AccountKey(uid: uid, label: String(decoding: RecordText.bytes(label).prefix(length), as: UTF8.self))
        arbiterWords = Array(words[record.position...])
    }
}

/// Reads a record's words in the order in which they were written, and believes nothing.
private struct RecordReader {
    private let words: [UInt64]
    private(set) var position = 0

    init(_ words: [UInt64]) { self.words = words }

    mutating func word() throws(StateDamage) -> UInt64 {
        guard position < words.count else { throw .meaning("a record ends too early") }
        defer { position += 1 }
        return words[position]
    }

    mutating func integer(in range: ClosedRange<Int64>) throws(StateDamage) -> Int64 {
        let value = Int64(bitPattern: try word())
        guard range.contains(value) else { throw .meaning("a record has a number outside its bounds") }
        return value
    }

    mutating func vm() throws(StateDamage) -> VMID {
        let word = try word()
        return VMID(slot: UInt32(truncatingIfNeeded: word), generation: UInt32(truncatingIfNeeded: word >> 32))
    }

    mutating func name() throws(StateDamage) -> Name64 {
        var words: [UInt64] = []
        for _ in 0..<DaemonRecord.nameWords { words.append(try word()) }
        let bytes = RecordText.bytes(words).prefix { $0 != 0 }
        guard let name = Name64(String(decoding: bytes, as: UTF8.self)) else {
            throw .meaning("a record has a name that is no text")
        }
        return name
    }

    mutating func registration() throws(StateDamage) -> Registration {
        let rates = 0...Limits.mostRate.millihertz
        let wanted = Rate(millihertz: try integer(in: rates))
        let least = Rate(millihertz: try integer(in: rates))
        let limit = try integer(in: rates)
        let weights = Limits.weights.lowerBound.value...Limits.weights.upperBound.value
        let weight = Weight(try integer(in: weights))
        let burst = try integer(in: Limits.bursts)
        guard let policy = RetryPolicy(rawValue: UInt8(try integer(in: 0...255))) else {
            throw .meaning("a VM has no retry policy")
        }
        let wait = try integer(in: 0...Limits.guestWaits.upperBound.count)
        return Registration(
            reservationWanted: wanted, reservationLeast: least, limit: limit == 0 ? nil : Rate(millihertz: limit),
            weight: weight, burst: burst, retryPolicy: policy, guestWaitMax: wait == 0 ? nil : Nanoseconds(wait))
    }
}
