import Arbiter
import FuzzSupport
import LinuxIO
import VMMProtocol

@testable import spschedd

/// A client as the input plays it, and what it may expect: every reply that comes is one that was asked for.
final class Client {
    /// What was sent under one tag.
    struct Sent {
        let tag: UInt64
        /// Of the first message under the tag.
        let type: UInt16
        var asked: Acquire?
        var times = 1
        var replies = 0
    }

    let token: EventToken
    private let socket: SeqpacketSocket
    /// Its side has seen the end of the connection.
    private(set) var hasEnded = false
    private(set) var sent: [Sent] = []
    private(set) var nextTag: UInt64 = 1
    /// What it was given, the latest last.
    private(set) var turns: [TurnID] = []
    private(set) var session: SessionID?
    private(set) var registration: Token?
    private var last: [UInt8] = []

    init(token: EventToken, socket: consuming SeqpacketSocket) {
        self.token = token
        self.socket = socket
    }

    // MARK: Saying

    /// Sends the message under a tag of its own.
    func say(_ message: ClientMessage, tagged: Bool = true) {
        outgoing.encode(message, tag: tagged ? nextTag : 0)
        if tagged { nextTag += 1 }
        outgoing.withRecord { record in
            last.removeAll(keepingCapacity: true)
            for index in record.indices { last.append(record[index]) }
        }
        var asked: Acquire?
        switch message {
        case .acquire(let acquire), .releaseAndAcquire(_, let acquire): asked = acquire
        default: break
        }
        transmit(asked: asked)
    }

    /// Sends the bytes as they are.
    func say(raw bytes: [UInt8]) {
        last = bytes
        transmit(asked: nil)
    }

    /// Sends the last record once more, with one byte changed; under its own tag if that byte stays.
    func sayAgain(at position: Int, xor change: UInt8) {
        guard !last.isEmpty else { return }
        last[position % last.count] ^= change
        transmit(asked: nil)
    }

    private func transmit(asked: Acquire?) {
        guard !hasEnded else { return }
        do {
            switch try socket.send(last.span.bytes) {
            case .sent: note(asked: asked)
            case .wouldBlock: break
            case .hungUp: break
            }
        } catch {
            // The kernel refuses a record that is longer than its queue.
            expect(last.count > 4_096, "a record could not be sent: \(error)")
        }
    }

    private func note(asked: Acquire?) {
        guard let header = try? Header(decoding: last.span), header.tag != 0 else { return }
        if let index = sent.lastIndex(where: { $0.tag == header.tag }) {
            sent[index].times += 1
            sent[index].asked = nil
        } else {
            sent.append(Sent(tag: header.tag, type: header.rawType, asked: asked))
        }
    }

    /// The tag of one of the requests without a reply, or of none.
    func openTag(_ choice: UInt8) -> UInt64 {
        let open = sent.filter { $0.replies == 0 }
        return open.isEmpty ? UInt64(choice) : open[Int(choice) % open.count].tag
    }

    func turn(_ choice: UInt8) -> TurnID {
        guard !turns.isEmpty, choice & 0x80 == 0 else { return TurnID(number: UInt64(choice & 0x7F)) }
        return turns[turns.count - 1 - Int(choice) % turns.count]
    }

    // MARK: Hearing

    /// Whether the daemon has read all that was said, or never will.
    var isReadOut: Bool { hasEnded || socket.isReadOut() }

    /// Reads at most `count` messages. Returns how many there were.
    @discardableResult
    func hear(atMost count: Int) -> Int {
        for index in 0..<count {
            guard !hasEnded else { return index }
            var passed: FileDescriptor?
            do {
                // SAFETY: the buffer lives as long as the process, and is read out before the next message comes.
                switch try socket.receive(into: UnsafeMutableRawBufferPointer(incoming), descriptor: &passed) {
                case .message(let length, let isTruncated):
                    expect(!isTruncated, "the daemon sent more than a message may have")
                    // SAFETY: the kernel has written `length` bytes, at most the buffer's size.
                    hear(UnsafeBufferPointer(rebasing: incoming[..<length]).span, hasDescriptor: passed != nil)
                case .wouldBlock: return index
                case .hungUp: hasEnded = true
                }
            } catch {
                fail("a client cannot read: \(error)")
            }
        }
        return count
    }

