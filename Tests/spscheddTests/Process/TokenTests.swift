import Arbiter
import DaemonTestSupport
import Foundation
import ManagerProtocol
import Testing
import VMMProtocol

@Suite("Tokens", .timeLimit(.minutes(10)))
struct TokenTests {
    @Test("a token attaches further connections to the same VM, which share its one guest request")
    func attach() throws {
        let daemon = try RunningDaemon(configuration: RunningDaemon.longLeases)
        let first = try daemon.connect()
        let registered = try first.enter("vm")
        #expect(!registered.isResumed)
        let second = try daemon.connect()
        let attached = try second.enter("another name", token: registered.token)
        #expect(attached.isResumed)
        #expect(attached.token == registered.token && attached.epoch == registered.epoch)
        let turn = try first.acquire(.report).turn
        guard case .busy(let busy) = try second.ask(.acquire(Acquire(.report))) else {
            throw TestFailure("two guest requests at once")
        }
        #expect(busy.reason == Extensible(.oneRequestPerVM))
        // A turn is the VM's: either connection may return it.
        #expect(try second.ask(.release(Release(turn))) == .done)
    }

    @Test("after a lost connection the token resumes the VM")
    func resume() throws {
        let daemon = try RunningDaemon(configuration: "[clients]\nlinger = \"600s\"")
        let first = try daemon.connect()
        let registered = try first.enter("vm")
        first.hangUp()
        #expect(try first.untilHangUp().isEmpty)
        let second = try daemon.connect()
        #expect(try second.enter("vm", token: registered.token).isResumed)
        try second.release(second.acquire(.report).turn)
    }

    @Test("a VM that lingered out is new again, under another token, and the journal says that it went")
    func lingeredOut() throws {
        let daemon = try RunningDaemon(configuration: "[clients]\nlinger = \"0s\"")
        let first = try daemon.connect()
        let registered = try first.enter("vm")
        first.hangUp()
        try daemon.errors.wait(for: "VM \"vm\" is gone: its last connection is gone")
        let second = try daemon.connect()
        let again = try second.enter("vm", token: registered.token)
        #expect(!again.isResumed)
        #expect(again.token != registered.token)
    }

    @Test("a token that the daemon does not know is no error")
    func unknown() throws {
        let daemon = try RunningDaemon()
        let client = try daemon.connect()
        #expect(try !client.enter("vm", token: Token(high: 1, low: 2)).isResumed)
    }

    @Test("a drained host resumes whom it knows, and admits nobody for a token that it does not know")
    func drained() throws {
        let daemon = try RunningDaemon()
        let first = try daemon.connect()
        let token = try first.enter("first").token
        var manager = try ManagerClient.connect(
            to: daemon.managerPath, patienceMilliseconds: TestClient.patience)
        #expect(try manager.drain() == false)
        let again = try daemon.connect()
        #expect(try again.enter("first", token: token).isResumed)
        #expect(try first.ask(.unregister) == .done)
        for token in [token, Token(high: 1, low: 2)] {
            let reply = try first.ask(TestClient.register("new", token: token))
            guard case .error(let refusal) = reply else { throw TestFailure("admitted: \(reply)") }
            #expect(refusal.code == Extensible(.draining))
        }
        #expect(try manager.status().registeredVMs == 0)
    }

    @Test("UNREGISTER ends the VM on all of its connections, which may register anew")
    func unregister() throws {
        let daemon = try RunningDaemon()
        let first = try daemon.connect()
        let token = try first.enter("vm").token
        let second = try daemon.connect()
        try second.enter("vm", token: token)
        #expect(try first.ask(.unregister) == .done)
        guard case .error(let reply) = try second.ask(.acquire(Acquire(.report))) else {
            throw TestFailure("served without a VM")
        }
        #expect(reply.code == Extensible(.notRegistered))
        guard case .registered(let registered) = try second.ask(TestClient.register("vm", token: token)) else {
            throw TestFailure("not registered")
        }
        #expect(!registered.isResumed)
    }

    @Test("the hang-up of a client releases its turn at once; the turn of a proxy's launch stays")
    func hangUp() throws {
        let daemon = try RunningDaemon(configuration: RunningDaemon.longLeases)
        let direct = try daemon.enter("direct")
        _ = try direct.acquire(.report)
        let waiting = try daemon.enter("waiting")
        direct.hangUp()
        try waiting.release(waiting.acquire(.report).turn)

        let proxy = try daemon.enter("proxy")
        _ = try proxy.beginLaunch(pages: 8, isProxy: true)
        _ = try proxy.acquire(.launchStart)
        proxy.hangUp()
        #expect(try proxy.untilHangUp().isEmpty)
        let launcher = try daemon.enter("launcher")
        _ = try launcher.beginLaunch(pages: 8)
        // Only the end of the lease frees the SP: the waiting launch hears of its place first.
        let tag = try launcher.send(.acquire(Acquire(.launchStart)))
        guard case .queued? = try launcher.receive()?.message else { throw TestFailure("the proxy's turn was taken") }
        guard case .granted = try launcher.reply(to: tag) else { throw TestFailure("never granted") }
    }
}
