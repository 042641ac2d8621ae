import Arbiter
import CSEV
import CSpschedTesting
import Foundation
import Testing
import VMMProtocol

@Suite("Requests for certificates through the client library", .serialized)
struct KVMCertificateTests {
    @Test("a granted request gets its certificates, goes ahead, and is released when KVM_RUN returns")
    func granted() throws {
        let daemon = try ObedientDaemon()
        let vcpu = VirtualCPU(daemon.client, table: Array(1...200))
        #expect(vcpu.requests(pages: 1) == 0)
        #expect(vcpu.answer == 0)
        #expect(vcpu.immediateExit == 1)
        #expect(vcpu.memory == Array(1...200))
        vcpu.enter()
        #expect(vcpu.answer == 0)
        #expect(vcpu.leave(-EINTR) == 0)
        #expect(vcpu.immediateExit == 0)
        #expect(try daemon.heard(2).summary == ["acquire report 1", "release 1"])

        // What KVM_RUN does otherwise concerns no turn.
        vcpu.enter()
        #expect(vcpu.leave(-EFAULT) == 0)
        #expect(daemon.heard.count == 2)
    }

    @Test("a refused request tells the guest to come back, and touches nothing")
    func busy() throws {
        let daemon = try ObedientDaemon { message in
            guard case .acquire = message else { return nil }
            return .busy(BusyReply(retryAfter: .seconds(2), reason: Extensible(.limit), text: "over its limit"))
        }
        let vcpu = VirtualCPU(daemon.client, table: [1])
        #expect(vcpu.requests(pages: 1) == 0)
        #expect(vcpu.answer == UInt64(EAGAIN))
        #expect(vcpu.immediateExit == 0)
        #expect(vcpu.memory.isEmpty)
        vcpu.enter()
        #expect(vcpu.leave(0) == 0)
        #expect(daemon.heard.count == 1)
    }

    @Test("without certificates the guest gets an empty table, which KVM no longer writes; or nothing, without room")
    func emptyTable() throws {
        let daemon = try ObedientDaemon()
        let vcpu = VirtualCPU(daemon.client, table: [])
        #expect(vcpu.requests(pages: 1) == 0)
        #expect(vcpu.answer == 0)
        #expect(vcpu.memory == Array(repeating: 0, count: 24))
        vcpu.enter()
        #expect(vcpu.leave(-EINTR) == 0)

        vcpu.memory = []
        #expect(vcpu.requests(pages: 0) == 0)
        #expect(vcpu.answer == 0)
        #expect(vcpu.memory.isEmpty)
        #expect(vcpu.leave(-EINTR) == 0)
    }

    @Test("too little room is said with what is needed, and the turn is kept for the plain request that follows")
    func tooShort() throws {
        // Predicted: (lease - 50 ms) / 4 = 100 ms.
        let daemon = try ObedientDaemon { message in
            guard case .acquire = message else { return nil }
            return .granted(
                Granted(
                    turn: TurnID(number: 5), startWithin: .seconds(60), lease: .milliseconds(450), units: 1,
                    kind: .report))
        }
        let vcpu = VirtualCPU(daemon.client, table: Array(repeating: 7, count: 5_000))
        let began = ContinuousClock.now
        #expect(vcpu.requests(pages: 1) == 0)
        #expect(vcpu.answer == UInt64(ENOSPC))
        #expect(vcpu.pages == 2)
        #expect(vcpu.immediateExit == 0)
        #expect(vcpu.memory.isEmpty)
        vcpu.enter()
        #expect(vcpu.leave(0) == 0)
        #expect(try daemon.heard(2).summary == ["acquire report 1", "release 1"])
        #expect(ContinuousClock.now - began >= .milliseconds(100))
    }

    @Test("a turn that is kept is released at the guest's next request, which shows that the plain one is over")
    func nextRequest() throws {
        let daemon = try ObedientDaemon()
        let vcpu = VirtualCPU(daemon.client, table: [1])
        #expect(vcpu.requests(pages: 0) == 0)
        #expect(vcpu.answer == UInt64(ENOSPC))
        #expect(vcpu.requests(pages: 1) == 0)
        #expect(vcpu.answer == 0)
        #expect(try daemon.heard(3).summary == ["acquire report 1", "release 1", "acquire report 1"])
        #expect(vcpu.leave(-EINTR) == 0)
    }

