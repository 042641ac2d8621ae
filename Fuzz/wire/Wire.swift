import CSpschedTesting
import FuzzSupport
import VMMProtocol

/// Goal: no bytes can harm the wire codec, and what it accepts it can write again.
/// Method: every input is one record, read as a client's message and as a daemon's, and by the C client's codec too.
@c public func LLVMFuzzerTestOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    // SAFETY: libFuzzer lends `count` bytes for the call, and a pointer that may be nil when there are none.
    let record = UnsafeBufferPointer(start: bytes, count: count).span
    let header: Header
    do throws(WireError) {
        header = try Header(decoding: record)
    } catch {
        expect(error.endsConnection, "a bad header must end the connection")
        expect(!cTakes(record), "the C client takes a record whose header is bad")
        return 0
    }
    let isClients = checkClientMessage(record, header)
    let isDaemons = checkDaemonMessage(record, header)
    expect(!(isClients && isDaemons), "one record is a message of both sides")
    return 0
}

/// Whether it is a message.
private func checkClientMessage(_ record: borrowing Span<UInt8>, _ header: Header) -> Bool {
    let message: ClientMessage
    do throws(WireError) {
        message = try ClientMessage(decoding: record, header: header)
    } catch {
        expect(!error.endsConnection, "a bad body must not end the connection: the next message is whole")
        return false
    }
    written.encode(message, tag: header.tag)
    written.withRecord { again in
        check(again, against: record, header)
        guard let second = try? Header(decoding: again),
            let same = try? ClientMessage(decoding: again, header: second)
        else { fail("what was written cannot be read") }
        expect(same == message && second.tag == header.tag, "what was written reads as something else")
    }
    return true
}

/// Whether it is a message.
private func checkDaemonMessage(_ record: borrowing Span<UInt8>, _ header: Header) -> Bool {
    let message: DaemonMessage
    do throws(WireError) {
        message = try DaemonMessage(decoding: record, header: header)
    } catch {
        expect(!error.endsConnection, "a bad body must not end the connection: the next message is whole")
        expect(!cTakes(record), "the C client takes what is no message of the daemon's")
        return false
    }
    expect(cTakes(record) != message.namesNothing, "the C client and the daemon disagree about a message")
    written.encode(message, tag: header.tag)
    written.withRecord { again in
        check(again, against: record, header)
        guard let second = try? Header(decoding: again),
            let same = try? DaemonMessage(decoding: again, header: second)
        else { fail("what was written cannot be read") }
        expect(same == message && second.tag == header.tag, "what was written reads as something else")
    }
    return true
}

/// Room for what is written again, for the whole run.
private nonisolated(unsafe) var written = MessageBuffer()

/// A message is written in one way: what was read may have been longer, but every byte written is the one that was
/// read, or stands where the protocol lets bytes be ignored.
private func check(_ again: borrowing Span<UInt8>, against record: borrowing Span<UInt8>, _ header: Header) {
    expect(again.count <= header.size, "more is written than was read")
    let ignored = Ignored(of: MessageType(rawValue: header.rawType)!)
    for index in again.indices where again[index] != record[index] {
        expect(ignored.contains(index, again, record), "a byte that has a meaning has changed")
    }
}

/// Where the bytes of a message may differ from those that were read.
private struct Ignored {
    /// The size (a longer message is read as far as it is known) and the reserved word of every header.
    private static let header = 2..<8
    /// Reserved fields and unknown flags.
    private var reserved: [2 of Range<Int>] = [0..<0, 0..<0]
    /// 64 bytes that mean nothing from the first zero on.
    private var name: Int?
    /// Durations beyond the longest, which are taken as it.
    private var durations: [2 of Int?] = [nil, nil]

    init(of type: MessageType) {
        switch type {
        case .hello:
            reserved = [20..<24, 0..<0]
            name = 32
        case .register:
            reserved = [134..<136, 0..<0]
            name = 32
            durations = [136, nil]
        case .launchBegin: reserved = [24..<32, 0..<0]
        case .acquire: reserved = [18..<20, 0..<0]; durations = [24, nil]
        case .release: reserved = [44..<48, 0..<0]; durations = [32, nil]
        case .releaseAndAcquire: reserved = [44..<48, 50..<52]; durations = [32, 56]
        case .launchEnd: reserved = [25..<32, 0..<0]
        case .resyncState: reserved = [44..<48, 0..<0]
        case .welcome: reserved = [18..<20, 45..<48]
        case .registered: reserved = [78..<80, 0..<0]; durations = [56, 64]
        case .launchBegun: reserved = [28..<32, 0..<0]
        case .queued: reserved = [20..<24, 0..<0]; durations = [24, nil]
        case .granted: reserved = [46..<48, 0..<0]; durations = [24, 32]
        case .busy: reserved = [28..<32, 0..<0]; durations = [16, nil]
        case .error: reserved = [20..<24, 0..<0]
        case .revoked: reserved = [26..<32, 0..<0]
        case .deviceState: reserved = [17..<18, 20..<24]
        case .draining: reserved = [16..<24, 0..<0]
        case .cancel, .unregister, .done, .resync: break
        }
    }

    func contains(_ index: Int, _ again: borrowing Span<UInt8>, _ record: borrowing Span<UInt8>) -> Bool {
        if Self.header.contains(index) || reserved[0].contains(index) || reserved[1].contains(index) { return true }
        if let name, name..<name + 64 ~= index { return again[index] == 0 && isPadding(index, name, record) }
        for slot in durations.indices {
            // 2^61 ns and more: some bit of the highest three is set.
            if let at = durations[slot], at..<at + 8 ~= index { return record[at + 7] >= 0x20 }
        }
        return false
    }

    private func isPadding(_ index: Int, _ name: Int, _ record: borrowing Span<UInt8>) -> Bool {
        for before in name..<index where record[before] == 0 { return true }
        return false
    }
}

extension DaemonMessage {
    /// A turn or session without a number, or a turn for nothing. The daemon never gives one, and the C client takes it
    /// for a breach.
    fileprivate var namesNothing: Bool {
        switch self {
        case .granted(let granted): granted.turn.number == 0 || granted.units == 0
        case .launchBegun(let session, _): session.number == 0
        default: false
        }
    }
}

/// Whether the C client takes the record for a daemon's message.
private func cTakes(_ record: borrowing Span<UInt8>) -> Bool {
    // SAFETY: the record is only read, during the call; its text is pointed into and not looked at afterwards.
    record.withUnsafeBufferPointer { bytes in
        guard bytes.count <= WIRE_MESSAGE_MAX else { return false }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 0) { empty in
            spsched_wire_decode(bytes.baseAddress ?? UnsafePointer(empty.baseAddress!), bytes.count, understood) == nil
        }
    }
}

/// What the C client made of a record, for the whole run.
// SAFETY: allocated once for the process's whole life, in the size that C knows, which counts the padding at the end.
private nonisolated(unsafe) let understood = UnsafeMutablePointer<wire_message>.allocate(capacity: 1)
