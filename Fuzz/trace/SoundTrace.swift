import Arbiter
import TraceReplay

@testable import TraceFormat

/// A trace in which every kind of call occurs, and what an input makes of it.
struct SoundTrace {
    /// Made once: all inputs begin with it.
    static let shared = SoundTrace()

    private var memory: Memory
    /// Where records lie, the states first in each segment.
    private let records: [(range: Range<Int>, isState: Bool)]

    var bytes: [UInt8] { memory.bytes }

    private init() {
        var play = Play()
        play.run()
        memory = play.memory
        var records: [(Range<Int>, Bool)] = []
        if let file = try? TraceFile(memory.bytes) {
            for segment in file.segments {
                var position = segment.range.lowerBound + TraceLimits.segmentHeaderWords
                while position < segment.range.upperBound, let head = RecordHead(word: memory.words[position]),
                    memory.words[position + 1] <= segment.lastRecord
                {
                    records.append((position..<position + head.length, head.kind == .state))
                    position += head.length
                }
            }
        }
        self.records = records
        precondition(records.count > 40, "too little is in the trace")
    }

    /// Each eight bytes of the input change one word of one record: which record, which word of it, how.
    ///
    /// - Returns: whether a state, or what stands before the records, was changed.
    mutating func apply(_ input: [UInt8], repairs: Bool) -> Bool {
        var touchesState = false
        for start in stride(from: 0, through: input.count - 8, by: 8) {
            let patch = input[start..<start + 8].map(Int.init)
            let record = records[(patch[0] << 8 | patch[1]) % records.count]
            let place = (patch[2] << 8 | patch[3]) % record.range.count
            let value = Self.value(patch[4], UInt64(patch[5] << 16 | patch[6] << 8 | patch[7]))
            let word = record.range.lowerBound + place
            memory.set(word, to: patch[4] % 2 == 0 ? value : memory.words[word] ^ value)
            if record.isState { touchesState = true }
            guard repairs, place != 2, let head = RecordHead(word: memory.words[record.range.lowerBound]),
                record.range.lowerBound + head.length <= memory.words.count
            else { continue }
            let range = record.range.lowerBound..<record.range.lowerBound + head.length
            memory.set(range.lowerBound + 2, to: memory.words.checksum(range))
        }
        return touchesState
    }

    /// Small, shifted or extreme.
    private static func value(_ form: Int, _ bits: UInt64) -> UInt64 {
        switch form / 2 % 8 {
        case 0: bits
        case 1: bits << 32
        case 2: bits << 40
        case 3: .max - bits
        case 4: UInt64(Int64.max) - bits
        case 5: 1 << (bits % 64)
        case 6: bits & 0xFF
        default: 0 &- bits
        }
    }
}

/// Calls of every kind, over two segments.
private struct Play: ~Copyable {
    private var arbiter = Arbiter(
        configuration: Configuration(), virtualMachines: 3, now: Instant(sinceBoot: .seconds(1_000)))
    private(set) var memory = Memory(TraceShape(segments: 2, wordsInSegment: 3_000))
    private var now = Instant(sinceBoot: .seconds(1_000))
    private var decisions: [Decision] = []
    private var turn = TurnID(number: 0)

    @discardableResult
    private mutating func call(_ call: ArbiterCall) -> CallOutcome {
        now += .microseconds(700)
        decisions.removeAll()
        let outcome = arbiter.perform(call, now: now, into: &decisions)
        memory.record(CallRecord(now: now, call: call, outcome: outcome, all: decisions))
        for case .granted(_, _, let grant) in decisions { turn = grant.turn }
        return outcome
    }

    private mutating func beginSegment() {
        var state: [UInt64] = []
        arbiter.save(into: &state)
        memory.beginSegment(state, at: now)
    }

    private static func request(_ kind: CommandKind, _ tag: UInt64, _ units: UInt32 = 1) -> ArbiterCall.Request {
        .init(id: RequestID(origin: 9, tag: tag), kind: kind, units: units, maxWait: tag % 2 == 0 ? .seconds(1) : nil)
    }

    mutating func run() {
        beginSegment()
        guard case .accountOpened(let account) = call(.openAccount) else { return }
        var vms: [VMID] = []
        for policy in RetryPolicy.allCases {
            if case .admitted(let admission) = call(.register(Registration(retryPolicy: policy), account)) {
                vms.append(admission.vm)
            }
        }
        call(.register(Registration(), account))
        call(.devicePresence(isPresent: true))
        for round in 0..<2 as Range<UInt64> {
            playRound(vms, round * 100)
            beginSegment()
        }
        playRound(vms, 500)
        call(.unregister(vms[2]))
        call(.closeAccount(account))
    }

    private mutating func playRound(_ vms: [VMID], _ tag: UInt64) {
        if case .launchBegun(let session) = call(.beginLaunch(LaunchPlan(pages: 40, virtualCPUs: 2), vms[0])) {
            call(.acquire(Self.request(.launchUpdate, tag + 1, 40), vms[0]))
            call(.acquire(Self.request(.report, tag + 2), vms[1]))
            call(.acquire(Self.request(.report, tag + 3), vms[2]))
            call(.releaseAndAcquire(turn, TurnOutcome(unitsDone: 32), Self.request(.launchUpdate, tag + 4, 8), vms[0]))
            call(.release(turn, TurnOutcome(unitsDone: 8, measured: .milliseconds(7)), vms[0]))
            call(.endLaunch(session, vms[0]))
        }
        call(.cancel(RequestID(origin: 9, tag: tag + 3), vms[2]))
        call(.release(turn, TurnOutcome(unitsDone: 1, reportsDeviceTrouble: true), vms[1]))
        call(.probeReturned(.returned))
        call(.acquirePlatform(.platformStatus, RequestID(origin: 3, tag: tag + 5)))
        call(.acquirePlatform(.platformCommand, RequestID(origin: 3, tag: tag + 6)))
        call(.cancelPlatform(RequestID(origin: 3, tag: tag + 6)))
        call(.releasePlatform(turn, reportsDeviceTrouble: false))
        call(.acquire(Self.request(.derivedKey, tag + 7), vms[1]))
        call(.hangUp(origin: 9, vms[1]))
        call(.drain)
        call(.resume)
        call(.advance)
    }
}
