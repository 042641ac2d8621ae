import Arbiter

/// Raw values are the file's.
enum CallKind: UInt8 {
    case openAccount = 1
    case closeAccount = 2
    case register = 3
    case unregister = 4
    case beginLaunch = 5
    case endLaunch = 6
    case acquire = 7
    case release = 8
    case releaseAndAcquire = 9
    case cancel = 10
    case hangUp = 11
    case advance = 12
    case drain = 13
    case resume = 14
    case probeReturned = 15
    case devicePresence = 16
    case acquirePlatform = 17
    case releasePlatform = 18
    case cancelPlatform = 19
    case reconfigure = 20
}

extension ArbiterCall {
    var kind: CallKind {
        switch self {
        case .openAccount: .openAccount
        case .closeAccount: .closeAccount
        case .register: .register
        case .unregister: .unregister
        case .beginLaunch: .beginLaunch
        case .endLaunch: .endLaunch
        case .acquire: .acquire
        case .release: .release
        case .releaseAndAcquire: .releaseAndAcquire
        case .cancel: .cancel
        case .hangUp: .hangUp
        case .advance: .advance
        case .drain: .drain
        case .resume: .resume
        case .probeReturned: .probeReturned
        case .devicePresence: .devicePresence
        case .acquirePlatform: .acquirePlatform
        case .releasePlatform: .releasePlatform
        case .cancelPlatform: .cancelPlatform
        case .reconfigure: .reconfigure
        }
    }

    /// Writes what the call was given.
    @inline(__always)
    func encode(into words: inout MutableSpan<UInt64>, at position: inout Int) {
        switch self {
        case .acquire(let request, let vm):
            request.encode(into: &words, at: &position)
            words.put(vm.word, at: &position)
        case .release(let turn, let outcome, let vm):
            words.put(turn.number, at: &position)
            outcome.encode(into: &words, at: &position)
            words.put(vm.word, at: &position)
        case .releaseAndAcquire(let turn, let outcome, let request, let vm):
            words.put(turn.number, at: &position)
            outcome.encode(into: &words, at: &position)
            request.encode(into: &words, at: &position)
            words.put(vm.word, at: &position)
        case .openAccount, .advance, .drain, .resume: break
        default: encodeRare(into: &words, at: &position)
        }
    }

    @inline(never)
    private func encodeRare(into words: inout MutableSpan<UInt64>, at position: inout Int) {
        switch self {
        case .closeAccount(let account): words.put(UInt64(account.slot), at: &position)
        case .register(let registration, let account):
            registration.encode(into: &words, at: &position)
            words.put(UInt64(account.slot), at: &position)
        case .unregister(let vm): words.put(vm.word, at: &position)
        case .beginLaunch(let plan, let vm):
            words.put(UInt64(plan.pages) | UInt64(plan.virtualCPUs) << 32, at: &position)
            words.put(plan.isWhole, at: &position)
            words.put(plan.isProxy, at: &position)
            words.put(vm.word, at: &position)
        case .endLaunch(let session, let vm):
            words.put(session.number, at: &position)
            words.put(vm.word, at: &position)
        case .cancel(let request, let vm):
            request.encode(into: &words, at: &position)
            words.put(vm.word, at: &position)
        case .hangUp(let origin, let vm):
            words.put(origin, at: &position)
            words.put(vm.word, at: &position)
        case .probeReturned(let outcome): words.put(outcome.word, at: &position)
        case .devicePresence(let isPresent): words.put(isPresent, at: &position)
        case .acquirePlatform(let kind, let request):
            words.put(UInt64(kind.rawValue), at: &position)
            request.encode(into: &words, at: &position)
        case .releasePlatform(let turn, let reportsDeviceTrouble):
            words.put(turn.number, at: &position)
            words.put(reportsDeviceTrouble, at: &position)
        case .cancelPlatform(let request): request.encode(into: &words, at: &position)
        case .reconfigure(let configuration):
            let all = configuration.words
            words.put(UInt64(all.count), at: &position)
            for word in all { words.put(word, at: &position) }
        case .openAccount, .acquire, .release, .releaseAndAcquire, .advance, .drain, .resume: break
        }
    }

    init(_ kind: CallKind, _ words: inout WordReader) throws(TraceProblem) {
        switch kind {
        case .openAccount: self = .openAccount
        case .closeAccount: self = .closeAccount(try words.account())
        case .register:
            let registration = try Registration(&words)
            self = .register(registration, try words.account())
        case .unregister: self = .unregister(try words.vm())
        case .beginLaunch:
            let sizes = try words.word()
            let plan = LaunchPlan(
                pages: UInt32(truncatingIfNeeded: sizes), virtualCPUs: UInt32(truncatingIfNeeded: sizes >> 32),
                isWhole: try words.isSet(), isProxy: try words.isSet())
            self = .beginLaunch(plan, try words.vm())
        case .endLaunch: self = .endLaunch(SessionID(number: try words.word()), try words.vm())
        case .acquire:
            let request = try Request(&words)
            self = .acquire(request, try words.vm())
        case .release:
            let turn = TurnID(number: try words.word())
            self = .release(turn, try TurnOutcome(&words), try words.vm())
        case .releaseAndAcquire:
            let turn = TurnID(number: try words.word())
            self = .releaseAndAcquire(turn, try TurnOutcome(&words), try Request(&words), try words.vm())
        case .cancel: self = .cancel(try words.request(), try words.vm())
        case .hangUp: self = .hangUp(origin: try words.word(), try words.vm())
        case .advance: self = .advance
        case .drain: self = .drain
        case .resume: self = .resume
        case .probeReturned: self = .probeReturned(try ProbeOutcome(&words))
        case .devicePresence: self = .devicePresence(isPresent: try words.isSet())
        case .acquirePlatform:
            let kind = try words.value(CommandKind.self, try words.word())
            self = .acquirePlatform(kind, try words.request())
        case .releasePlatform:
            let turn = TurnID(number: try words.word())
            self = .releasePlatform(turn, reportsDeviceTrouble: try words.isSet())
        case .cancelPlatform: self = .cancelPlatform(try words.request())
        case .reconfigure: self = .reconfigure(try Configuration(&words))
        }
    }
}