    @Test("a turn that is kept is released in time by a handle without a thread too: by its next call after it")
    func keptWithoutThread() throws {
        let pair = try Pair(flags: SPSCHED_NO_RECONNECT_THREAD)
        let asking = Background { [client = pair.client] in client.acquire() }
        let (tag, _) = try pair.connection.expect(.acquire)
        try pair.connection.grant(tag, turn: 5)
        var grant = try asking.value().grant
        #expect(spsched_release_after(pair.client.handle, &grant, nil, 20_000_000) == SPSCHED_OK)
        #expect(!pair.client.isStale(grant))
        try pair.client.waitUntil { _ in pair.client.isStale(grant) }
        #expect(try pair.connection.expect(.release).message == .release(Release(TurnID(number: 5), unitsDone: 1)))
    }

    @Test("a turn is kept for no longer than its lease, however long was asked for, and can be released before")
    func keptWithinLease() throws {
        let pair = try Pair()
        let first = Background { [client = pair.client] in client.acquire() }
        let (tag, _) = try pair.connection.expect(.acquire)
        try pair.connection.send(
            .granted(
                Granted(
                    turn: TurnID(number: 5), startWithin: .seconds(1), lease: .milliseconds(30), units: 1, kind: .report
                )),
            tag: tag)
        var short = try first.value().grant
        #expect(spsched_release_after(pair.client.handle, &short, nil, .max) == SPSCHED_OK)
        _ = try pair.connection.expect(.release)

        let second = Background { [client = pair.client] in client.acquire() }
        try pair.connection.grant(try pair.connection.expect(.acquire).tag, turn: 6)
        var long = try second.value().grant
        #expect(spsched_release_after(pair.client.handle, &long, nil, .max) == SPSCHED_OK)
        #expect(spsched_release(pair.client.handle, &long, nil) == SPSCHED_OK)
        #expect(try pair.connection.expect(.release).message == .release(Release(TurnID(number: 6), unitsDone: 1)))
    }

    @Test("a grant whose time to start has passed before KVM_RUN is given back, and the guest told to come back")
    func stale() throws {
        let daemon = try ObedientDaemon { message in
            guard case .acquire = message else { return nil }
            return .granted(
                Granted(turn: TurnID(number: 5), startWithin: .zero, lease: .seconds(60), units: 1, kind: .report))
        }
        let vcpu = VirtualCPU(daemon.client, table: [1])
        #expect(vcpu.requests(pages: 1) == 0)
        #expect(vcpu.answer == 0)
        vcpu.enter()
        #expect(vcpu.answer == UInt64(EAGAIN))
        #expect(vcpu.immediateExit == 0)
        #expect(vcpu.leave(0) == 0)
        #expect(try daemon.heard(2).summary == ["acquire report 1", "release 0 errno \(ECANCELED)"])
    }

    @Test(
        "KVM_RUN's error releases the turn under its errno, and forbids to enter the vCPU again",
        arguments: [EBUSY, ETIMEDOUT, EBADF, EINVAL, EFAULT, EIO])
    func kernelFails(error: Int32) throws {
        let daemon = try ObedientDaemon()
        let vcpu = VirtualCPU(daemon.client, table: [1])
        #expect(vcpu.requests(pages: 1) == 0)
        vcpu.enter()
        #expect(vcpu.leave(-error) == -error)
        #expect(try daemon.heard(2).summary == ["acquire report 1", "release 0 errno \(error)"])
    }

    @Test("another exit than EINTR also ends the turn")
    func anotherExit() throws {
        let daemon = try ObedientDaemon()
        let vcpu = VirtualCPU(daemon.client, table: [1])
        #expect(vcpu.requests(pages: 1) == 0)
        vcpu.enter()
        #expect(vcpu.leave(0) == 0)
        #expect(try daemon.heard(2).summary == ["acquire report 1", "release 1"])
    }

    @Test("the VMM's own immediate_exit stays as it was")
    func ownImmediateExit() throws {
        let daemon = try ObedientDaemon()
        let vcpu = VirtualCPU(daemon.client, table: [1])
        vcpu.immediateExit = 1
        #expect(vcpu.requests(pages: 1) == 0)
        vcpu.enter()
        #expect(vcpu.leave(-EINTR) == 0)
        #expect(vcpu.immediateExit == 1)
    }

