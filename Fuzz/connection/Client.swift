import FuzzPlay
import FuzzSupport
import LinuxIO
import VMMProtocol

@testable import spschedd

/// A client at its end of a socket.
final class Client: Player {
    let token: EventToken
    var book = Book()
    private let socket: SeqpacketSocket
    /// Its side has seen the end of the connection.
    private(set) var hasEnded = false

    init(token: EventToken, socket: consuming SeqpacketSocket) {
        self.token = token
        self.socket = socket
    }

    func transmit(_ record: [UInt8]) -> Bool {
        guard !hasEnded else { return false }
        do {
            return try socket.send(record.span.bytes) == .sent
        } catch {
            // The kernel refuses a record that is longer than its queue.
            expect(record.count > 4_096, "a record could not be sent: \(error)")
            return false
        }
    }

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
                    let record = UnsafeBufferPointer(rebasing: incoming[..<length]).span
                    book.hear(record, hasDescriptor: passed != nil)
                case .wouldBlock: return index
                case .hungUp: hasEnded = true
                }
            } catch {
                fail("a client cannot read: \(error)")
            }
        }
        return count
    }
}

// SAFETY: allocated once for the process's whole life; one thread plays all clients, one message at a time.
private nonisolated(unsafe) let incoming = UnsafeMutableBufferPointer<UInt8>.allocate(
    capacity: ProtocolLimits.messageBytes)
