import Arbiter
import DeviceProtocol
import LinuxIO
import VMMProtocol

@testable import spschedd

/// Plays one input. Each step is one byte (what, and which client) and the bytes that it takes for its fields.
struct Interpreter {
    /// An input can make no more steps, however long it is.
    private static let stepsMax = 256

    private let world: World
    private var program: Program
    private var client = 0

    init(_ program: Program, in world: World) {
        self.world = world
        self.program = program
    }

    mutating func run() {
        let settles = program.byte() & 1 == 1
        for step in 1...Self.stepsMax where !program.isAtEnd {
            self.step()
            world.noteProbe()
            world.check()
            if step % 16 == 0 { world.checkBooks() }
        }
        world.turn()
        world.hearAll()
        if settles { world.settle() }
        world.end()
    }

    private mutating func step() {
        let what = program.byte()
        client = Int(what >> 4 & 7)
        // Several messages may lie in the socket before the daemon looks.
        let isHeld = what & 0x80 != 0
        switch what & 15 {
        case 0: connect()
        case 14: environment()
        case 15: time()
        case let kind:
            guard let client = world.clients[client] else { return }
            say(kind, client)
        }
        if !isHeld { world.turn() }
    }

    private mutating func connect() {
        let how = program.byte()
        world.connect(client, uid: 1_000 + UInt32(how & 1), isTight: how & 2 != 0)
        guard how & 4 == 0, let client = world.clients[client] else { return }
        // Most programs have more to say than HELLO.
        client.say(.hello(Hello(name: .empty)))
        if how & 8 == 0 { client.say(.register(Register(uuid: UUIDBytes(high: 0, low: UInt64(how)), name: .empty))) }
    }

    // MARK: What a client says

    private mutating func say(_ kind: UInt8, _ client: Client) {
        switch kind {
        case 1: client.say(.hello(hello()))
        case 2: client.say(.register(register()))
        case 3: client.say(.launchBegin(plan()))
        case 4: client.say(.acquire(acquire()))
        case 5:
            let isTagged = program.byte() & 1 == 0
            client.say(.release(release(client)), tagged: isTagged)
        case 6:
            let release = release(client)
            client.say(.releaseAndAcquire(release, acquire()))
        case 7: client.say(.cancel(tag: client.openTag(program.byte())), tagged: false)
        case 8:
            let choice = program.byte()
            let session = choice & 0x80 == 0 ? client.session : nil
            client.say(.launchEnd(session ?? SessionID(number: UInt64(choice)), choice & 1 == 0 ? .running : .failed))
        case 9: client.say(.unregister)
        case 10: client.say(.resyncState(ResyncState(epoch: 1, tags: [UInt64(program.byte())])), tagged: false)
        case 11: raw(client)
        case 12:
            let position = Int(program.byte())
            client.sayAgain(at: position, xor: program.byte())
        default: flood(client)
        }
    }

    private mutating func raw(_ client: Client) {
        var bytes: [UInt8] = []
        program.bytes(atMost: Int(program.byte()), into: &bytes)
        client.say(raw: bytes)
    }

    /// The same mistake many times: what a client is told, it need not read.
    private mutating func flood(_ client: Client) {
        let count = program.byte() & 63
        for index in 0...count {
            client.say(.hello(Hello(name: .empty)))
            if index % 8 == 7 { world.turn() }
        }
    }

    private mutating func hello() -> Hello {
        let how = program.byte()
        let version = ProtocolLimits.version
        return Hello(
            versionMin: how & 1 == 0 ? version : version + 1, versionMax: how & 2 == 0 ? version : version + 1,
            features: Features(rawValue: UInt64(how >> 2)), name: how & 4 == 0 ? .empty : Name64("fuzz")!)
    }

