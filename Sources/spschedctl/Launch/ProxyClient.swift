import Arbiter
import CSpsched
import Glibc
import LinuxIO

/// libspsched, for who launches a VM from outside: one registration, one session, one turn for all of the launch.
///
/// One thread may wait in `acquire` while another calls `cancel`; all else is one thread's.
final class ProxyClient: Sendable {
    // SAFETY: the library's functions may be called from any thread (spsched.h); the handle is closed in `deinit`, when
    // no thread has a reference to call one with.
    nonisolated(unsafe) private let handle: OpaquePointer

    /// - Parameter failsOpen: goes on without turns where spschedd is absent.
    init(socket path: String, failsOpen: Bool) throws(LaunchProblem) {
        var options = spsched_options()
        spsched_options_init(&options, MemoryLayout<spsched_options>.stride)
        if failsOpen { options.flags = UInt32(SPSCHED_OPEN_WHILE_ABSENT) }
        var handle: OpaquePointer?
        var text = [CChar](repeating: 0, count: Int(SPSCHED_TEXT_MAX))
        // SAFETY: the library copies the strings during the call and writes at most `text.count` bytes.
        let result = path.withCString { path in
            "spschedctl launch".withCString { name in
                options.path = path
                options.client_name = name
                return spsched_open(&options, &handle, &text, text.count)
            }
        }
        guard result == SPSCHED_OK, let handle else {
            throw Self.problem(result, "reach it at \(path)", CStringText.text(text))
        }
        self.handle = handle
    }

    deinit { spsched_close(handle) }

    /// Registers the VM for a share of the surplus: its own requests do not come this way.
    func register(_ machine: MachineIdentity, failsOpen: Bool) throws(LaunchProblem) {
        var registration = spsched_registration()
        spsched_registration_init(&registration, MemoryLayout<spsched_registration>.stride)
        // SAFETY: both have sixteen bytes, and the library copies the name during the call.
        let result = machine.name.withCString { name in
            withUnsafeMutableBytes(of: &registration.uuid) { $0.copyBytes(from: machine.uuid.bytes) }
            registration.name = name
            registration.reservation_wanted_mhz = 0
            registration.failure_mode = UInt8((failsOpen ? SPSCHED_FAIL_OPEN : SPSCHED_FAIL_CLOSED).rawValue)
            return spsched_register(handle, &registration, nil, nil)
        }
        // The library registers it when the daemon comes.
        if result == SPSCHED_ABSENT && failsOpen { return }
        try expectOK(result, "register the VM")
    }

    func begin(pages: UInt32, virtualCPUs: UInt32) throws(LaunchProblem) {
        var plan = spsched_launch_plan()
        plan.size = MemoryLayout<spsched_launch_plan>.stride
        plan.pages = pages
        plan.vcpus = virtualCPUs
        plan.whole = 1
        plan.proxy = 1
        var launch = spsched_launch()
        launch.size = MemoryLayout<spsched_launch>.stride
        var reply = spsched_reply()
        reply.size = MemoryLayout<spsched_reply>.stride
        let result = spsched_launch_begin(handle, &plan, &launch, &reply)
        do throws(LaunchProblem) { try expectOK(result, "begin the launch", reply) } catch {
            // Coming back would not help.
            if case .refused(let text) = error, result == SPSCHED_ERROR,
                reply.error_code == RequestError.pagesOutOfBounds.rawValue
            {
                throw .unsuitable(text)
            }
            throw error
        }
    }

    /// Waits for the turn, until `cancel`.
    func acquire(pages: UInt32) throws(LaunchProblem) -> ProxyGrant {
        var request = spsched_request()
        request.size = MemoryLayout<spsched_request>.stride
        request.kind = UInt16(SPSCHED_WHOLE_LAUNCH.rawValue)
        request.units = pages
        request.flags = UInt32(SPSCHED_UNINTERRUPTIBLE)
        var reply = spsched_reply()
        reply.size = MemoryLayout<spsched_reply>.stride
        try expectOK(spsched_acquire(handle, &request, &reply), "get a turn", reply)
        return ProxyGrant(reply.grant)
    }

    /// Ends the wait of another thread, if it has begun.
    func cancel() { _ = spsched_cancel(handle, 0) }

    func isStale(_ grant: ProxyGrant) -> Bool {
        var turn = grant.turn
        return spsched_grant_is_stale(handle, &turn) == 1
    }

    /// Returns the turn; `pagesDone`: 0 if nothing of it was used.
    func release(_ grant: ProxyGrant, pagesDone: UInt32, failed: Bool) {
        var turn = grant.turn
        var outcome = spsched_outcome()
        outcome.size = MemoryLayout<spsched_outcome>.stride
        outcome.error = failed ? EIO : 0
        outcome.units_done = pagesDone
        outcome.units_done_valid = 1
        _ = spsched_release(handle, &turn, &outcome)
    }

    /// Closes the session, and ends the registration. What the daemon cannot be told it finds out when the connection
    /// ends.
    func leave(launched: Bool) {
        _ = spsched_launch_end(handle, launched ? SPSCHED_LAUNCH_RUNNING : SPSCHED_LAUNCH_FAILED)
        _ = spsched_unregister(handle)
    }
}

/// One turn for a whole launch.
struct ProxyGrant: Sendable {
    fileprivate let turn: spsched_grant
    /// On the boot clock.
    let grantedAt: Instant
    /// By the calendar: nanoseconds since 1970.
    let grantedOn: Int64

    fileprivate init(_ turn: spsched_grant) {
        self.turn = turn
        let age = BootClock.now() - Instant(sinceBoot: Nanoseconds(Int64(clamping: turn.granted_at_ns)))
        grantedAt = BootClock.now() - age
        grantedOn = CalendarClock.now() - age.count
    }

    /// The daemon is absent, and the launch goes on without it.
    var isUnarbitrated: Bool { turn.flags & UInt16(SPSCHED_UNARBITRATED) != 0 }

    /// What is left of the lease; `nil` if nobody granted one.
    var leaseLeft: Nanoseconds? {
        guard !isUnarbitrated else { return nil }
        return grantedAt + Nanoseconds(Int64(clamping: turn.lease_ns)) - BootClock.now()
    }
}

extension ProxyClient {
    private func expectOK(
        _ result: spsched_result, _ attempt: String, _ reply: spsched_reply? = nil
    ) throws(LaunchProblem) {
        guard result != SPSCHED_OK else { return }
        var text = [CChar](repeating: 0, count: Int(SPSCHED_TEXT_MAX))
        _ = spsched_last_error(handle, &text, text.count)
        let wait = result == SPSCHED_BUSY ? reply?.retry_after_ns : nil
        throw Self.problem(result, attempt, CStringText.text(text), retryAfter: wait)
    }

    private static func problem(
        _ result: spsched_result, _ attempt: String, _ text: String, retryAfter: UInt64? = nil
    ) -> LaunchProblem {
        let wait = retryAfter.map { " (come back in \(max(1, $0 / 1_000_000_000)) s)" } ?? ""
        return switch result {
        case SPSCHED_ABSENT: .absent("spschedd: could not \(attempt): \(text)")
        default: .refused("spschedd: could not \(attempt): \(text)\(wait)")
        }
    }
}

enum CStringText {
    /// What stands before the first NUL.
    static func text(_ bytes: [CChar]) -> String {
        String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
