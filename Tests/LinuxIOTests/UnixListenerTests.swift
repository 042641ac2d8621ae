import Glibc
import LinuxIO
import Testing

@Suite("Listeners")
struct UnixListenerTests {
    @Test("a client connects, the listener accepts it, and then has none left")
    func acceptOne() throws {
        let directory = try TemporaryDirectory()
        let listener = try UnixListener(path: directory.file("sock"))
        let client = try SeqpacketSocket.connect(to: directory.file("sock"))
        guard let descriptor = try listener.accept() else {
            Issue.record("nobody waits")
            return
        }
        _ = try client.send([1])
        let (received, _) = try SeqpacketSocket(adopting: descriptor).receive()
        #expect(received == .message(count: 1, isTruncated: false))
        let hasAnother = try listener.accept() != nil
        #expect(!hasAnother)
    }

    @Test("a socket file whose owner is gone is replaced")
    func abandoned() throws {
        let directory = try TemporaryDirectory()
        try bindAndDrop(directory.file("sock"))
        #expect(try FileKind.ofPath(directory.file("sock")) == .socket)
        let second = try UnixListener(path: directory.file("sock"))
        #expect(try isServing(second, directory.file("sock")))
    }

    @Test("a path that another listener serves is left to it")
    func inUse() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("sock")
        let first = try UnixListener(path: path)
        #expect(throws: SystemError(code: EADDRINUSE, attempt: "bind", subject: path)) { try bindAndDrop(path) }
        while try first.accept() != nil {}
        #expect(try isServing(first, path))
    }

    @Test("a file that is no socket is never removed")
    func notASocket() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("precious")
        close(creat(path, 0o600))
        #expect(throws: SystemError(code: EADDRINUSE, attempt: "bind", subject: path)) { try bindAndDrop(path) }
        #expect(try FileKind.ofPath(path) == .regular)
    }

    @Test("a path too long for a socket is an error that names it")
    func tooLong() throws {
        let path = "/tmp/" + String(repeating: "x", count: 120)
        let error = #expect(throws: SystemError.self) { try bindAndDrop(path) }
        #expect(error?.code == ENAMETOOLONG)
        #expect(error?.description.contains(path) == true)
    }

    @Test("an inherited descriptor of another kind is refused")
    func wrongKind() throws {
        let error = #expect(throws: SystemError.self) {
            let ends = try SeqpacketSocket.pair()
            _ = try UnixListener(adopting: ends.first.descriptor.duplicate(), kind: .stream)
        }
        #expect(error?.code == EPROTOTYPE)
    }

    private func bindAndDrop(_ path: String) throws { _ = try UnixListener(path: path) }

    private func isServing(_ listener: borrowing UnixListener, _ path: String) throws -> Bool {
        let client = try SeqpacketSocket.connect(to: path)
        let accepted = try listener.accept() != nil
        client.shutDown()
        return accepted
    }
}
