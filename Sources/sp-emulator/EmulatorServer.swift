import Arbiter
import DeviceProtocol
import Glibc
import LinuxIO
import SPModel

/// Drives the model in real time: sockets in, results out. One thread.
///
/// Each turn of the loop first lets the model do what is due, then waits for the next record or for the next end,
/// whichever is first. The model decides when commands end; the loop only has to look in time, and measures how late it
/// does.
struct EmulatorServer: ~Copyable {
    private let listener: UnixListener
    private let poll: EventPoll
    private let timer: BootTimer
    private let signals: TerminationSignals
    private let started = BootClock.now()
    private let ownUID = geteuid()

    private var connections: ConnectionTable
    private var processor: SecureProcessor
    private var completions: [SecureProcessor.Completion] = []
    private var lateness = LatenessHistogram()
    private var trace: TraceFile?
    /// The label of a connection that went while its command was in service: there is but one such at a time.
    private var departed: (origin: UInt64, label: String)?
    private var armed: Instant?
    private var isStopping = false

    private static let listenerToken = EventToken(slot: 0, generation: 0)
    private static let timerToken = EventToken(slot: 1, generation: 0)
    private static let signalsToken = EventToken(slot: 2, generation: 0)

    init(
        listeningOn path: String, processor: SecureProcessor, trace: consuming TraceFile?
    ) throws(SystemError) {
        let signals = try TerminationSignals()
        let listener = try UnixListener(path: path)
        let poll = try EventPoll(capacity: EmulatorLimits.eventsPerWait)
        let timer = try BootTimer()
        try poll.add(listener.descriptor.number, for: .readable, token: Self.listenerToken)
        try poll.add(timer.descriptor.number, for: .readable, token: Self.timerToken)
        try poll.add(signals.descriptorNumber, for: .readable, token: Self.signalsToken)
        self.signals = signals
        self.listener = listener
        self.poll = poll
        self.timer = timer
        self.processor = processor
        self.trace = trace
        connections = ConnectionTable(capacity: DescriptorLimit.raised(towards: EmulatorLimits.connections))
    }

    /// Serves until SIGTERM or SIGINT.
    mutating func run() throws(SystemError) {
        while !isStopping {
            processor.advance(to: BootClock.now(), into: &completions)
            try deliver()
            let events = try waitForEvents()
            for index in 0..<events { try handle(poll.event(index)) }
        }
        recordRuns(includingCurrent: true)
        trace?.flush()
    }

    // MARK: Waiting

    /// Sleeps until shortly before the next result is due and spins from there.
    private mutating func waitForEvents() throws(SystemError) -> Int {
        guard let next = processor.nextEvent else {
            try arm(nil)
            return try poll.wait()
        }
        guard next.isCompletion else {
            try arm(next.at + EmulatorLimits.coalescing)
            return try poll.wait()
        }
        let wakeUp = next.at - EmulatorLimits.spin
        if BootClock.now() < wakeUp {
            try arm(wakeUp)
            return try poll.wait()
        }
        // Records that come meanwhile are looked for too: their arrival is stamped when they are read.
        return try poll.wait(milliseconds: 0)
    }

    private mutating func arm(_ instant: Instant?) throws(SystemError) {
        guard armed != instant else { return }
        try timer.set(instant)
        armed = instant
    }

    private mutating func handle(_ event: EventPoll.Event) throws(SystemError) {
        switch event.token {
        case Self.listenerToken: try accept()
        case Self.timerToken:
            try timer.acknowledge()
            armed = nil
        case Self.signalsToken: isStopping = try signals.haveCome()
        default: try serve(event.token)
        }
    }

    // MARK: Connections

    private mutating func accept() throws(SystemError) {
        guard let descriptor = try listener.accept() else { return }
        let uid = try descriptor.peerIdentity().uid
        let socket = SeqpacketSocket(adopting: descriptor)
        guard let token = connections.nextToken else {
            let text = "\(connections.capacity) connections are open, as many as may be"
            _ = try socket.send(EmulatorReply.error(tag: 0, .tooManyConnections, text).encoded().span.bytes)
            return
        }
        try poll.add(socket.descriptor.number, for: [.readable, .peerShutdown], token: token)
        connections.insert(Connection(socket: socket, token: token, uid: uid, label: "connection-\(token.slot)"))
    }

    private mutating func serve(_ token: EventToken) throws(SystemError) {
        for _ in 0..<EmulatorLimits.recordsPerEvent {
            guard let connection = connections[token] else { return }
            switch try connection.socket.receiveRecord() {
            case .nothing: return
            case .hungUp: return try close(connection)
            case .tooLong: return try refuse(connection, "a record is longer than any message")
            case .record(let bytes): try answer(bytes, from: connection)
            }
        }
    }

    private mutating func close(_ connection: Connection) throws(SystemError) {
        if processor.servedOrigin == connection.origin { departed = (connection.origin, connection.label) }
        recordRuns(includingCurrent: true)
        processor.hangUp(origin: connection.origin)
        try poll.remove(connection.socket.descriptor.number)
        connections.remove(connection.token)
    }

