import Arbiter
import CSpschedTesting
import Foundation
import Testing
import VMMProtocol

@Suite("Opening and registering")
struct RegistrationTests {
    @Test("without a daemon, open says in a sentence that nobody listens, and where")
    func nobodyListens() throws {
        let failure = #expect(throws: OpenFailure.self) { try Client.open(path: "/nonexistent/sock") }
        #expect(failure?.result == SPSCHED_ABSENT)
        #expect(failure?.text == "spschedd is not running: nobody listens at /nonexistent/sock")
    }

    @Test("a daemon that refuses the version is quoted")
    func versionUnsupported() throws {
        let daemon = try FakeDaemon()
        let opening = Background { [path = daemon.path] in try Client.open(path: path) }
        let connection = try daemon.accept()
        let (tag, message) = try connection.expect(.hello)
        guard case .hello(let hello) = message else { return }
        #expect(hello.versionMin == 1)
        #expect(hello.features == .all)
        let error = ErrorReply(code: Extensible(.versionUnsupported), text: "update the library")
        try connection.send(.error(error), tag: tag)
        let failure = #expect(throws: OpenFailure.self) { try opening.value() }
        #expect(failure?.result == SPSCHED_ERROR)
        #expect(failure?.text == "update the library")
    }

    @Test("a registration says what the VM asks for, and its admission what it got")
    func registered() throws {
        let daemon = try FakeDaemon()
        let opening = Background { [path = daemon.path] in try Client.open(path: path) }
        let connection = try daemon.accept()
        try connection.welcome()
        let client = try opening.value()
        let registering = Background {
            "web-3".withCString { name in
                client.register {
                    $0.name = name
                    $0.uuid.15 = 9
                    $0.reservation_wanted_mhz = 2_000
                    $0.reservation_least_mhz = 500
                    $0.limit_mhz = 4_000
                    $0.weight = 7
                    $0.burst = 2
                    $0.retry_policy = UInt8(SPSCHED_RETRY_ONCE.rawValue)
                    $0.failure_mode = UInt8(SPSCHED_FAIL_CLOSED.rawValue)
                    $0.guest_wait_max_ns = 100_000_000
                }.admission
            }
        }
        let asked = try connection.admit(Registered(reservation: .perSecond(1), burst: 2, failureMode: .closed))
        #expect(
            asked.registration
                == Registration(
                    reservationWanted: .perSecond(2), reservationLeast: Rate(millihertz: 500), limit: .perSecond(4),
                    weight: Weight(7), burst: 2, retryPolicy: .once, guestWaitMax: .milliseconds(100)))
        #expect(asked.failureMode == .closed)
        #expect(asked.token == .none)
        #expect(asked.name == Name64("web-3"))
        let admission = try registering.value()
        #expect(admission.reservation_mhz == 1_000)
        #expect(admission.entitlement_mhz == 2_000)
        #expect(admission.epoch == 1)
        #expect(client.register().result == SPSCHED_INVALID)
    }

    @Test("a refused registration names what binds, and another may be tried")
    func refused() throws {
        let daemon = try FakeDaemon()
        let opening = Background { [path = daemon.path] in try Client.open(path: path) }
        let connection = try daemon.accept()
        try connection.welcome()
        let client = try opening.value()
        #expect(client.acquire().result == SPSCHED_INVALID)
        let registering = Background { client.register().reply }
        let (tag, _) = try connection.expect(.register)
        try connection.send(.error(ErrorReply(code: Extensible(.capacity), text: "0.5/s is left")), tag: tag)
        let reply = try registering.value()
        #expect(reply.result == SPSCHED_ERROR)
        #expect(reply.errorCode == 200)
        #expect(reply.text == "0.5/s is left")

        let again = Background { client.register { $0.reservation_wanted_mhz = 500 }.result }
        try connection.admit()
        #expect(try again.value() == SPSCHED_OK)
    }

    @Test("the device's descriptor arrives with the registration, once")
    func descriptor() throws {
        let daemon = try FakeDaemon()
        var pipe: [Int32] = [-1, -1]
        #expect(Glibc.pipe(&pipe) == 0)
        let opening = Background { [path = daemon.path] in try Client.open(path: path) }
        let connection = try daemon.accept()
        try connection.welcome()
        let client = try opening.value()
        let registering = Background { client.register { $0.want_device = 1 }.admission }
        let asked = try connection.admit(Registered(carriesDescriptor: true), passing: pipe[0])
        #expect(asked.wantsDescriptor)
        #expect(try registering.value().device_received == 1)

        let device = spsched_take_device(client.handle)
        #expect(spsched_take_device(client.handle) == -1)
        var byte: UInt8 = 42
        #expect(write(pipe[1], &byte, 1) == 1)
        byte = 0
        #expect(read(device, &byte, 1) == 1)
        #expect(byte == 42)
        #expect(fcntl(device, F_GETFD) == FD_CLOEXEC)
        for number in pipe + [device] { close(number) }
    }

    @Test("a ready descriptor serves until it is lost; there is no other")
    func readyDescriptor() throws {
        var ends: [Int32] = [-1, -1]
        #expect(testing_pair(&ends) == 0)
        let connection = Connection(ends[1])
        let opening = Background { [mine = ends[0]] in try Client.open(descriptor: mine) }
        try connection.welcome()
        let client = try opening.value()
        let registering = Background { client.register().result }
        try connection.admit()
        #expect(try registering.value() == SPSCHED_OK)
        connection.hangUp()
        try client.waitUntil { $0.connected == 0 }
        #expect(client.acquire(SPSCHED_LAUNCH_START).grant.flags == UInt16(SPSCHED_UNARBITRATED))
        #expect(client.status.absent == 1)
    }

    @Test("a descriptor that is no record socket is refused in words")
    func wrongDescriptor() throws {
        let failure = #expect(throws: OpenFailure.self) { try Client.open(descriptor: dup(0)) }
        #expect(failure?.text.hasPrefix("the descriptor for spschedd is") == true)
    }

    @Test("a structure without its size, or with fields of a newer library set, is refused")
    func structures() throws {
        let pair = try Pair()
        var request = spsched_request(SPSCHED_REPORT, units: 1)
        var reply = Reply.empty
        request.size = 4
        #expect(spsched_acquire(pair.client.handle, &request, &reply) == SPSCHED_INVALID)
        #expect(pair.client.lastError.contains("is its size set?"))

        var newer = [UInt64](repeating: 0, count: MemoryLayout<spsched_request>.size / 8 + 1)
        newer[0] = UInt64(newer.count * 8)
        newer[newer.count - 1] = 1
        let result = newer.withUnsafeBytes { bytes in
            spsched_acquire(
                pair.client.handle, bytes.baseAddress!.assumingMemoryBound(to: spsched_request.self), &reply)
        }
        #expect(result == SPSCHED_INVALID)
    }

    @Test("in a child process every function refuses, and the parent's connection is not disturbed")
    func fork() throws {
        let pair = try Pair()
        #expect(testing_misuse_after_fork(pair.client.handle) == 0)
        _ = try acquire(pair, turn: 3)
    }

    @Test("unregister ends the registration; another may follow")
    func unregister() throws {
        let pair = try Pair()
        let ending = Background { [client = pair.client] in spsched_unregister(client.handle) }
        let (tag, _) = try pair.connection.expect(.unregister)
        try pair.connection.send(.done, tag: tag)
        #expect(try ending.value() == SPSCHED_OK)
        #expect(pair.client.status.registered == 0)
        let again = Background { [client = pair.client] in client.register().result }
        let asked = try pair.connection.admit()
        #expect(asked.token == .none)
        #expect(try again.value() == SPSCHED_OK)
    }
}
