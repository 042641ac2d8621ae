import Arbiter

/// Raw values are the file's.
enum OutcomeKind: UInt8 {
    case done = 0
    case mistake = 1
    case admitted = 2
    case notAdmitted = 3
    case launchBegun = 4
    case launchRefused = 5
    case accountOpened = 6
    case noAccountLeft = 7
    case accountClosed = 8
    case accountKept = 9
    case notReconfigured = 10
}

extension CallOutcome {
    @inline(__always)
    var kind: OutcomeKind {
        switch self {
        case .done: .done
        case .mistake: .mistake
        case .admitted: .admitted
        case .notAdmitted: .notAdmitted
        case .launchBegun: .launchBegun
        case .launchRefused: .launchRefused
        case .accountOpened: .accountOpened
        case .noAccountLeft: .noAccountLeft
        case .accountClosed: .accountClosed
        case .accountKept: .accountKept
        case .notReconfigured: .notReconfigured
        }
    }

    @inline(__always)
    func encode(into words: inout MutableSpan<UInt64>, at position: inout Int) {
        if case .done = self { return }
        encodeOther(into: &words, at: &position)
    }

    @inline(never)
    private func encodeOther(into words: inout MutableSpan<UInt64>, at position: inout Int) {
        switch self {
        case .done, .noAccountLeft, .accountClosed, .accountKept: break
        case .mistake(let error): words.put(UInt64(error.rawValue), at: &position)
        case .admitted(let admission):
            words.put(admission.vm.word, at: &position)
            words.put(admission.reservation.millihertz, at: &position)
            words.put(admission.guestWaitReserved.count, at: &position)
            words.put(admission.guestWaitMax.count, at: &position)
        case .notAdmitted(let refusal):
            words.put(UInt64(refusal.reason), at: &position)
            words.put(refusal.first, at: &position)
            words.put(refusal.second, at: &position)
        case .launchBegun(let session): words.put(session.number, at: &position)
        case .launchRefused(let busy):
            words.put(UInt64(busy.reason.rawValue), at: &position)
            busy.encode(into: &words, at: &position)
        case .accountOpened(let account): words.put(UInt64(account.slot), at: &position)
        case .notReconfigured(let objections): words.put(objections, at: &position)
        }
    }

    init(_ kind: OutcomeKind, _ words: inout WordReader) throws(TraceProblem) {
        switch kind {
        case .done: self = .done
        case .mistake: self = .mistake(try words.value(RequestError.self, try words.word()))
        case .admitted:
            let admission = Admission(
                vm: try words.vm(), reservation: Rate(millihertz: try words.integer()),
                guestWaitReserved: try words.duration(), guestWaitMax: try words.duration())
            self = .admitted(admission)
        case .notAdmitted:
            let reason = try words.word()
            guard reason <= 7 else { throw words.problem("\(reason) is no reason not to admit a VM") }
            self = .notAdmitted(
                AdmissionRefusalDigest(
                    reason: UInt8(reason), first: try words.word(), second: try words.word()))
        case .launchBegun: self = .launchBegun(SessionID(number: try words.word()))
        case .launchRefused:
            let reason = try words.value(BusyReason.self, try words.word())
            self = .launchRefused(try Busy(&words, reason))
        case .accountOpened: self = .accountOpened(try words.account())
        case .noAccountLeft: self = .noAccountLeft
        case .accountClosed: self = .accountClosed
        case .accountKept: self = .accountKept
        case .notReconfigured: self = .notReconfigured(objections: try words.word())
        }
    }
}