    @Test("guest memory that is not there is the guest's error, and costs no turn")
    func noMemory() throws {
        let daemon = try ObedientDaemon()
        let vcpu = VirtualCPU(daemon.client, table: [1])
        vcpu.hasMemory = false
        #expect(vcpu.requests(pages: 1) == 0)
        #expect(vcpu.answer == UInt64(EIO))
        #expect(vcpu.immediateExit == 0)
        #expect(try daemon.heard(2).summary == ["acquire report 1", "release 0 errno \(EFAULT)"])
    }

    @Test("a signal ends the wait: the guest would be told to come back, but asking again is possible")
    func interrupted() throws {
        testing_count_signals(SIGUSR2)
        let asked = Counter()
        let daemon = try ObedientDaemon { message in
            guard case .acquire = message, asked.next() == 1 else { return nil }
            return .queued(Queued(position: 1, estimate: .seconds(1)))
        }
        let vcpu = VirtualCPU(daemon.client, table: [1])
        let asking = Background { vcpu.requests(pages: 1) }
        _ = try daemon.heard(1)
        while !daemon.heard.contains(where: { $0.type == .cancel }) {
            pthread_kill(asking.thread, SIGUSR2)
            sched_yield()
        }
        #expect(try asking.value() == -EINTR)
        #expect(vcpu.answer == UInt64(EAGAIN))
        #expect(vcpu.requests(pages: 1) == 0)
        #expect(vcpu.answer == 0)
    }

    @Test(
        "what the daemon calls a mistake goes by the VM's failure mode",
        arguments: [SPSCHED_FAIL_OPEN, SPSCHED_FAIL_CLOSED])
    func mistake(mode: spsched_failure_mode) throws {
        let daemon = try ObedientDaemon(failureMode: mode.rawValue) { message in
            guard case .acquire = message else { return nil }
            return .error(ErrorReply(code: Extensible(.unknownVM), text: "register it again"))
        }
        let vcpu = VirtualCPU(daemon.client, table: [1])
        #expect(vcpu.requests(pages: 1) == 0)
        #expect(vcpu.answer == (mode == SPSCHED_FAIL_OPEN ? 0 : UInt64(EAGAIN)))
        vcpu.enter()
        #expect(vcpu.answer == (mode == SPSCHED_FAIL_OPEN ? 0 : UInt64(EAGAIN)))
        #expect(vcpu.leave(-EINTR) == 0)
    }

    @Test("without a daemon a fail-closed guest is told to come back, and a fail-open one served at its rate")
    func absent() throws {
        for mode in [SPSCHED_FAIL_OPEN, SPSCHED_FAIL_CLOSED] {
            let client = try Client.open(path: "/nowhere", flags: SPSCHED_OPEN_WHILE_ABSENT)
            _ = client.register {
                $0.failure_mode = UInt8(mode.rawValue)
                $0.burst = 1
            }
            let vcpu = VirtualCPU(client, table: [1])
            #expect(vcpu.requests(pages: 1) == 0)
            #expect(vcpu.answer == (mode == SPSCHED_FAIL_OPEN ? 0 : UInt64(EAGAIN)))
            vcpu.enter()
            #expect(vcpu.leave(-EINTR) == 0)
            #expect(vcpu.requests(pages: 1) == 0)
            #expect(vcpu.answer == UInt64(EAGAIN))
        }
    }

    @Test("another exit, or an argument that is none, is refused, and the guest told to come back")
    func invalid() throws {
        let daemon = try ObedientDaemon()
        let vcpu = VirtualCPU(daemon.client, table: [1])
        vcpu.exitReason = 2
        vcpu.answer = 77
        #expect(vcpu.asks() == -EINVAL)
        #expect(vcpu.answer == 77, "another exit's bytes are not ours")
        vcpu.exitReason = UInt32(CSEV_KVM_EXIT_SNP_REQ_CERTS)
        vcpu.hasWriter = false
        #expect(vcpu.asks() == -EINVAL)
        #expect(vcpu.answer == UInt64(EAGAIN))
        #expect(spsched_kvm_req_certs(daemon.client.handle, nil, nil, nil) == -EINVAL)
        #expect(daemon.heard.isEmpty)
    }

