import Arbiter
import VMMProtocol

/// Where a program is played: a daemon, clients around it, a device, and time.
public protocol Stage: AnyObject {
    associatedtype Member: Player

    /// The clients by their place, of which there are eight.
    var clients: [Member?] { get }
    var now: Instant { get set }
    /// When the Arbiter and the daemon want to be woken.
    var wake: Instant? { get }
    var housekeepingAt: Instant { get }

    /// - Parameter isTight: the kernel keeps only a few replies for it.
    func connect(_ place: Int, uid: UInt32, isTight: Bool)
    func hangUp(_ place: Int)
    /// The daemon does all that there is to do now.
    func turn()
    /// A client reads at most so many replies.
    func hear(_ place: Int, atMost count: Int)
    func hearAll()

    func answerProbe(_ answer: ProbeAnswer)
    func togglePresence()
    func lookAtDevice()
    func drain()
    func resume()

    /// What holds after every step; and what the daemon keeps twice, which costs more.
    func check()
    func checkBooks()
    /// What an operator is told, which costs most.
    func checkFigures()
    /// Lets time pass until everybody has an answer.
    func settle()
    /// Everybody hangs up: nothing is left.
    func end()
}

/// What becomes of a probe of the device.
public enum ProbeAnswer: Sendable {
    case answered
    case dead
    case failed
    case firmwareRefused
    case notAttempted
    /// Nobody answers: the way is lost.
    case lost
}

/// A client as the input plays it.
public protocol Player: AnyObject {
    var book: Book { get set }
    /// Says whether the record was taken.
    func transmit(_ record: [UInt8]) -> Bool
}

extension Player {
    /// Sends the message under a tag of its own.
    func say(_ message: ClientMessage, tagged: Bool = true) {
        let tag = tagged ? book.nextTag : 0
        if tagged { book.nextTag += 1 }
        outgoing.encode(message, tag: tag)
        outgoing.withRecord { record in
            // SAFETY: the bytes are copied within the closure.
            book.last = record.withUnsafeBufferPointer { Array($0) }
        }
        var asked: Acquire?
        switch message {
        case .acquire(let acquire), .releaseAndAcquire(_, let acquire): asked = acquire
        default: break
        }
        send(asked: asked)
    }

    /// Sends the bytes as they are.
    func say(raw bytes: [UInt8]) {
        book.last = bytes
        send(asked: nil)
    }

    /// Sends the last record once more, with one byte changed; under its own tag if that byte stays.
    func sayAgain(at position: Int, xor change: UInt8) {
        guard !book.last.isEmpty else { return }
        book.last[position % book.last.count] ^= change
        send(asked: nil)
    }

    private func send(asked: Acquire?) {
        let record = book.last
        if transmit(record) { book.note(record, asked: asked) }
    }
}

/// Room for the message being said, for the whole run.
// SAFETY: one thread plays all clients, one message at a time.
private nonisolated(unsafe) var outgoing = MessageBuffer()