extension ArbiterCall.Request {
    @inline(__always)
    fileprivate func encode(into words: inout MutableSpan<UInt64>, at position: inout Int) {
        id.encode(into: &words, at: &position)
        words.put(UInt64(kind.rawValue) | UInt64(units) << 32, at: &position)
        words.put(optional: maxWait, at: &position)
    }

    fileprivate init(_ words: inout WordReader) throws(TraceProblem) {
        let id = try words.request()
        let word = try words.word()
        self.init(
            id: id, kind: try words.value(CommandKind.self, word & 0xFFFF_FFFF),
            units: UInt32(truncatingIfNeeded: word >> 32), maxWait: try words.optionalDuration())
    }
}

extension TurnOutcome {
    @inline(__always)
    fileprivate func encode(into words: inout MutableSpan<UInt64>, at position: inout Int) {
        words.put(UInt64(unitsDone) | (reportsDeviceTrouble ? 1 << 32 : 0), at: &position)
        words.put(optional: measured, at: &position)
    }

    fileprivate init(_ words: inout WordReader) throws(TraceProblem) {
        let word = try words.word()
        guard word >> 33 == 0 else { throw words.problem("a turn's outcome has flags that mean nothing") }
        self.init(
            unitsDone: UInt32(truncatingIfNeeded: word), reportsDeviceTrouble: word >> 32 == 1,
            measured: try words.optionalDuration())
    }
}

extension Registration {
    fileprivate func encode(into words: inout MutableSpan<UInt64>, at position: inout Int) {
        words.put(reservationWanted.millihertz, at: &position)
        words.put(reservationLeast.millihertz, at: &position)
        words.put(optional: limit.map { Nanoseconds($0.millihertz) }, at: &position)
        words.put(weight.value, at: &position)
        words.put(burst, at: &position)
        words.put(UInt64(retryPolicy.rawValue), at: &position)
        words.put(optional: guestWaitMax, at: &position)
    }

    fileprivate init(_ words: inout WordReader) throws(TraceProblem) {
        self.init(
            reservationWanted: Rate(millihertz: try words.integer()),
            reservationLeast: Rate(millihertz: try words.integer()),
            limit: try words.optionalDuration().map { Rate(millihertz: $0.count) },
            weight: Weight(try words.integer()), burst: try words.integer(),
            retryPolicy: try words.value(RetryPolicy.self, try words.word()),
            guestWaitMax: try words.optionalDuration())
    }
}

extension Configuration {
    fileprivate init(_ reader: inout WordReader) throws(TraceProblem) {
        let count = try reader.word()
        guard count <= UInt64(TraceLimits.configurationWords) else {
            throw reader.problem("a configuration of \(count) words")
        }
        var words: [UInt64] = []
        for _ in 0..<count { words.append(try reader.word()) }
        do throws(StateProblem) { try self.init(words: words) } catch {
            throw reader.problem("a configuration that \(error.message)")
        }
    }
}

extension ProbeOutcome {
    fileprivate var word: UInt64 {
        switch self {
        case .returned: 0
        case .dead: 1
        case .unavailable: 2
        }
    }

    fileprivate init(_ words: inout WordReader) throws(TraceProblem) {
        switch try words.word() {
        case 0: self = .returned
        case 1: self = .dead
        case 2: self = .unavailable
        default: throw words.problem("a probe that ended in no known way")
        }
    }
}

// MARK: - Identifiers

extension VMID {
    @inline(__always)
    var word: UInt64 { UInt64(slot) | UInt64(generation) << 32 }
}

extension RequestID {
    @inline(__always)
    func encode(into words: inout MutableSpan<UInt64>, at position: inout Int) {
        words.put(origin, at: &position)
        words.put(tag, at: &position)
    }
}

extension MutableSpan<UInt64> {
    /// No client can mean this one: durations in the protocol are not negative.
    fileprivate static var none: Int64 { .min }

    @inline(__always)
    fileprivate mutating func put(optional duration: Nanoseconds?, at position: inout Int) {
        if let duration { put(duration.count, at: &position) } else { put(Self.none, at: &position) }
    }
}

extension WordReader {
    mutating func vm() throws(TraceProblem) -> VMID {
        let word = try word()
        return VMID(slot: UInt32(truncatingIfNeeded: word), generation: UInt32(truncatingIfNeeded: word >> 32))
    }

    mutating func request() throws(TraceProblem) -> RequestID {
        RequestID(origin: try word(), tag: try word())
    }

    mutating func account() throws(TraceProblem) -> AccountID {
        let word = try word()
        guard word < UInt64(Limits.accounts) else { throw problem("\(word) is no account") }
        return AccountID(slot: UInt32(word))
    }

    mutating func duration() throws(TraceProblem) -> Nanoseconds { Nanoseconds(try integer()) }

    fileprivate mutating func optionalDuration() throws(TraceProblem) -> Nanoseconds? {
        let count = try integer()
        return count == .min ? nil : Nanoseconds(count)
    }
}
