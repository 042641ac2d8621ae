import Arbiter
import VMMProtocol

/// Plays one input. Each step is one byte (what, and which client) and the bytes that it takes for its fields.
public struct Interpreter<Place: Stage> {
    /// An input can make no more steps, however long it is.
    private static var stepsMax: Int { 256 }
    /// The books cost as much as some steps, and what went wrong in them stays wrong.
    private static var stepsPerAudit: Int { 64 }

    private let stage: Place
    private var program: Program
    private var client = 0

    public init(_ program: Program, on stage: Place) {
        self.stage = stage
        self.program = program
    }

    public mutating func run() {
        let settles = program.byte() & 1 == 1
        for step in 1...Self.stepsMax where !program.isAtEnd {
            self.step()
            stage.check()
            if step % Self.stepsPerAudit == 0 { stage.checkBooks() }
        }
        stage.turn()
        stage.hearAll()
        if settles { stage.settle() }
        stage.end()
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
            guard let client = stage.clients[client] else { return }
            say(kind, client)
        }
        if !isHeld { stage.turn() }
    }

    private mutating func connect() {
        let how = program.byte()
        stage.connect(client, uid: 1_000 + UInt32(how & 1), isTight: how & 2 != 0)
        guard how & 4 == 0, let client = stage.clients[client] else { return }
        // Most programs have more to say than HELLO.
        client.say(.hello(Hello(name: .empty)))
        if how & 8 == 0 { client.say(.register(Register(uuid: UUIDBytes(high: 0, low: UInt64(how)), name: .empty))) }
    }

    // MARK: What a client says

    private mutating func say(_ kind: UInt8, _ client: Place.Member) {
        switch kind {
        case 1: client.say(.hello(program.hello()))
        case 2: client.say(.register(program.register { stage.clients[$0]?.book.registration }))
        case 3: client.say(.launchBegin(program.plan()))
        case 4: client.say(.acquire(program.acquire()))
        case 5:
            let isTagged = program.byte() & 1 == 0
            client.say(.release(program.release(of: client.book)), tagged: isTagged)
        case 6:
            let release = program.release(of: client.book)
            client.say(.releaseAndAcquire(release, program.acquire()))
        case 7: client.say(.cancel(tag: client.book.openTag(program.byte())), tagged: false)
        case 8:
            let choice = program.byte()
            let session = choice & 0x80 == 0 ? client.book.session : nil
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

    private mutating func raw(_ client: Place.Member) {
        var bytes: [UInt8] = []
        program.bytes(atMost: Int(program.byte()), into: &bytes)
        client.say(raw: bytes)
    }

    /// The same mistake many times: what a client is told, it need not read.
    private mutating func flood(_ client: Place.Member) {
        let count = program.byte() & 31
        for index in 0...count {
            client.say(.hello(Hello(name: .empty)))
            if index % 8 == 7 { stage.turn() }
        }
    }

    // MARK: What happens around the clients

    private mutating func time() {
        let amount = program.byte()
        let now = stage.now
        switch amount & 31 {
        case 0..<16: stage.now = now + Program.durations[Int(amount & 15)]
        case 16..<24: stage.now = max(now, stage.wake ?? now)
        case 24..<28: stage.now = max(now, stage.wake.map { $0 - Nanoseconds(1) } ?? now)
        default: stage.now = max(now, stage.housekeepingAt)
        }
    }

    private mutating func environment() {
        let what = program.byte()
        switch what & 15 {
        case 0: stage.hangUp(client)
        case 1: stage.hear(client, atMost: 1)
        case 2, 3: stage.hear(client, atMost: 64)
        case 4: for place in stage.clients.indices { stage.hear(place, atMost: 64) }
        case 5: stage.answerProbe(.answered)
        case 6: stage.answerProbe(.dead)
        case 7: stage.answerProbe(program.pick([.failed, .firmwareRefused, .notAttempted]))
        case 8: stage.answerProbe(.lost)
        case 9: stage.togglePresence()
        case 10: stage.lookAtDevice()
        case 11: stage.drain()
        case 12: stage.resume()
        case 13: stage.hearAll()
        default:
            stage.checkBooks()
            stage.checkFigures()
        }
    }
}