    private mutating func register() -> Register {
        let how = program.byte()
        let registration = Registration(
            reservationWanted: Rate(millihertz: program.pick(Self.rates)),
            reservationLeast: Rate(millihertz: how & 1 == 0 ? 0 : program.pick(Self.rates)),
            limit: how & 2 == 0 ? nil : Rate(millihertz: program.pick(Self.rates)),
            weight: Weight(how & 4 == 0 ? 100 : Int64(program.byte()) * 40),
            burst: how & 8 == 0 ? 3 : program.pick([0, 1, 100, 101]),
            retryPolicy: RetryPolicy(rawValue: how >> 4 & 3) ?? .linux,
            guestWaitMax: how & 64 == 0 ? nil : program.pick(Self.durations))
        let wants = program.byte()
        let token = world.clients[Int(wants >> 4 & 7)]?.registration
        return Register(
            uuid: UUIDBytes(high: 1, low: UInt64(how)), name: wants & 1 == 0 ? .empty : Name64("a VM")!,
            token: wants & 2 == 0 ? .none : token ?? Token(high: 1, low: 1), registration: registration,
            failureMode: wants & 4 == 0 ? .open : .closed, wantsDescriptor: wants & 8 != 0)
    }

    private mutating func plan() -> LaunchPlan {
        let how = program.byte()
        return LaunchPlan(
            pages: program.pick(Self.pages), virtualCPUs: how & 4 == 0 ? 1 : program.pick([0, 2, 255, 4_096, 4_097]),
            isWhole: how & 1 != 0, isProxy: how & 2 != 0)
    }

    private mutating func acquire() -> Acquire {
        let how = program.byte()
        let kind = CommandKind.allCases[Int(how & 15) % CommandKind.allCases.count]
        return Acquire(
            kind, units: how & 16 == 0 ? 1 : program.pick(Self.pages),
            maxWait: how & 32 == 0 ? nil : program.pick(Self.durations))
    }

    private mutating func release(_ client: Client) -> Release {
        let how = program.byte()
        return Release(
            client.turn(program.byte()), errno: [0, 0, 16, 110][Int(how & 3)], firmwareCode: UInt32(how >> 6),
            measured: how & 4 == 0 ? nil : program.pick(Self.durations),
            unitsDone: how & 8 == 0 ? 1 : program.pick(Self.pages))
    }

    // MARK: What happens around the clients

    private mutating func time() {
        let amount = program.byte()
        let wake = world.daemon.arbiter.nextWake
        switch amount & 31 {
        case 0..<16: world.hand.now = world.hand.now + Self.durations[Int(amount & 15)]
        case 16..<24: world.hand.now = max(world.hand.now, wake ?? world.hand.now)
        case 24..<28: world.hand.now = max(world.hand.now, wake.map { $0 - Nanoseconds(1) } ?? world.hand.now)
        default: world.hand.now = max(world.hand.now, world.daemon.housekeepingAt)
        }
    }

    private mutating func environment() {
        let what = program.byte()
        switch what & 15 {
        case 0: world.hangUp(client)
        case 1: world.clients[client]?.hear(atMost: 1)
        case 2, 3: world.clients[client]?.hear(atMost: 64)
        case 4: for case let client? in world.clients { client.hear(atMost: 64) }
        case 5: world.answerProbe(.answered)
        case 6: world.answerProbe(.dead)
        case 7: world.answerProbe(program.pick([.failed, .firmwareRefused, .notAttempted]))
        case 8: world.answerProbe(nil)
        case 9: world.setPresence(!world.presence)
        case 10: world.daemon.checkDevice(world.hand.now)
        case 11:
            world.daemon.arbiter.drain(now: world.hand.now, into: &world.daemon.decisions)
            world.daemon.carryOutDecisions()
        case 12:
            world.daemon.arbiter.resume(now: world.hand.now, into: &world.daemon.decisions)
            world.daemon.carryOutDecisions()
        case 13: world.hearAll()
        default: world.checkBooks()
        }
    }

    // MARK: Values at which something changes

    private static let rates: [Int64] = [
        0, 24, 25, 1_000, 5_000, 50_000, 99_000, 101_000, 10_000_000, 10_000_001, 4_294_967_295,
    ]
    private static let pages: [UInt32] = [0, 1, 2, 31, 32, 33, 100, 1_000, 10_000, 20_000, 20_001, .max]
    private static let durations: [Nanoseconds] = [
        Nanoseconds(1), .microseconds(100), .milliseconds(1), .milliseconds(5), .milliseconds(10), .milliseconds(50),
        .milliseconds(100), .milliseconds(500), .milliseconds(501), .seconds(1), .seconds(2), .milliseconds(2_046),
        .seconds(5), .seconds(20), .seconds(31), .seconds(60),
    ]
}
