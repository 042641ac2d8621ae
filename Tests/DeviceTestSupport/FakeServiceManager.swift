import Glibc
import LinuxIO

/// The other end of sd_notify(3): a datagram socket in a directory of its own.
public final class FakeServiceManager {
    private let directory: TemporaryDirectory
    private let socket: UnixListener
    public var path: String { directory.file("notify") }

    public init() throws {
        directory = try TemporaryDirectory()
        socket = try UnixListener(path: directory.file("notify"), kind: .datagram)
        try socket.descriptor.setNonblocking(false)
    }

    /// The next message, as its lines.
    public func message() throws -> [String] {
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = recv(socket.descriptor.number, &bytes, bytes.count, 0)
        guard count >= 0 else { throw ProcessError("nothing was notified: errno \(errno)") }
        return String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// Throws away what has come and waits for nothing: a queue that nobody empties holds the sender up.
    public func discardMessages() {
        var byte: UInt8 = 0
        while recv(socket.descriptor.number, &byte, 1, Int32(MSG_DONTWAIT)) >= 0 {}
    }

    /// Reads messages until one has this line, and returns it.
    @discardableResult
    public func wait(for line: String) throws -> [String] {
        while true {
            let lines = try message()
            if lines.contains(line) { return lines }
        }
    }
}
