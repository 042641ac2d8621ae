import Arbiter
import DaemonTestSupport
import DeviceTestSupport
import Foundation
import LinuxIO
import ManagerProtocol
import Testing
import VMMProtocol

@Suite("For operators", .timeLimit(.minutes(10)))
struct ManagerTests {
    private func connect(_ daemon: RunningDaemon) throws -> ManagerClient {
        try ManagerClient.connect(to: daemon.managerPath, patienceMilliseconds: TestClient.patience)
    }

    @Test("Status tells of the device, the turn, the capacity and the counters")
    func status() throws {
        let daemon = try RunningDaemon(configuration: "[planning_cost]\nlaunch_start = \"1s\"\n")
        let client = try daemon.enter("holder")
        _ = try client.beginLaunch(pages: 8)
        let granted = try client.acquire(.launchStart)
        var manager = try connect(daemon)
        let status = try manager.status()
        #expect(status.version == PackageVersion.current)
        #expect(status.device == .absent && status.deviceDetail?.contains("no-device") == true)
        #expect(status.registeredVMs == 1 && status.registeredVMsMax == Limits.defaultVMs)
        #expect(status.turn?.vm == "holder" && status.turn?.kind == "launch_start")
        #expect(status.counters.grants == 1)
        #expect(status.capacity.reservedNanoseconds == Nanoseconds.microseconds(7_500).count)
        try client.release(granted.turn)
    }

    @Test("ListVMs names every VM, in more replies than one step makes")
    func list() throws {
        let daemon = try RunningDaemon()
        let clients = try (0..<40).map { try daemon.enter("vm \($0)") }
        try clients[7].release(clients[7].acquire(.report).turn)
        var manager = try connect(daemon)
        var names: [String] = []
        var grants: Int64 = 0
        try manager.listVMs {
            names.append($0.name)
            grants += $0.guestGrants
        }
        #expect(names == (0..<40).map { "vm \($0)" })
        #expect(grants == 1)
    }

    @Test("a refusal is counted under its reason, for the VM and in all")
    func refusals() throws {
        let daemon = try RunningDaemon(configuration: RunningDaemon.longLeases)
        let client = try daemon.enter("vm")
        let granted = try client.acquire(.report)
        for _ in 0..<3 { _ = try client.ask(.acquire(Acquire(.report))) }
        var manager = try connect(daemon)
        #expect(try manager.status().counters.busies == ["one_request_per_vm": 3])
        var busies: [String: Int64] = [:]
        try manager.listVMs { busies = $0.busies }
        #expect(busies == ["one_request_per_vm": 3])
        try client.release(granted.turn)
    }

    @Test("an operator who floods, sends garbage, or never reads harms nobody's turns")
    func hostileOperators() throws {
        let daemon = try RunningDaemon()
        let neighbour = try Neighbour(daemon)
        let flooder = try StreamSocket.connect(to: daemon.managerPath, isNonblocking: true)
        let call = Array(#"{"method":"io.spschedd.Manager.ListVMs","more":true}"#.utf8) + [0]
        let calls = [UInt8]((0..<100).flatMap { _ in call })
        while try flooder.send(calls[...]) != .wouldBlock {}
        try neighbour.expectGrants()

        let garbage = try StreamSocket.connect(to: daemon.managerPath)
        _ = try garbage.send([UInt8](repeating: UInt8(ascii: "x"), count: 8_192)[...])
        _ = try? garbage.send([UInt8](repeating: 0, count: 16)[...])
        try daemon.errors.wait(for: "An operator's connection was closed")
        try neighbour.expectGrants()
        var manager = try connect(daemon)
        #expect(try manager.status().registeredVMs == 1)
    }

    @Test("one operator more than there may be is told who has the places, and the others go on")
    func tooMany() throws {
        let daemon = try RunningDaemon()
        var first = try connect(daemon)
        #expect(try first.status().registeredVMs == 0)
        let others = try (0..<40).map { _ in try StreamSocketHolder(daemon.managerPath) }
        try daemon.errors.wait(for: "all 32 places for operators are taken: 32 by uid \(getuid())")
        #expect(try first.status().registeredVMs == 0)
        var late = try connect(daemon)
        #expect {
            try late.status()
        } throws: { error in
            guard case ManagerClientError.refused(let name, let parameters)? = error as? ManagerClientError,
                case .string(let text)? = parameters["text"]
            else { return false }
            return name == ManagerInterface.tooManyOperatorsError && text.contains("32 by uid \(getuid())")
        }
        let command = try BuiltProcess("spschedctl", ["status", "--manager-socket", daemon.managerPath])
        #expect(command.rest().isEmpty && command.waitForEnd() == EX_TEMPFAIL)
        #expect(command.standardError.hasPrefix("spschedctl: No further operator is served: all 32 places"))
        withExtendedLifetime(others) {}
    }
}

/// Keeps a connection open.
private final class StreamSocketHolder {
    private let socket: StreamSocket

    init(_ path: String) throws { socket = try StreamSocket.connect(to: path) }
}
