import Glibc
import LinuxIO

/// Text records over one end of a socket pair, between the host process and a VM process.
struct TextSocket: ~Copyable, Sendable {
    /// The descriptor that a VM process is given.
    static let inherited: Int32 = 3
    /// A sentence of failure fits.
    private static let recordBytes = 2_048

    let socket: SeqpacketSocket

    enum Arrival: Equatable {
        case text(String)
        case nothing
        case hungUp
    }

    func send(_ text: String) throws(SystemError) -> Sent {
        try socket.send(Array(text.utf8.prefix(Self.recordBytes)).span.bytes)
    }

    func receive() throws(SystemError) -> Arrival {
        var buffer = [UInt8](repeating: 0, count: Self.recordBytes)
        var outcome: Result<Received, SystemError> = .success(.wouldBlock)
        // SAFETY: the pointer does not leave the closure.
        buffer.withUnsafeMutableBytes { bytes in
            do throws(SystemError) {
                outcome = .success(try socket.receive(into: bytes))
            } catch {
                outcome = .failure(error)
            }
        }
        switch try outcome.get() {
        case .message(let count, _): return .text(String(decoding: buffer[..<count], as: UTF8.self))
        case .wouldBlock: return .nothing
        case .hungUp: return .hungUp
        }
    }
}
