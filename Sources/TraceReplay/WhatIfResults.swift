import Arbiter
import TraceFormat

/// What came of each request under the other configuration.
public struct WhatIfResults: Sendable {
    public struct Fate: Equatable, Sendable {
        public var askedAt: Instant?
        public var answer: History.Answer?
    }

    /// By the index of the request in the history. Not asked: it belonged to a launch or VM that was not admitted.
    public private(set) var fates: [Fate]
    public internal(set) var launches = 0
    public internal(set) var launchesRefused = 0
    /// VMs that were admitted and would not have been, and the other way round.
    public internal(set) var notAdmitted = 0
    public internal(set) var newlyAdmitted = 0
    /// The recorded `chunk_pages`, if the other configuration has another: its launch turns could not be played.
    public internal(set) var chunkPagesRecorded: UInt32?

    init(requests: Int) { fates = Array(repeating: Fate(), count: requests) }

    mutating func asked(_ request: Int, at now: Instant) { fates[request].askedAt = now }
    mutating func granted(_ request: Int, at now: Instant) { fates[request].answer = .granted(at: now) }
    mutating func failed(_ request: Int, at now: Instant) { fates[request].answer = .failed(at: now, .noSession) }
    mutating func vanished(_ request: Int, at now: Instant) { fates[request].answer = .vanished(at: now) }

    mutating func refused(_ request: Int, _ reason: BusyReason, at now: Instant) {
        fates[request].answer = .busy(at: now, reason)
    }
}

/// A recorded history beside what would have been: sums for each VM and in all.
public struct WhatIfComparison: Sendable {
    /// A difference in waiting below this is told as none: the daemon itself wakes that late.
    public static let noticeable = Nanoseconds.milliseconds(1)

    public struct Sums: Equatable, Sendable {
        /// All, also those that had no answer when the trace ended and count nowhere else.
        public var requests = 0
        public var granted = 0
        public var grantedThen = 0
        /// Of those that were granted both times.
        public var earlier = 0
        public var later = 0
        /// Granted there and refused then, and the other way round.
        public var nowRefused = 0
        public var nowGranted = 0
        /// Not asked then: its launch or its VM was not admitted.
        public var notAsked = 0
        /// Of those that were granted.
        public var waited = Nanoseconds.zero
        public var waitedThen = Nanoseconds.zero
        public var longest = Nanoseconds.zero
        public var longestThen = Nanoseconds.zero

        public var meanWait: Nanoseconds { granted == 0 ? .zero : waited / Int64(granted) }
        public var meanWaitThen: Nanoseconds { grantedThen == 0 ? .zero : waitedThen / Int64(grantedThen) }
        public var isUnchanged: Bool {
            earlier == 0 && later == 0 && nowRefused == 0 && nowGranted == 0 && notAsked == 0
        }

        mutating func add(_ request: History.Request, _ fate: WhatIfResults.Fate) {
            requests += 1
            // What had no answer when the trace ended cannot be compared.
            guard request.answer != nil else { return }
            let wait = Self.wait(request.arrivedAt, request.answer)
            let waitThen = fate.askedAt.flatMap { Self.wait($0, fate.answer) }
            if fate.askedAt == nil { notAsked += 1 }
            if let wait {
                granted += 1
                waited += wait
                longest = max(longest, wait)
            }
            if let waitThen {
                grantedThen += 1
                waitedThen += waitThen
                longestThen = max(longestThen, waitThen)
            }
            switch (wait, waitThen) {
            case (let wait?, let then?):
                if then + WhatIfComparison.noticeable <= wait { earlier += 1 }
                if wait + WhatIfComparison.noticeable <= then { later += 1 }
            case (nil, .some): nowGranted += 1
            case (.some, nil): if fate.askedAt != nil { nowRefused += 1 }
            case (nil, nil): break
            }
        }

        private static func wait(_ asked: Instant, _ answer: History.Answer?) -> Nanoseconds? {
            guard case .granted(let at) = answer else { return nil }
            return at - asked
        }
    }

    /// A VM's launch commands and its guest's requests, apart; platform commands are `VMID.none`'s.
    public struct Row: Equatable, Sendable {
        public let vm: VMID
        public let part: CommandClass
        public let sums: Sums
    }

    public let rows: [Row]
    public let launches: Sums
    public let guests: Sums

    public init(_ history: History, _ results: WhatIfResults) {
        var sums: [StreamKey: Sums] = [:]
        var parts: [CommandClass: Sums] = [:]
        for (request, fate) in zip(history.requests, results.fates) {
            let part = request.kind.commandClass
            sums[StreamKey(vm: request.vm, part: part), default: Sums()].add(request, fate)
            parts[part, default: Sums()].add(request, fate)
        }
        rows = sums.map { Row(vm: $0.key.vm, part: $0.key.part, sums: $0.value) }
            .sorted {
                ($0.vm.slot, $0.vm.generation, $0.part.rawValue) < ($1.vm.slot, $1.vm.generation, $1.part.rawValue)
            }
        launches = parts[.launch] ?? Sums()
        guests = parts[.guest] ?? Sums()
    }
}
