/// How many requests each process has sent, since the tally began.
public struct RequestTally: Sendable {
    public struct Entry: Equatable, Sendable {
        public let process: Int32
        /// Of the thread that was seen last.
        public var name: String
        public var plain: Int64
        public var extended: Int64
        fileprivate var changedIn: UInt64
    }

    private var entries: [Int32: Entry] = [:]
    /// Counts the calls of `takeRecent`.
    private var period: UInt64 = 0
    /// Events that the kernel or this tally had no room for.
    public private(set) var lost: UInt64 = 0

    public init() {}

    public var count: Int { entries.count }

    public subscript(process: Int32) -> Entry? { entries[process] }

    public mutating func note(_ line: TraceLine) {
        switch line {
        case .other: break
        case .lost(let count): lost = min(lost &+ count, ObservationLimits.eventsMax)
        case .request(let request): count(request)
        }
    }

    private mutating func count(_ request: ObservedRequest) {
        if entries[request.process] == nil, entries.count >= ObservationLimits.processes, !makeRoom() {
            lost = min(lost &+ 1, ObservationLimits.eventsMax)
            return
        }
        var entry =
            entries[request.process]
            ?? Entry(process: request.process, name: request.name, plain: 0, extended: 0, changedIn: period)
        switch request.kind {
        case .plain: entry.plain += 1
        case .extended: entry.extended += 1
        }
        entry.name = request.name
        entry.changedIn = period
        entries[request.process] = entry
    }

    /// Forgets a process that has sent nothing for a while. False: each of them has.
    private mutating func makeRoom() -> Bool {
        guard let oldest = entries.values.min(by: { ($0.changedIn, $0.process) < ($1.changedIn, $1.process) }),
            oldest.changedIn < period
        else { return false }
        entries[oldest.process] = nil
        return true
    }

    /// The processes that sent something in the present period or within `remembered` before it, by number; then a new
    /// period begins.
    public mutating func takeRecent(remembered: UInt64) -> [Entry] {
        let recent = entries.values.filter { period - $0.changedIn <= remembered }
        period += 1
        return recent.sorted { $0.process < $1.process }
    }
}
