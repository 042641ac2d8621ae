import CSpschedTesting
import Foundation
import VMMProtocol

/// A handle of the library, which may be used from any thread.
final class Client: @unchecked Sendable {
    // SAFETY: the library locks the handle itself; it is closed once, when nobody can use it any more.
    let handle: OpaquePointer

    init(handle: OpaquePointer) { self.handle = handle }

    deinit { spsched_close(handle) }

    static func open(
        path: String? = nil, descriptor: Int32 = -1, flags: UInt32 = 0
    ) throws -> Client {
        try open { options in
            options.descriptor = descriptor
            options.flags = flags
        } path: {
            path
        }
    }

    static func open(
        _ configure: (inout spsched_options) -> Void, path: () -> String? = { nil }
    ) throws -> Client {
        var options = spsched_options()
        spsched_options_init(&options, MemoryLayout<spsched_options>.size)
        configure(&options)
        var handle: OpaquePointer?
        var text = [CChar](repeating: 0, count: Int(SPSCHED_TEXT_MAX))
        let open: (UnsafePointer<CChar>?) -> spsched_result = { path in
            options.path = path
            return spsched_open(&options, &handle, &text, text.count)
        }
        let result = path().map { $0.withCString(open) } ?? open(nil)
        guard result == SPSCHED_OK, let handle else { throw OpenFailure(result: result, text: string(text)) }
        return Client(handle: handle)
    }

    var lastError: String {
        var text = [CChar](repeating: 0, count: Int(SPSCHED_TEXT_MAX))
        _ = spsched_last_error(handle, &text, text.count)
        return string(text)
    }

    var status: spsched_status {
        var status = spsched_status()
        status.size = MemoryLayout<spsched_status>.size
        _ = spsched_status(handle, &status)
        return status
    }

    func register(
        _ configure: (inout spsched_registration) -> Void = { _ in }
    ) -> (result: spsched_result, admission: spsched_admission, reply: Reply) {
        var registration = spsched_registration()
        spsched_registration_init(&registration, MemoryLayout<spsched_registration>.size)
        configure(&registration)
        var admission = spsched_admission()
        admission.size = MemoryLayout<spsched_admission>.size
        var reply = Reply.empty
        let result = spsched_register(handle, &registration, &admission, &reply)
        return (result, admission, Reply(result, reply))
    }

    func acquire(
        _ kind: spsched_kind = SPSCHED_REPORT, units: UInt32 = 1, maxWait: UInt64 = 0, cancelID: UInt64 = 0,
        flags: UInt32 = 0
    ) -> Reply {
        var request = spsched_request(kind, units: units, maxWait: maxWait, cancelID: cancelID, flags: flags)
        var reply = Reply.empty
        let result = spsched_acquire(handle, &request, &reply)
        return Reply(result, reply)
    }

    func release(_ grant: spsched_grant, error: Int32 = 0, measured: UInt64 = 0) -> spsched_result {
        var grant = grant
        var outcome = spsched_outcome()
        outcome.size = MemoryLayout<spsched_outcome>.size
        outcome.error = error
        outcome.measured_ns = measured
        return spsched_release(handle, &grant, &outcome)
    }

    func releaseAndAcquire(_ grant: spsched_grant, _ kind: spsched_kind, units: UInt32 = 1) -> Reply {
        var grant = grant
        var request = spsched_request(kind, units: units)
        var reply = Reply.empty
        let result = spsched_release_and_acquire(handle, &grant, nil, &request, &reply)
        return Reply(result, reply)
    }

    func beginLaunch(
        pages: UInt32 = 64, isProxy: Bool = false
    ) -> (result: spsched_result, launch: spsched_launch, reply: Reply) {
        var plan = spsched_launch_plan()
        plan.size = MemoryLayout<spsched_launch_plan>.size
        plan.pages = pages
        plan.vcpus = 1
        plan.proxy = isProxy ? 1 : 0
        var launch = spsched_launch()
        launch.size = MemoryLayout<spsched_launch>.size
        var reply = Reply.empty
        let result = spsched_launch_begin(handle, &plan, &launch, &reply)
        return (result, launch, Reply(result, reply))
    }

