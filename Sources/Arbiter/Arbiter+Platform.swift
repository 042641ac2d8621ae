/// Platform commands that wait, first come, first served. Bounded; its storage is made once.
struct PlatformQueue: Sendable {
    struct Entry: Sendable {
        let kind: CommandKind
        let request: RequestID
        let arrivedAt: Instant
    }

    private var entries: [Entry] = []
    /// When a platform command last went before everything else.
    var lastUrgent = Instant.distantPast

    init() { entries.reserveCapacity(Limits.platformQueue) }

    var isEmpty: Bool { entries.isEmpty }
    var isFull: Bool { entries.count >= Limits.platformQueue }
    var count: Int { entries.count }
    var first: Entry? { entries.first }

    mutating func append(_ entry: Entry) { entries.append(entry) }
    mutating func removeFirst() -> Entry { entries.removeFirst() }
    mutating func remove(_ request: RequestID) -> Bool {
        guard let index = entries.firstIndex(where: { $0.request == request }) else { return false }
        entries.remove(at: index)
        return true
    }

    /// When the first entry goes before everything else: after a second's wait, and a second after the last that did.
    var becomesUrgent: Instant? {
        first.map { max($0.arrivedAt + Limits.platformPatience, lastUrgent + Limits.platformEvery) }
    }

    // MARK: Its state

    func save(into words: inout [UInt64]) {
        words.put(lastUrgent)
        words.put(entries.count)
        for entry in entries {
            words.put(entry.kind)
            words.put(entry.request)
            words.put(entry.arrivedAt)
        }
    }

    init(restoring state: inout StateReader) throws(StateProblem) {
        self.init()
        lastUrgent = try state.instant()
        for _ in 0..<(try state.count(atMost: Limits.platformQueue, "the platform commands that wait")) {
            append(
                Entry(
                    kind: try state.choice(CommandKind.self), request: try state.request(),
                    arrivedAt: try state.instant()))
        }
    }
}

extension Arbiter {
    /// Asks for a turn for a platform command. No VM stands behind it: its decisions carry `VMID.none`.
    public mutating func acquirePlatform(
        _ kind: CommandKind, request: RequestID, now: Instant, into decisions: inout [Decision]
    ) throws(RequestError) {
        guard kind.commandClass == .platform else { throw .kindNotAllowed }
        begin(now, &decisions)
        defer { dispatch(&decisions) }
        guard !platform.isFull else {
            let busy = Busy(retryAfter: Limits.platformEvery, reason: .platformQueueFull, holder: nil)
            return decisions.append(.busy(request, .none, busy))
        }
        if let reason = device.reasonToRefuse {
            let busy = Busy(retryAfter: Limits.retryQuantum, reason: reason, holder: nil)
            return decisions.append(.busy(request, .none, busy))
        }
        platform.append(.init(kind: kind, request: request, arrivedAt: clock))
        setPlatformTimer()
    }

    /// - Parameter reportsDeviceTrouble: ccp answered ETIMEDOUT or EBUSY.
    public mutating func releasePlatform(
        _ turn: TurnID, reportsDeviceTrouble: Bool = false, now: Instant, into decisions: inout [Decision]
    ) throws(RequestError) {
        begin(now, &decisions)
        defer { dispatch(&decisions) }
        try finish(turn, TurnOutcome(unitsDone: 1, reportsDeviceTrouble: reportsDeviceTrouble), of: .none, &decisions)
    }

    public mutating func cancelPlatform(_ request: RequestID, now: Instant, into decisions: inout [Decision]) {
        begin(now, &decisions)
        defer { dispatch(&decisions) }
        guard platform.remove(request) else { return }
        decisions.append(.busy(request, .none, Busy(retryAfter: .zero, reason: .cancelled, holder: nil)))
        setPlatformTimer()
    }

    /// Rule 1.
    mutating func grantUrgentPlatform(_ decisions: inout [Decision]) -> Bool {
        guard let urgent = platform.becomesUrgent, urgent <= clock else { return false }
        platform.lastUrgent = clock
        return grantPlatform(&decisions)
    }

    /// Rule 5.
    mutating func grantPlatform(_ decisions: inout [Decision]) -> Bool {
        guard !platform.isEmpty else { return false }
        let entry = platform.removeFirst()
        setPlatformTimer()
        start(
            entry.kind, units: 1, predicted: costs.predicted(entry.kind, units: 1), of: nil, request: entry.request,
            guestPart: nil, beside: false, &decisions)
        return true
    }

    mutating func setPlatformTimer() {
        guard let urgent = platform.becomesUrgent else { return clear(.platformPatience) }
        set(.platformPatience, at: max(urgent, clock))
    }
}
