import Arbiter
import DaemonTestSupport
import Foundation
import LinuxIO
import Testing
import VMMProtocol

/// Goal: a client that floods is named once, served after the others, and served well again when it has stopped.
@Suite("Floods", .timeLimit(.minutes(10)))
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

    @Test("a client that floods while it holds a turn returns it at once, and is deferred afterwards")
    func holder() throws {
        let daemon = try RunningDaemon(configuration: "[planning_cost]\nreport = \"1s\"\n")
        let client = try daemon.enter("flooder")
        for _ in 0..<3 {
            let turn = try client.acquire(.report).turn
            for _ in 0..<500 { try client.send(.cancel(tag: 1), tag: 0) }
            #expect(try client.ask(.release(Release(turn))) == .done)
        }
        try daemon.errors.wait(for: "earned no turn")
    }

    @Test("two hundred connections of one VM leave it together, and each may register another")
    func manyConnections() throws {
        let daemon = try RunningDaemon()
        let first = try daemon.connect()
        let token = try first.enter("shared").token
        let others = try (0..<200).map { _ in try daemon.connect() }
        for other in others { #expect(try other.enter("shared", token: token).isResumed) }
        #expect(try first.ask(.unregister) == .done)
        for other in others.prefix(20) {
            guard case .registered = try other.ask(TestClient.register("own")) else {
                throw TestFailure("it was not registered")
            }
            try other.release(other.acquire(.report).turn)
        }
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
