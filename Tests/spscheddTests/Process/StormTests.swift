import DaemonTestSupport
import DeviceTestSupport
import Foundation
import ManagerProtocol
import Testing

@Suite("A host that falls apart", .timeLimit(.minutes(10)))
struct StormTests {
    @Test("64 client processes, killed at random moments, leave nothing behind and disturb nobody")
    func kills() throws {
        let daemon = try RunningDaemon(configuration: "[clients]\nlinger = \"0s\"")
        let neighbour = try Neighbour(daemon, amongLaunches: true)
        var clients: [BuiltProcess] = []
        for number in 0..<64 {
            clients.append(try BuiltProcess("StormClient", [daemon.socketPath, "\(number)"]))
        }
        for client in clients { #expect(try client.line() == "ready") }
        var random = SystemRandomNumberGenerator()
        var replacements = 0
        while !clients.isEmpty {
            try neighbour.expectGrants(1)
            let victim = clients.remove(at: Int.random(in: clients.indices, using: &random))
            victim.signal(SIGKILL)
            #expect(victim.waitForEnd() == -SIGKILL)
            if replacements < 16 {
                replacements += 1
                let replacement = try BuiltProcess("StormClient", [daemon.socketPath, "again \(replacements)"])
                #expect(try replacement.line() == "ready")
                clients.append(replacement)
            }
        }
        try neighbour.expectGrants()
        var manager = try ManagerClient.connect(to: daemon.managerPath, patienceMilliseconds: TestClient.patience)
        while true {
            let status = try manager.status()
            if status.registeredVMs == 1 {
                #expect(status.queues.launchSessions == 0)
                break
            }
        }
        try neighbour.expectGrants()
    }
}
