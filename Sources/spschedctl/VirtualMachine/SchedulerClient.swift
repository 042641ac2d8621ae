import Arbiter
import CSpsched
import Glibc
import LinuxIO

/// libspsched as a Swift value: one connection to the daemon, one VM.
struct SchedulerClient: ~Copyable {
    private let handle: OpaquePointer

    init(socket path: String) throws(VMFailure) {
        var options = spsched_options()
        spsched_options_init(&options, MemoryLayout<spsched_options>.stride)
        var handle: OpaquePointer?
        var text = [CChar](repeating: 0, count: Int(SPSCHED_TEXT_MAX))
        // SAFETY: the library copies the strings during the call and writes at most `text.count` bytes.
        let result = path.withCString { path in
            "spschedctl demo".withCString { name in
                options.path = path
                options.client_name = name
                return spsched_open(&options, &handle, &text, text.count)
            }
        }
        guard result == SPSCHED_OK, let handle else {
            throw VMFailure("could not reach spschedd at \(path): \(Self.string(text))")
        }
        self.handle = handle
    }

    deinit { spsched_close(handle) }

    /// Registers the VM, asking for the device's descriptor.
    func register(name: String, _ wanted: Registration) throws(VMFailure) {
        var registration = spsched_registration()
        spsched_registration_init(&registration, MemoryLayout<spsched_registration>.stride)
        registration.uuid = Self.randomUUID()
        registration.reservation_wanted_mhz = UInt32(wanted.reservationWanted.millihertz)
        registration.reservation_least_mhz = UInt32(wanted.reservationLeast.millihertz)
        registration.limit_mhz = UInt32(wanted.limit?.millihertz ?? 0)
        registration.weight = UInt32(wanted.weight.value)
        registration.burst = UInt32(wanted.burst)
        registration.guest_wait_max_ns = UInt64(wanted.guestWaitMax?.count ?? 0)
        registration.want_device = 1
        // SAFETY: the library copies the name during the call.
        let result = name.withCString { name in
            registration.name = name
            return spsched_register(handle, &registration, nil, nil)
        }
        try expectOK(result, "register")
    }

    func unregister() throws(VMFailure) { try expectOK(spsched_unregister(handle), "unregister") }

    /// The device's descriptor that came with the registration.
    func takeDevice() throws(VMFailure) -> FileDescriptor {
        let number = spsched_take_device(handle)
        guard number >= 0 else { throw VMFailure("spschedd handed out no descriptor of the device") }
        return FileDescriptor(adopting: number)
    }

    /// Begins the launch session; the most pages that one turn covers.
    func beginLaunch(_ plan: LaunchPlan) throws(VMFailure) -> UInt32 {
        var request = spsched_launch_plan()
        request.size = MemoryLayout<spsched_launch_plan>.stride
        request.pages = plan.pages
        request.vcpus = plan.virtualCPUs
        var launch = spsched_launch()
        launch.size = MemoryLayout<spsched_launch>.stride
        try expectOK(spsched_launch_begin(handle, &request, &launch, nil), "begin its launch")
        return launch.chunk_pages
    }

    func endLaunch() throws(VMFailure) {
        try expectOK(spsched_launch_end(handle, SPSCHED_LAUNCH_RUNNING), "end its launch")
    }

    /// Waits for a turn; `nil` is BUSY.
    func acquire(_ kind: CommandKind, units: UInt32 = 1) throws(VMFailure) -> spsched_grant? {
        var request = Self.request(kind, units)
        var reply = Self.reply()
        return try grant(spsched_acquire(handle, &request, &reply), reply)
    }

    func release(_ grant: spsched_grant, measured: Nanoseconds) throws(VMFailure) {
        var grant = grant
        var outcome = Self.outcome(measured)
        try expectOK(spsched_release(handle, &grant, &outcome), "release its turn")
    }

    func releaseAndAcquire(
        _ held: spsched_grant, measured: Nanoseconds, _ kind: CommandKind, units: UInt32
    ) throws(VMFailure) -> spsched_grant? {
        var held = held
        var outcome = Self.outcome(measured)
        var request = Self.request(kind, units)
        var reply = Self.reply()
        return try grant(spsched_release_and_acquire(handle, &held, &outcome, &request, &reply), reply)
    }
}

extension SchedulerClient {
    private func grant(_ result: spsched_result, _ reply: spsched_reply) throws(VMFailure) -> spsched_grant? {
        if result == SPSCHED_BUSY { return nil }
        try expectOK(result, "get a turn")
        return reply.grant
    }

    private func expectOK(_ result: spsched_result, _ attempt: String) throws(VMFailure) {
        guard result != SPSCHED_OK else { return }
        var text = [CChar](repeating: 0, count: Int(SPSCHED_TEXT_MAX))
        _ = spsched_last_error(handle, &text, text.count)
        // SAFETY: the library returns a constant string for every value.
        let name = String(cString: spsched_result_name(result))
        throw VMFailure("the VM could not \(attempt): \(name): \(Self.string(text))")
    }

    private static func request(_ kind: CommandKind, _ units: UInt32) -> spsched_request {
        var request = spsched_request()
        request.size = MemoryLayout<spsched_request>.stride
        request.kind = kind.rawValue
        request.units = units
        return request
    }

    private static func reply() -> spsched_reply {
        var reply = spsched_reply()
        reply.size = MemoryLayout<spsched_reply>.stride
        return reply
    }

    private static func outcome(_ measured: Nanoseconds) -> spsched_outcome {
        var outcome = spsched_outcome()
        outcome.size = MemoryLayout<spsched_outcome>.stride
        outcome.measured_ns = UInt64(measured.count)
        return outcome
    }

    private static func string(_ text: [CChar]) -> String {
        String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Version 4 of RFC 9562.
    private static func randomUUID() -> UUIDTuple {
        var bytes = (0..<16).map { _ in UInt8.random(in: .min ... .max) }
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        return (
            bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7], bytes[8], bytes[9],
            bytes[10], bytes[11], bytes[12], bytes[13], bytes[14], bytes[15]
        )
    }

    private typealias UUIDTuple = (
        UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8
    )
}
