import Foundation
import LinuxIO
import Synchronization
import Testing

@testable import ManagerProtocol

/// Goal: the client gets what the dispatcher says, and names what is wrong otherwise. Method: a real socket, one thread
/// of the test at its other end.
@Suite struct ManagerClientTests {
    @Test func `The client reads status and a list longer than any buffer`() throws {
        let vms = (0..<700).map { ManagedVM.sample(slot: $0) }
        let daemon = try FakeDaemon { socket in try FakeDaemon.serve(socket, Source(vms: vms)) }
        var client = try ManagerClient.connect(to: daemon.path)
        var listed: [ManagedVM] = []
        #expect(try client.status() == .sample)
        try client.listVMs { listed.append($0) }
        #expect(listed == vms)
        #expect(try client.status() == .sample)
    }

    @Test func `A socket that is not there is named`() {
        #expect(
            throws: ManagerClientError.unreachable(
                path: "/nonexistent/io.spschedd.Manager",
                SystemError(code: ENOENT, attempt: "connect to", subject: "/nonexistent/io.spschedd.Manager"))
        ) {
            _ = try ManagerClient.connect(to: "/nonexistent/io.spschedd.Manager")
        }
    }

    @Test func `A daemon that hangs up is told from one that is silent`() throws {
        let closing = try FakeDaemon { _ in }
        #expect(throws: ManagerClientError.closed) {
            var client = try ManagerClient.connect(to: closing.path)
            _ = try client.status()
        }
        let silent = try FakeDaemon { socket in _ = try socket.waitReadable(milliseconds: -1) }
        silent.keepsConnection.store(true, ordering: .releasing)
        #expect(throws: ManagerClientError.timedOut(milliseconds: 20)) {
            var client = try ManagerClient.connect(to: silent.path, patienceMilliseconds: 20)
            _ = try client.status()
        }
    }

    @Test func `An error reply arrives under its name`() throws {
        let daemon = try FakeDaemon { socket in
            let reply = VarlinkReply(
                parameters: ["method": JSONValue.string("m")], error: "org.varlink.service.MethodNotFound")
            try socket.sendAll(VarlinkMessage.encode(reply))
        }
        daemon.keepsConnection.store(true, ordering: .releasing)
        #expect(
            throws: ManagerClientError.refused(
                error: "org.varlink.service.MethodNotFound", parameters: ["method": .string("m")])
        ) {
            var client = try ManagerClient.connect(to: daemon.path)
            _ = try client.status()
        }
    }

    @Test func `Who is turned away before it has called is told why`() throws {
        let turnedAway = DispatchSemaphore(value: 0)
        let daemon = try FakeDaemon { socket in
            try socket.sendAll(VarlinkError.tooManyOperators("full").message)
            socket.descriptor.shutDown()
            turnedAway.signal()
        }
        var client = try ManagerClient.connect(to: daemon.path)
        turnedAway.wait()
        let refusal = ManagerClientError.refused(
            error: ManagerInterface.tooManyOperatorsError, parameters: ["text": .string("full")])
        #expect(throws: refusal) { _ = try client.status() }
    }

    @Test func `Another service's noise is not taken for an answer`() throws {
        let daemon = try FakeDaemon { socket in try socket.sendAll(Array("HTTP/1.1 400 Bad Request\r\n\0".utf8)) }
        daemon.keepsConnection.store(true, ordering: .releasing)
        #expect {
            var client = try ManagerClient.connect(to: daemon.path)
            _ = try client.status()
        } throws: { error in
            guard case ManagerClientError.notVarlink(.malformed)? = error as? ManagerClientError else { return false }
            return true
        }
    }
}

/// A listener whose one connection is served by a thread.
final class FakeDaemon: Sendable {
    let path: String
    private let directory: String
    /// Whether the connection stays open after `serve` returns, until the client closes it.
    let keepsConnection = Atomic(false)

    init(_ serve: @escaping @Sendable (borrowing StreamSocket) throws -> Void) throws {
        // Its own: a listener locks its directory for a moment, and /tmp is everybody's.
        directory = "/tmp/spschedd-manager-\(UUID().uuidString.prefix(13))"
        path = "\(directory)/socket"
        mkdir(directory, 0o700)
        let listener = try UnixListener(path: path, kind: .stream)
        try listener.descriptor.setNonblocking(false)
        let number = try listener.descriptor.duplicate().release()
        Thread.detachNewThread { [self] in
            do {
                let listener = try UnixListener(adopting: FileDescriptor(adopting: number), kind: .stream)
                guard let connection = try listener.accept(isNonblocking: false) else { return }
                let socket = StreamSocket(adopting: connection)
                try serve(socket)
                if keepsConnection.load(ordering: .acquiring) { try socket.drain() }
            } catch {
                Issue.record("the fake daemon failed: \(error)")
            }
        }
    }

    deinit {
        unlink(path)
        rmdir(directory)
    }

    static func serve(_ socket: borrowing StreamSocket, _ source: Source) throws {
        var dispatcher = ManagerDispatcher(version: "1.2.3")
        var buffer = [UInt8](repeating: 0, count: 100)
        while true {
            switch try socket.receive(into: &buffer) {
            case .bytes(let count): dispatcher.receive(buffer[..<count])
            case .wouldBlock: continue
            case .hungUp: return
            }
            while try dispatcher.answer(from: source) == .pending || !dispatcher.output.isEmpty {
                try socket.sendAll(dispatcher.output)
                dispatcher.sent(dispatcher.output.count)
            }
        }
    }
}

extension StreamSocket {
    func sendAll(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            guard case .bytes(let count) = try send(rest) else { return }
            rest.removeFirst(count)
        }
    }

    /// Reads until the peer closes.
    func drain() throws {
        var buffer = [UInt8](repeating: 0, count: 1024)
        while try receive(into: &buffer) != .hungUp {}
    }
}
