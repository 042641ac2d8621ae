import Arbiter

/// Raw values are the file's.
private enum DecisionKind: UInt8 {
    case granted = 1
    case queued = 2
    case busy = 3
    case failed = 4
    case revoked = 5
    case probe = 6
    case deviceState = 7
    case sessionEnded = 8
}

extension Decision {
    /// The first word: the kind, 24 bits that belong to it, and 32 more.
    @inline(__always)
    private func head(_ kind: DecisionKind, _ middle: UInt64 = 0, _ high: UInt32 = 0) -> UInt64 {
        UInt64(kind.rawValue) | middle << 8 | UInt64(high) << 32
    }

    @inline(__always)
    func encode(into words: inout MutableSpan<UInt64>, at position: inout Int) {
        switch self {
        case .granted(let request, let vm, let grant):
            words.put(head(.granted, UInt64(grant.kind.rawValue), grant.units), at: &position)
            request.encode(into: &words, at: &position)
            words.put(vm.word, at: &position)
            words.put(grant.turn.number, at: &position)
            words.put(grant.startWithin.count, at: &position)
            words.put(grant.lease.count, at: &position)
        default: encodeOther(into: &words, at: &position)
        }
    }

    @inline(never)
    private func encodeOther(into words: inout MutableSpan<UInt64>, at position: inout Int) {
        switch self {
        case .granted: break
        case .queued(let request, let vm, let notice):
            words.put(head(.queued, 0, notice.position), at: &position)
            request.encode(into: &words, at: &position)
            words.put(vm.word, at: &position)
            words.put(notice.estimate.count, at: &position)
        case .busy(let request, let vm, let busy):
            words.put(head(.busy, UInt64(busy.reason.rawValue)), at: &position)
            request.encode(into: &words, at: &position)
            words.put(vm.word, at: &position)
            busy.encode(into: &words, at: &position)
        case .failed(let request, let vm, let error):
            words.put(head(.failed, UInt64(error.rawValue)), at: &position)
            request.encode(into: &words, at: &position)
            words.put(vm.word, at: &position)
        case .revoked(let turn, let vm, let origin):
            words.put(head(.revoked), at: &position)
            words.put(turn.number, at: &position)
            words.put(vm.word, at: &position)
            words.put(origin, at: &position)
        case .probe: words.put(head(.probe), at: &position)
        case .deviceState(let state): words.put(head(.deviceState, UInt64(state.rawValue)), at: &position)
        case .sessionEnded(let session, let vm, let end):
            words.put(head(.sessionEnded, UInt64(end.rawValue)), at: &position)
            words.put(session.number, at: &position)
            words.put(vm.word, at: &position)
        }
    }

    init(_ words: inout WordReader) throws(TraceProblem) {
        let head = try words.word()
        let middle = head >> 8 & 0xFF_FFFF
        switch try words.value(DecisionKind.self, head & 0xFF) {
        case .granted:
            let request = try words.request()
            let vm = try words.vm()
            let grant = Grant(
                turn: TurnID(number: try words.word()), kind: try words.value(CommandKind.self, middle),
                units: UInt32(truncatingIfNeeded: head >> 32), startWithin: try words.duration(),
                lease: try words.duration())
            self = .granted(request, vm, grant)
        case .queued:
            let request = try words.request()
            let vm = try words.vm()
            let notice = QueueNotice(
                position: UInt32(truncatingIfNeeded: head >> 32), estimate: try words.duration())
            self = .queued(request, vm, notice)
        case .busy:
            let request = try words.request()
            let vm = try words.vm()
            self = .busy(request, vm, try Busy(&words, try words.value(BusyReason.self, middle)))
        case .failed:
            self = .failed(try words.request(), try words.vm(), try words.value(RequestError.self, middle))
        case .revoked:
            let turn = TurnID(number: try words.word())
            self = .revoked(turn, try words.vm(), origin: try words.word())
        case .probe: self = .probe
        case .deviceState: self = .deviceState(try words.value(DeviceState.self, middle))
        case .sessionEnded:
            let session = SessionID(number: try words.word())
            self = .sessionEnded(session, try words.vm(), try words.value(SessionEnd.self, middle))
        }
    }
}

extension Busy {
    /// But for its reason. Nobody holds the SP: `VMID.none`, which is no VM's.
    func encode(into words: inout MutableSpan<UInt64>, at position: inout Int) {
        words.put(retryAfter.count, at: &position)
        words.put(holder != nil, at: &position)
        words.put((holder ?? .none).word, at: &position)
    }

    init(_ words: inout WordReader, _ reason: BusyReason) throws(TraceProblem) {
        let retryAfter = try words.duration()
        let hasHolder = try words.isSet()
        let holder = try words.vm()
        self.init(retryAfter: retryAfter, reason: reason, holder: hasHolder ? holder : nil)
    }
}
