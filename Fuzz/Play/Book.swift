import Arbiter
import FuzzSupport
import VMMProtocol

/// What one client has asked, and what it may expect: every reply that comes is one that was asked for.
public struct Book {
    /// What was sent under one tag.
    struct Sent {
        let tag: UInt64
        /// Of the first message under the tag.
        let type: UInt16
        var asked: Acquire?
        var times = 1
        var replies = 0
    }

    private var sent: [Sent] = []
    var nextTag: UInt64 = 1
    /// The last record that was sent.
    var last: [UInt8] = []
    /// What it was given, the latest last.
    private var turns: [TurnID] = []
    private(set) var session: SessionID?
    private(set) var registration: Token?

    public init() { sent.reserveCapacity(16) }

    mutating func note(_ record: [UInt8], asked: Acquire?) {
        guard let header = try? Header(decoding: record.span), header.tag != 0 else { return }
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

    /// A record of the daemon's came, with or without a descriptor.
    public mutating func hear(_ record: borrowing Span<UInt8>, hasDescriptor: Bool) {
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

    private mutating func answered(_ message: DaemonMessage, tag: UInt64) {
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
        expect(
            message.type == .error || Self.answers(message.type, to: MessageType(rawValue: request.type)),
            "\(message.type.name) answers a message of type \(request.type)")
        if case .granted(let granted) = message, let asked = request.asked {
            expect(granted.kind == asked.kind, "\(granted.kind) was granted, \(asked.kind) asked for")
            expect(granted.units >= 1 && granted.units <= max(asked.units, 1), "more units than were asked for")
            expect(granted.lease > .zero && granted.startWithin > .zero, "a turn without time")
        }
    }

    private static func answers(_ answer: MessageType, to request: MessageType?) -> Bool {
        switch request {
        case .hello: answer == .welcome
        case .register: answer == .registered
        case .launchBegin: answer == .launchBegun || answer == .busy
        case .acquire, .releaseAndAcquire: answer == .granted || answer == .busy
        case .release, .launchEnd, .unregister: answer == .done
        default: false
        }
    }

    private mutating func keep(_ message: DaemonMessage) {
        switch message {
        case .granted(let granted):
            expect(granted.turn.number != 0, "a turn without a number")
            turns.append(granted.turn)
        case .launchBegun(let begun, _):
            expect(begun.number != 0, "a session without a number")
            session = begun
        case .registered(let registered): registration = registered.token
        default: break
        }
    }

    // MARK: In the end

    /// All was heard: what has no reply yet waits for it in the daemon.
    public func checkAnswered(isOpen: (UInt64) -> Bool) {
        for request in sent where request.replies == 0 {
            guard let type = MessageType(rawValue: request.type), type.needsTag else { continue }
            expect(isOpen(request.tag), "tag \(request.tag) (type \(request.type)) has no reply, and waits for none")
        }
    }

    /// Whether every request was answered.
    public var isAnswered: Bool {
        sent.allSatisfy { $0.replies > 0 || MessageType(rawValue: $0.type)?.needsTag != true }
    }
}
