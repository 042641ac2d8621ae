import Arbiter
import TraceFormat

/// One record for each thing that can be recorded.
enum Sample {
    static let vm = VMID(slot: 5, generation: 9)
    static let other = VMID(slot: 0xFFFF_FFFE, generation: 0)
    static let now = Instant(sinceBoot: Nanoseconds(0x0102_0304_0506))
    static let id = RequestID(origin: 0xAABB_CCDD_0000_0001, tag: 42)
    static let turn = TurnID(number: 77)
    static let session = SessionID(number: 8)
    static let account = AccountID(slot: 3)

    static func request(_ kind: CommandKind = .report, tag: UInt64, maxWait: Nanoseconds? = nil) -> ArbiterCall.Request
    {
        .init(id: RequestID(origin: 0xAABB_CCDD_0000_0001, tag: tag), kind: kind, units: 1, maxWait: maxWait)
    }

    static let granted = Decision.granted(
        id, vm,
        Grant(turn: turn, kind: .launchUpdate, units: 32, startWithin: .milliseconds(7), lease: .milliseconds(178)))

    static let decisions: [Decision] = [
        granted,
        .queued(id, vm, QueueNotice(position: 3, estimate: .milliseconds(80))),
        .busy(id, vm, Busy(retryAfter: .seconds(2), reason: .launchAhead, holder: other)),
        .busy(id, .none, Busy(retryAfter: .zero, reason: .platformQueueFull, holder: nil)),
        .failed(id, vm, .noSession),
        .revoked(turn, vm, origin: id.origin),
        .probe,
        .deviceState(.stuck),
    ]

    static let records: [CallRecord] =
        calls.map { CallRecord(now: now, call: $0.0, outcome: $0.1, decisions: []) } + [
            CallRecord(now: now, call: .advance, outcome: .done, decisions: decisions),
            CallRecord(
                now: now, call: .advance, outcome: .done,
                decisions: [.sessionEnded(session, vm, .wallClock), .sessionEnded(session, vm, .clientGone)]),
            CallRecord(
                now: Instant(sinceBoot: Nanoseconds(-1)), call: .acquire(request(tag: .max), other),
                outcome: .mistake(.unknownVM), decisions: []),
        ]

    private static let outcome = TurnOutcome(unitsDone: 31, reportsDeviceTrouble: true, measured: .microseconds(7_300))

    private static let otherConfiguration: Configuration = {
        var configuration = Configuration()
        configuration.accountReservationMax = .perSecond(3)
        configuration.launchOrder = .shortestFirst
        return configuration
    }()

    private static let calls: [(ArbiterCall, CallOutcome)] = [
        (.openAccount, .accountOpened(account)),
        (.openAccount, .noAccountLeft),
        (.closeAccount(account), .accountClosed),
        (.closeAccount(account), .accountKept),
        (
            .register(
                Registration(
                    reservationWanted: .perSecond(2), reservationLeast: Rate(millihertz: 25), limit: .perSecond(9),
                    weight: Weight(300), burst: 4, retryPolicy: .once, guestWaitMax: .milliseconds(20)), account),
            .admitted(
                Admission(
                    vm: vm, reservation: .perSecond(1), guestWaitReserved: .seconds(5), guestWaitMax: .milliseconds(20)
                ))
        ),
        (.register(Registration(), account), .notAdmitted(.init(.capacity(left: Rate(millihertz: 3))))),
        (
            .register(Registration(retryPolicy: .never), account),
            .notAdmitted(.init(.patience(would: .seconds(21), limit: .seconds(20), retryPolicy: .never)))
        ),
        (
            .register(Registration(burst: 0), account),
            .notAdmitted(.init(.invalid(field: "burst", bounds: "1 to 100")))
        ),
        (.register(Registration(), account), .notAdmitted(.init(.tooManyVMs(limit: 16)))),
        (.register(Registration(), account), .notAdmitted(.init(.accountReservation(left: .zero)))),
        (
            .register(Registration(), account),
            .notAdmitted(.init(.reservedWait(would: .seconds(6), limit: .seconds(5))))
        ),
        (.unregister(vm), .done),
        (.beginLaunch(LaunchPlan(pages: 64, virtualCPUs: 4, isWhole: true, isProxy: false), vm), .launchBegun(session)),
        (
            .beginLaunch(LaunchPlan(pages: .max, virtualCPUs: 0, isWhole: false, isProxy: true), vm),
            .launchRefused(Busy(retryAfter: .milliseconds(3), reason: .launchBucketVM, holder: nil))
        ),
        (.endLaunch(session, vm), .mistake(.turnStillHeld)),
        (.acquire(request(.launchUpdate, tag: 1, maxWait: .milliseconds(9)), vm), .done),
        (.release(turn, outcome, vm), .done),
        (.release(turn, TurnOutcome(unitsDone: 1), vm), .mistake(.unknownTurn)),
        (.releaseAndAcquire(turn, outcome, request(tag: 2), vm), .done),
        (.cancel(id, vm), .done),
        (.hangUp(origin: id.origin, vm), .done),
        (.advance, .done),
        (.drain, .done),
        (.resume, .done),
        (.probeReturned(.returned), .done),
        (.probeReturned(.dead), .done),
        (.probeReturned(.unavailable), .done),
        (.devicePresence(isPresent: true), .done),
        (.devicePresence(isPresent: false), .done),
        (.acquirePlatform(.platformStatus, id), .done),
        (.releasePlatform(turn, reportsDeviceTrouble: true), .done),
        (.cancelPlatform(id), .done),
        (.reconfigure(Configuration()), .done),
        (.reconfigure(otherConfiguration), .notReconfigured(objections: 2)),
    ]
}
