import Arbiter
import DaemonTestSupport
import Foundation
import Testing
import VMMProtocol

@Suite("Caps and admission", .timeLimit(.minutes(10)))
struct LimitTests {
    private func error(_ message: DaemonMessage) throws -> ErrorReply {
        guard case .error(let reply) = message else { throw TestFailure("no error: \(message)") }
        return reply
    }

    @Test("the connection over an account's cap is told the cap and closed; the others go on")
    func connections() throws {
        let daemon = try RunningDaemon(configuration: "[account]\nconnections_max = 2")
        let first = try daemon.enter("first")
        let second = try daemon.enter("second")
        let third = try daemon.connect()
        let reply = try error(try #require(try third.receive()).message)
        #expect(reply.code == Extensible(.accountConnections))
        #expect(reply.text.contains("2 are open") && reply.text.contains("account.connections_max"))
        #expect(try third.receive() == nil)
        try daemon.errors.wait(for: "account.connections_max")
        second.hangUp()
        #expect(try second.untilHangUp().isEmpty)
        try first.release(first.acquire(.report).turn)
        // The place is free as soon as the daemon has seen the hang-up.
        while true {
            let next = try daemon.connect()
            if (try? next.enter("next")) != nil { break }
        }
    }

    @Test("who is turned away with its first message already sent is told why all the same")
    func turnedAwayWhileSpeaking() throws {
        let daemon = try RunningDaemon(configuration: "[account]\nconnections_max = 1")
        let first = try daemon.enter("first")
        daemon.signal(SIGSTOP)
        let second = try daemon.connect()
        // Lies unread on the daemon's side when it closes the connection.
        #expect(try second.send(bytes: [1, 2, 3]))
        daemon.signal(SIGCONT)
        let reply = try error(try #require(try second.receive()).message)
        #expect(reply.code == Extensible(.accountConnections))
        #expect(try second.receive() == nil)
        withExtendedLifetime(first) {}
    }

    @Test("the VM over an account's cap is refused, naming the cap, until another goes")
    func vms() throws {
        let daemon = try RunningDaemon(configuration: "[account]\nvms_max = 1")
        let first = try daemon.enter("first")
        let second = try daemon.connect()
        try second.hello()
        let reply = try error(try second.ask(TestClient.register("second")))
        #expect(reply.code == Extensible(.accountVMs))
        #expect(reply.text.contains("account.vms_max"))
        #expect(try first.ask(.unregister) == .done)
        guard case .registered = try second.ask(TestClient.register("second")) else {
            throw TestFailure("not registered")
        }
    }

    @Test("the launch over an account's cap is refused, naming the cap, until another ends")
    func launches() throws {
        let daemon = try RunningDaemon(configuration: "[account]\nlaunches_max = 1")
        let first = try daemon.enter("first")
        let session = try first.beginLaunch(pages: 8)
        let second = try daemon.enter("second")
        let reply = try error(try second.ask(.launchBegin(LaunchPlan(pages: 8))))
        #expect(reply.code == Extensible(.tooManySessions))
        #expect(reply.text.contains("account.launches_max"))
        #expect(try first.ask(.launchEnd(session, .running)) == .done)
        _ = try second.beginLaunch(pages: 8)
        #expect(try first.ask(.unregister) == .done)
    }

    @Test(
        "the 101st reservation of 1/s is refused, naming what is left and the setting; one that accepts less gets what fits"
    )
    func capacity() throws {
        let daemon = try RunningDaemon()
        var clients: [TestClient] = []
        let insists = Registration(reservationWanted: .perSecond(1), reservationLeast: .perSecond(1))
        for number in 0..<100 {
            let client = try daemon.connect()
            #expect(try client.enter("vm \(number)", insists).reservation == .perSecond(1))
            clients.append(client)
        }
        let last = try daemon.connect()
        try last.hello()
        let reply = try error(try last.ask(TestClient.register("one too many", insists)))
        #expect(reply.code == Extensible(.capacity))
        #expect(reply.text.contains("capacity") && reply.text.contains("left"))
        try daemon.errors.wait(for: "VM \"one too many\"")
        let modest = Registration(reservationWanted: .perSecond(1), reservationLeast: .zero)
        // Another VM's leaving makes room for it whole.
        #expect(try clients[0].ask(.unregister) == .done)
        guard case .registered(let registered) = try last.ask(TestClient.register("one too many", modest)) else {
            throw TestFailure("not registered")
        }
        #expect(registered.reservation == .perSecond(1))
    }

    @Test("an account's cap on reservations clips what is wanted and refuses what is insisted on")
    func accountReservation() throws {
        let daemon = try RunningDaemon(configuration: "[arbiter]\naccount_reservation_max = \"1.5/s\"")
        _ = try daemon.enter("first")
        let second = try daemon.connect()
        #expect(try second.enter("second").reservation == Rate(millihertz: 500))
        let third = try daemon.connect()
        try third.hello()
        let insists = Registration(reservationWanted: .perSecond(1), reservationLeast: .perSecond(1))
        let reply = try error(try third.ask(TestClient.register("third", insists)))
        #expect(reply.code == Extensible(.accountReservation))
    }

    @Test("fields outside their bounds are refused by name")
    func fields() throws {
        let daemon = try RunningDaemon()
        let client = try daemon.connect()
        try client.hello()
        let wrong: [(Registration, String)] = [
            (Registration(weight: Weight(0)), "weight"), (Registration(burst: 0), "burst"),
            (Registration(limit: Rate(millihertz: 1)), "limit"),
            (Registration(reservationWanted: .zero, reservationLeast: .perSecond(1)), "reservation_least"),
        ]
        for (registration, field) in wrong {
            let reply = try error(try client.ask(TestClient.register("vm", registration)))
            #expect(reply.code == Extensible(.invalidField))
            #expect(reply.text.contains(field))
        }
    }
}