    /// Says why, and closes: whoever sends what is no message is no peer to go on with.
    private mutating func refuse(_ connection: Connection, _ reason: String) throws(SystemError) {
        Announcement.note("closing connection '\(connection.label)': \(reason)")
        _ = try connection.socket.send(EmulatorReply.error(tag: 0, .malformed, reason).encoded().span.bytes)
        try close(connection)
    }

    private mutating func send(_ reply: EmulatorReply, to connection: Connection) throws(SystemError) {
        switch try connection.socket.send(reply.encoded().span.bytes) {
        case .sent, .hungUp: return
        case .wouldBlock:
            Announcement.note("closing connection '\(connection.label)': it does not read its replies")
            try close(connection)
        }
    }

    // MARK: Requests

    private mutating func answer(_ record: [UInt8], from connection: Connection) throws(SystemError) {
        let request: EmulatorRequest
        do {
            request = try EmulatorRequest(decoding: record)
        } catch {
            switch error {
            case .malformed(let error): return try refuse(connection, "\(error)")
            case .impossibleCommand(let tag, let text):
                return try send(.error(tag: tag, .impossibleCommand, text), to: connection)
            }
        }
        switch request {
        case .label(let name): connection.label = TraceFile.field(name)
        case .command(let tag, let sequence): try submit(sequence, tag: tag, from: connection)
        case .control(let tag, let fault): try apply(fault, tag: tag, from: connection)
        case .statistics(let tag): try send(.statistics(tag: tag, statistics()), to: connection)
        }
    }

    private mutating func submit(
        _ sequence: CommandSequence, tag: UInt64, from connection: Connection
    ) throws(SystemError) {
        guard !connection.hasCommand else {
            let text = "this connection has a command outstanding; wait for its result"
            return try send(.error(tag: tag, .commandOutstanding, text), to: connection)
        }
        connection.hasCommand = true
        processor.submit(sequence, origin: connection.origin, tag: tag, at: BootClock.now(), into: &completions)
        try deliver()
    }

    private mutating func apply(
        _ fault: SecureProcessor.Fault, tag: UInt64, from connection: Connection
    ) throws(SystemError) {
        guard connection.uid == ownUID else {
            let text = "faults are for uid \(ownUID), under which the emulator runs, not for uid \(connection.uid)"
            return try send(.error(tag: tag, .notAllowed, text), to: connection)
        }
        processor.apply(fault, at: BootClock.now(), into: &completions)
        try send(.done(tag: tag), to: connection)
        try deliver()
    }

    // MARK: Results

    private mutating func deliver() throws(SystemError) {
        guard !completions.isEmpty else { return }
        for completion in completions {
            let token = EventToken(packed: completion.origin)
            guard let connection = connections[token] else { continue }
            connection.hasCommand = false
            try send(.result(tag: completion.tag, result(of: completion)), to: connection)
            if completion.error == nil { lateness.record(BootClock.now() - completion.ended) }
        }
        completions.removeAll(keepingCapacity: true)
        recordRuns()
    }

    private func result(of completion: SecureProcessor.Completion) -> CommandResult {
        let platform = PlatformStatus(
            major: processor.profile.firmwareMajor, minor: processor.profile.firmwareMinor,
            guestCount: UInt32(processor.guestCount))
        return CommandResult(
            errno: completion.error?.errno ?? 0,
            firmwareCode: FirmwareCode(rawValue: completion.error?.firmwareCode ?? 0),
            queued: completion.queued, service: completion.service, unitsDone: completion.unitsDone,
            platform: completion.kind == .platformStatus && completion.error == nil ? platform : nil)
    }

    private mutating func recordRuns(includingCurrent: Bool = false) {
        guard trace != nil else { return }
        for run in processor.takeRuns(includingCurrent: includingCurrent) {
            let live = connections[EventToken(packed: run.origin)]?.label
            trace?.append(run, label: live ?? (departed?.origin == run.origin ? departed?.label : nil) ?? "")
        }
    }

    // MARK: Statistics

    private func statistics() -> EmulatorStatistics {
        var statistics = EmulatorStatistics()
        statistics.uptime = BootClock.now() - started
        statistics.busy = processor.counts.busy
        statistics.firmwareCommands = processor.counts.firmwareCommands
        statistics.ioctls = processor.counts.ioctls
        statistics.failed = processor.counts.failed
        statistics.latenessMedian = lateness.quantile(perMille: 500)
        statistics.lateness99 = lateness.quantile(perMille: 990)
        statistics.latenessMax = lateness.max
        statistics.connections = UInt32(connections.count)
        statistics.outstanding = UInt32(processor.outstanding)
        return statistics
    }

    func printSummary() {
        let now = statistics()
        let perMille = now.busy.count * 1_000 / max(now.uptime.count, 1)
        Announcement.summary(
            """
            lateness: p50 \(now.latenessMedian.count / 1_000) µs, p99 \(now.lateness99.count / 1_000) µs, \
            max \(now.latenessMax.count / 1_000) µs; utilisation: \(perMille / 10).\(perMille % 10) % of \
            \(now.uptime.count / 1_000_000) ms; ioctls: \(now.ioctls), failed: \(now.failed), firmware commands: \
            \(now.firmwareCommands)
            """)
    }
}
