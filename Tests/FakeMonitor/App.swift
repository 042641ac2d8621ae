import Foundation
import LinuxIO

/// What `spschedctl launch` may meet in QEMU's place: a process that listens on a Unix socket and does, step by step,
/// what its arguments say to the first that connects. After the last step it ends.
///
///     say:TEXT        sends a line
///     raw:TEXT        sends bytes
///     hear:COMMAND    reads a line, which must name the command
///     return:JSON     answers the command heard last
///     error:TEXT      answers it with an error
///     answer:COMMAND=JSON   hear and return
///     flood:TEXT      says the line until the peer hangs up
///     pause           waits for a line on standard input
///     hang-up         closes the connection, and lives on
///     wait            waits until the peer hangs up
///
/// Tells each command that it has heard, as a line.
@main
enum App {
    /// A line, at once: standard output is a pipe.
    static func tell(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

    static func main() throws {
        signal(SIGPIPE, SIG_IGN)
        let arguments = CommandLine.arguments
        let listener = try UnixListener(path: arguments[1], kind: .stream)
        tell("listening")
        listener.descriptor.waitReadable()
        guard let accepted = try listener.accept(isNonblocking: false) else { return }
        var peer: Peer? = Peer(socket: accepted.release())
        for step in arguments.dropFirst(2) {
            let parts = step.split(separator: ":", maxSplits: 1).map(String.init)
            let text = parts.count > 1 ? parts[1] : ""
            switch parts[0] {
            case "pause": _ = readLine()
            case "hang-up": peer = nil
            default: guard peer?.perform(parts[0], text) ?? true else { exit(1) }
            }
        }
    }
}

private final class Peer {
    private let socket: Int32
    private var lastID = "0"

    init(socket: Int32) { self.socket = socket }

    deinit { close(socket) }

    /// False: the peer is gone, or said something else.
    func perform(_ step: String, _ text: String) -> Bool {
        switch step {
        case "say": return send(text + "\r\n")
        case "raw": return send(text)
        case "hear": return hear(text)
        case "return": return send("{\"return\": \(text), \"id\": \(lastID)}\r\n")
        case "error":
            return send("{\"error\": {\"class\": \"GenericError\", \"desc\": \"\(text)\"}, \"id\": \(lastID)}\r\n")
        case "answer":
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            return hear(parts[0]) && perform("return", parts[1])
        case "flood":
            while send(text + "\r\n") {}
            return true
        case "wait":
            while line() != nil {}
            return true
        default: return false
        }
    }

    private func hear(_ command: String) -> Bool {
        guard let line = line(), line.contains("\"\(command)\"") else { return false }
        lastID = line.split(separator: ":").last.map { $0.filter(\.isNumber) } ?? "0"
        App.tell("heard \(command)")
        return true
    }

    private func send(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return write(socket, bytes, bytes.count) == bytes.count
    }

    private func line() -> String? {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while read(socket, &byte, 1) == 1 {
            if byte == UInt8(ascii: "\n") { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(byte)
        }
        return nil
    }
}