    @Test("a VMM that answers twice before it enters the vCPU keeps one turn")
    func twice() throws {
        let daemon = try ObedientDaemon()
        let vcpu = VirtualCPU(daemon.client, table: [1])
        #expect(vcpu.requests(pages: 1) == 0)
        #expect(vcpu.requests(pages: 1) == 0)
        #expect(vcpu.immediateExit == 1)
        #expect(
            try daemon.heard(3).summary == [
                "acquire report 1", "release 0 errno \(ECANCELED)", "acquire report 1",
            ])
        #expect(vcpu.leave(-EINTR) == 0)
        #expect(vcpu.immediateExit == 0)
    }

    @Test("a VMM that issues its guests' requests itself takes a turn around each")
    func issuedByVMM() throws {
        let daemon = try ObedientDaemon()
        var grant = spsched_grant()
        #expect(spsched_guest_begin(daemon.client.handle, SPSCHED_DERIVED_KEY, &grant, nil) == SPSCHED_OK)
        #expect(spsched_guest_end(daemon.client.handle, &grant, EIO, 0x1D) == SPSCHED_OK)
        #expect(try daemon.heard(2).summary == ["acquire derivedKey 1", "release 0 errno 5 firmware 29"])
    }
}

/// A vCPU of a VMM that has enabled requests for certificates.
final class VirtualCPU: @unchecked Sendable {
    // SAFETY: one thread at a time uses it, as a VMM's does; the pointers live as long as it.
    private let client: Client
    private let run = UnsafeMutablePointer<csev_kvm_run>.allocate(capacity: 1)
    private let state = UnsafeMutablePointer<spsched_kvm_vcpu>.allocate(capacity: 1)
    private let table: [UInt8]
    /// What was written for the guest.
    var memory: [UInt8] = []
    var hasMemory = true
    var hasWriter = true

    init(_ client: Client, table: [UInt8]) {
        self.client = client
        self.table = table
        run.initialize(to: csev_kvm_run())
        state.initialize(to: spsched_kvm_vcpu())
        state.pointee.size = MemoryLayout<spsched_kvm_vcpu>.size
    }

    deinit {
        run.deallocate()
        state.deallocate()
    }

    var exitReason: UInt32 {
        get { run.pointee.exit_reason }
        set { run.pointee.exit_reason = newValue }
    }
    var answer: UInt64 {
        get { run.pointee.snp_req_certs.ret }
        set { run.pointee.snp_req_certs.ret = newValue }
    }
    var pages: UInt64 { run.pointee.snp_req_certs.npages }
    var immediateExit: UInt8 {
        get { run.pointee.immediate_exit }
        set { run.pointee.immediate_exit = newValue }
    }

    /// The guest asks for a report and offers so many pages for certificates.
    func requests(pages: UInt64) -> Int32 {
        run.pointee.exit_reason = UInt32(CSEV_KVM_EXIT_SNP_REQ_CERTS)
        run.pointee.snp_req_certs = csev_kvm_req_certs(gpa: 0x4000, npages: pages, ret: 0)
        return asks()
    }

    func asks() -> Int32 {
        table.withUnsafeBytes { bytes in
            var certificates = spsched_kvm_certificates()
            certificates.size = MemoryLayout<spsched_kvm_certificates>.size
            certificates.table = bytes.count > 0 ? bytes.baseAddress : nil
            certificates.table_size = bytes.count
            certificates.context = Unmanaged.passUnretained(self).toOpaque()
            if hasWriter {
                certificates.write = { context, address, bytes, size in
                    let vcpu = Unmanaged<VirtualCPU>.fromOpaque(context!).takeUnretainedValue()
                    guard vcpu.hasMemory, address == 0x4000 else { return -EFAULT }
                    vcpu.memory = Array(UnsafeRawBufferPointer(start: bytes, count: size))
                    return 0
                }
            }
            return spsched_kvm_req_certs(client.handle, OpaquePointer(run), state, &certificates)
        }
    }

    func enter() { spsched_kvm_enter(client.handle, OpaquePointer(run), state) }
    func leave(_ result: Int32) -> Int32 { spsched_kvm_leave(client.handle, OpaquePointer(run), state, result) }
}