    private func hear(_ record: borrowing Span<UInt8>, hasDescriptor: Bool) {
        let message: DaemonMessage
        let header: Header
        do throws(WireError) {
            header = try Header(decoding: record)
            message = try DaemonMessage(decoding: record, header: header)
        } catch {
            fail("the daemon sent what is no message: \(error)")
        }
        expect(header.size == record.count, "the daemon sent more than its message")
        if case .registered(let registered) = message {
            expect(registered.carriesDescriptor == hasDescriptor, "a descriptor is promised and missing, or stray")
        } else {
            expect(!hasDescriptor, "a descriptor came with \(message.type.name)")
        }
        switch message.type {
        case .revoked, .deviceState, .draining, .resync:
            expect(header.tag == 0, "\(message.type.name) answers tag \(header.tag)")
        case .error where header.tag == 0: break
        default: answered(message, tag: header.tag)
        }
    }

    private func answered(_ message: DaemonMessage, tag: UInt64) {
        guard let index = sent.lastIndex(where: { $0.tag == tag }) else {
            fail("\(message.type.name) answers tag \(tag), which was never used")
        }
        let request = sent[index]
        if case .queued = message {
            expect(request.replies < request.times, "QUEUED after the reply to tag \(tag)")
            return
        }
        sent[index].replies += 1
        expect(request.replies < request.times, "more replies than requests under tag \(tag): \(message.type.name)")
        if request.times == 1 { checkKind(message, of: request) }
        keep(message)
    }

    private func checkKind(_ message: DaemonMessage, of request: Sent) {
        let allowed: [MessageType]
        switch MessageType(rawValue: request.type) {
        case .hello: allowed = [.welcome]
        case .register: allowed = [.registered]
        case .launchBegin: allowed = [.launchBegun, .busy]
        case .acquire, .releaseAndAcquire: allowed = [.granted, .busy]
        case .release, .launchEnd, .unregister: allowed = [.done]
        default: allowed = []
        }
        expect(
            message.type == .error || allowed.contains(message.type),
            "\(message.type.name) answers a message of type \(request.type)")
        if case .granted(let granted) = message, let asked = request.asked {
            expect(granted.kind == asked.kind, "\(granted.kind) was granted, \(asked.kind) asked for")
            expect(granted.units >= 1 && granted.units <= max(asked.units, 1), "more units than were asked for")
            expect(granted.lease > .zero && granted.startWithin > .zero, "a turn without time")
        }
    }

    private func keep(_ message: DaemonMessage) {
        switch message {
        case .granted(let granted):
            expect(granted.turn.number != 0, "a turn without a number")
            turns.append(granted.turn)
        case .launchBegun(let begun, _): session = begun
        case .registered(let registered): registration = registered.token
        default: break
        }
    }

    /// All was heard: what has no reply yet waits for it in the daemon.
    func checkAnswered(_ connection: Connection) {
        for request in sent where request.replies == 0 {
            guard let type = MessageType(rawValue: request.type), type.needsTag else { continue }
            expect(
                connection.machine.isOpen(tag: request.tag),
                "tag \(request.tag) (type \(request.type)) has no reply, and waits for none")
        }
    }

    /// Whether every request was answered.
    var isAnswered: Bool {
        sent.allSatisfy { $0.replies > 0 || MessageType(rawValue: $0.type)?.needsTag != true }
    }
}

/// Room for the message being said and for the one being heard, for the whole run.
private nonisolated(unsafe) var outgoing = MessageBuffer()
// SAFETY: allocated once for the process's whole life; one thread plays all clients, one message at a time.
private nonisolated(unsafe) let incoming = UnsafeMutableBufferPointer<UInt8>.allocate(
    capacity: ProtocolLimits.messageBytes)