    func endLaunch() -> spsched_result { spsched_launch_end(handle, SPSCHED_LAUNCH_RUNNING) }

    func isStale(_ grant: spsched_grant) -> Bool {
        var grant = grant
        return spsched_grant_is_stale(handle, &grant) != 0
    }

    /// Waits, without a time of its own, until the handle's state is as the condition wants it.
    func waitUntil(_ condition: (spsched_status) -> Bool) throws {
        let end = ContinuousClock.now + .seconds(Patience.seconds)
        while !condition(status) {
            guard ContinuousClock.now < end else { throw Failure("the client did not get there: \(status)") }
            sched_yield()
        }
    }
}

struct OpenFailure: Error {
    let result: spsched_result
    let text: String
}

/// What an acquire came to.
struct Reply: Sendable {
    let result: spsched_result
    let grant: spsched_grant
    let retryAfter: UInt64
    let reason: UInt16
    let errorCode: UInt16
    let text: String

    init(_ result: spsched_result, _ reply: spsched_reply) {
        self.result = result
        grant = reply.grant
        retryAfter = reply.retry_after_ns
        reason = reply.reason
        errorCode = reply.error_code
        text = withUnsafeBytes(of: reply.text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    static var empty: spsched_reply {
        var reply = spsched_reply()
        reply.size = MemoryLayout<spsched_reply>.size
        return reply
    }
}

extension spsched_request {
    init(_ kind: spsched_kind, units: UInt32, maxWait: UInt64 = 0, cancelID: UInt64 = 0, flags: UInt32 = 0) {
        self.init()
        size = MemoryLayout<spsched_request>.size
        self.kind = UInt16(kind.rawValue)
        self.units = units
        max_wait_ns = maxWait
        cancel_id = cancelID
        self.flags = flags
    }
}

extension spsched_result: @retroactive CustomStringConvertible {
    public var description: String { String(cString: spsched_result_name(self)) }
}

func string(_ text: [CChar]) -> String {
    String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// Work on a thread of its own, whose result is waited for.
final class Background<Value: Sendable>: @unchecked Sendable {
    // SAFETY: `outcome` and `thread` are written before the semaphores are signalled, and read after they were waited
    // for.
    private var outcome: Result<Value, any Error>?
    private var number = pthread_t()
    private let started = DispatchSemaphore(value: 0)
    private let finished = DispatchSemaphore(value: 0)

    init(_ work: @escaping @Sendable () throws -> Value) {
        let thread = Thread {
            testing_take_signals()
            self.number = pthread_self()
            self.started.signal()
            self.outcome = Result(catching: work)
            self.finished.signal()
        }
        thread.start()
        started.wait()
    }

    /// The thread, for signals. Only while the work is known to run.
    var thread: pthread_t { number }

    func value() throws -> Value {
        guard finished.wait(timeout: .now() + Patience.seconds) == .success else {
            throw Failure("a call of the library did not return")
        }
        finished.signal()
        return try outcome!.get()
    }
}

/// A client whose VM is registered, and its daemon's end.
struct Pair {
    let daemon: FakeDaemon
    var connection: Connection
    let client: Client

    init(
        registered: Registered = Registered(), flags: UInt32 = 0,
        _ configure: @escaping @Sendable (inout spsched_registration) -> Void = { _ in }
    ) throws {
        daemon = try FakeDaemon()
        let path = daemon.path
        let opening = Background { try Client.open(path: path, flags: flags) }
        connection = try daemon.accept()
        try connection.welcome()
        client = try opening.value()
        let client = client
        let registering = Background { client.register(configure).result }
        try connection.admit(registered)
        let result = try registering.value()
        guard result == SPSCHED_OK else { throw Failure("could not register: \(result)") }
    }
}
