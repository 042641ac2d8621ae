import Arbiter
import DaemonTestSupport
import Foundation
import LinuxIO
import Testing
import VMMProtocol

/// Goal: a client that floods is named once, served after the others, and served well again when it has stopped.
@Suite("Floods", .timeLimit(.minutes(3)))
struct FloodTests {
    @Test("a flood of messages without a turn is named once and harms neither its neighbour nor its own later turns")
    func flood() throws {
        let daemon = try RunningDaemon()
        let neighbour = try Neighbour(daemon)
        let client = try daemon.enter("flooder")
        for _ in 0..<20 {
            // Cancels of nothing: valid, and without an answer that could fill the flooder's queue.
            for _ in 0..<500 { try client.send(.cancel(tag: 1), tag: 0) }
            try neighbour.expectGrants()
        }
        let record = try daemon.errors.wait(for: "earned no turn")
        #expect(record.contains("test client") && record.contains("uid \(getuid())"))
        try client.release(client.acquire(.report).turn)
        neighbour.end()
        daemon.signal(SIGTERM)
        _ = try daemon.waitForEnd()
        let lines = try daemon.errors.rest().split(separator: "\n")
        #expect(lines.count { $0.contains("earned no turn") } == 1)
    }

    @Test("a connection that was deferred and unregisters may register and launch again")
    func registersAgain() throws {
        let daemon = try RunningDaemon()
        let client = try daemon.enter("flooder")
        for _ in 0..<1_000 { try client.send(.cancel(tag: 1), tag: 0) }
        try daemon.errors.wait(for: "earned no turn")
        #expect(try client.ask(.unregister) == .done)
        guard case .registered = try client.ask(TestClient.register("again")) else {
            throw TestFailure("it was not registered again")
        }
        try client.launch(pages: 40)
    }

    @Test("while VMs ask without a pause, others connect, register and are answered all the same")
    func newcomers() throws {
        let daemon = try RunningDaemon()
        let neighbours = try (0..<3).map { _ in try Neighbour(daemon) }
        for number in 0..<50 {
            let client = try daemon.enter("newcomer \(number)")
            try client.release(client.acquire(.report).turn)
        }
        for neighbour in neighbours { try neighbour.expectGrants() }
        neighbours.forEach { $0.end() }
    }
}
