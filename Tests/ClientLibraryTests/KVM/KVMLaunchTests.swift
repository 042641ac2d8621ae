import Arbiter
import CSEV
import CSpschedTesting
import Foundation
import Testing
import VMMProtocol

@Suite("Launch ioctls through the client library", .serialized)
struct KVMLaunchTests {
    @Test("a launch takes a turn for each chunk, begins with its first command and is over with LAUNCH_FINISH")
    func launch() throws {
        let daemon = try ObedientDaemon()
        let kvm = try FakeKVM(daemon.client)
        #expect(kvm.start() == (0, 0))
        #expect(kvm.isInLaunch)
        var update = csev_kvm_snp_launch_update(pages: 70)
        #expect(kvm.update(&update) == (0, 0))
        #expect(update.len == 0)
        #expect(update.gfn_start == 0x100 + 70)
        #expect(update.uaddr == 0x7000_0000 + 70 * 4_096)
        #expect(kvm.finish() == (0, 0))
        #expect(!kvm.isInLaunch)

        let expected = [
            "begin 100 pages 2 vCPUs", "acquire launchStart 1", "release 1",
            "acquire launchUpdate 70", "release 32, acquire launchUpdate 38", "release 32, acquire launchUpdate 6",
            "release 6", "acquire launchFinish 2", "release 2", "end running",
        ]
        #expect(try daemon.heard(expected.count).summary == expected)
        let chunks = [chunk(of: 32, from: 0), chunk(of: 32, from: 32), chunk(of: 6, from: 64)]
        #expect(kvm.calls == [FakeKVM.Call(id: 100)] + chunks + [FakeKVM.Call(id: 102)])
    }

    @Test("zero pages have no address that moves on")
    func zeroPages() throws {
        let daemon = try ObedientDaemon()
        let kvm = try FakeKVM(daemon.client)
        var update = csev_kvm_snp_launch_update(pages: 40, type: CSEV_KVM_SNP_PAGE_TYPE_ZERO)
        update.uaddr = 0
        #expect(kvm.update(&update) == (0, 0))
        #expect(update.len == 0)
        #expect(update.uaddr == 0)
        #expect(kvm.calls.map(\.frame) == [0x100, 0x120])
    }

    @Test("what KVM leaves of a chunk is asked for again; -EAGAIN and a signal before the first page are repeated")
    func partialProgress() throws {
        let daemon = try ObedientDaemon()
        let kvm = try FakeKVM(daemon.client, [.pages(10), .fails(EAGAIN), .fails(EIO), .pages(1)])
        var update = csev_kvm_snp_launch_update(pages: 12)
        #expect(kvm.update(&update) == (0, 0))
        #expect(update.len == 0)
        let expected = [
            "begin 100 pages 2 vCPUs", "acquire launchUpdate 12", "release 10, acquire launchUpdate 2",
            "release 0 errno \(EAGAIN), acquire launchUpdate 2", "release 0 errno \(EIO), acquire launchUpdate 2",
            "release 1, acquire launchUpdate 1", "release 1",
        ]
        #expect(try daemon.heard(expected.count).summary == expected)
        #expect(kvm.isInLaunch)
    }

    @Test("a KVM that never gets on, or tells nonsense, is not asked for ever", arguments: [true, false])
    func fruitless(lies: Bool) throws {
        let daemon = try ObedientDaemon()
        let kvm = try FakeKVM(daemon.client, Array(repeating: lies ? .lies : .fails(EAGAIN), count: 64))
        var update = csev_kvm_snp_launch_update(pages: 2)
        #expect(kvm.update(&update) == (-EAGAIN, 0))
        #expect(update.len == 2 * 4_096)
        #expect(kvm.calls.count == 64)
        #expect(kvm.update(&update) == (0, 0))
    }

    @Test("a refusal by the firmware is told with its code, and ends the session as failed")
    func firmwareRefuses() throws {
        let daemon = try ObedientDaemon()
        let kvm = try FakeKVM(daemon.client, [.done, .fails(EIO, firmware: 0x1C)])
        _ = kvm.start()
        var update = csev_kvm_snp_launch_update(pages: 2)
        #expect(kvm.update(&update) == (-EIO, 0x1C))
        #expect(!kvm.isInLaunch)
        let heard = try daemon.heard(6).summary
        #expect(heard.suffix(2) == ["release 0 errno 5 firmware 28", "end failed"])

        // Another launch, as after a reset.
        #expect(kvm.start() == (0, 0))
        #expect(try daemon.heard(8).summary[6] == "begin 100 pages 2 vCPUs")
    }

    @Test(
        "whatever KVM or the firmware says of a command is told as it is, known or not, and no turn stays behind",
        arguments: [
            Refusal(EPERM), Refusal(EBADF), Refusal(EBUSY), Refusal(ETIMEDOUT), Refusal(ENOTTY), Refusal(EIO, 0xABCD),
            Refusal(EIO, .max),
        ])
    func errors(refusal: Refusal) throws {
        let (error, code) = (refusal.error, refusal.code)
        let daemon = try ObedientDaemon()
        let kvm = try FakeKVM(daemon.client, [.fails(error, firmware: code)])
        #expect(kvm.start() == (-error, code))
        let told = code == 0 ? "" : " firmware \(code)"
        #expect(try daemon.heard(4).summary.suffix(2) == ["release 0 errno \(error)\(told)", "end failed"])
        #expect(!kvm.isInLaunch)
    }

    @Test("an error after the first chunk comes when the caller goes on, as KVM does it")
    func errorAfterProgress() throws {
        let daemon = try ObedientDaemon()
        let refused = FakeKVM.Answer.fails(EIO, firmware: 0x1A)
        let kvm = try FakeKVM(daemon.client, [.done, refused, refused])
        var update = csev_kvm_snp_launch_update(pages: 40)
        #expect(kvm.update(&update) == (0, 0))
        #expect(update.len == 8 * 4_096)
        #expect(update.gfn_start == 0x100 + 32)
        #expect(kvm.isInLaunch)
        #expect(kvm.update(&update) == (-EIO, 0x1A))
        #expect(!kvm.isInLaunch)
    }

    @Test("a refused CPUID page, and the query of a measurement's length, leave the session as it is")
    func repeatable() throws {
        let daemon = try ObedientDaemon()
        let kvm = try FakeKVM(
            daemon.client, [.fails(EIO, firmware: 0x16), .done, .fails(EIO, firmware: 0x04), .done])
        var update = csev_kvm_snp_launch_update(pages: 1, type: CSEV_KVM_SNP_PAGE_TYPE_CPUID)
        #expect(kvm.update(&update) == (-EIO, 0x16))
        #expect(kvm.isInLaunch)
        #expect(kvm.update(&update) == (0, 0))
        #expect(kvm.command(CSEV_KVM_SEV_LAUNCH_MEASURE) == (-EIO, 0x04))
        #expect(kvm.isInLaunch)
        #expect(kvm.command(CSEV_KVM_SEV_LAUNCH_MEASURE) == (0, 0))
    }

    @Test("legacy launches take turns too; their data is divided at the ends of pages")
    func legacy() throws {
        let daemon = try ObedientDaemon(chunk: 2)
        let kvm = try FakeKVM(daemon.client)
        _ = kvm.command(CSEV_KVM_SEV_LAUNCH_START)
        var update = csev_kvm_launch_update_data()
        update.uaddr = 0x5000_0010
        update.len = 3 * 4_096
        #expect(kvm.updateData(&update) == (0, 0))
        _ = kvm.command(CSEV_KVM_SEV_LAUNCH_UPDATE_VMSA)
        _ = kvm.command(CSEV_KVM_SEV_LAUNCH_SECRET)
        _ = kvm.command(CSEV_KVM_SEV_LAUNCH_FINISH)
        #expect(!kvm.isInLaunch)
        #expect(kvm.calls.map(\.id) == [2, 3, 3, 4, 5, 7])
        #expect(kvm.calls[1] == FakeKVM.Call(id: 3, address: 0x5000_0010, length: 8_176))
        #expect(kvm.calls[2] == FakeKVM.Call(id: 3, address: 0x5000_2000, length: 4_112))
        let asked = try daemon.heard(13).summary.filter { $0.contains("acquire") }
        #expect(asked.contains("acquire legacyLaunch 4"))
        #expect(asked.contains("release 2, acquire legacyLaunch 2"))
        #expect(asked.allSatisfy { $0.contains("legacyLaunch") })
    }

    @Test("what is no launch command passes without a turn", arguments: [0, 1, 8, 16, 19, 22, 99, 103, 104, 4_000])
    func others(id: UInt32) throws {
        let daemon = try ObedientDaemon()
        let kvm = try FakeKVM(daemon.client, [.fails(EINVAL, firmware: 3)])
        #expect(kvm.command(csev_kvm_command(rawValue: id)) == (-EINVAL, 3))
        #expect(kvm.calls.map(\.id) == [id])
        #expect(daemon.heard.isEmpty)
    }

    @Test("an argument that points nowhere is EFAULT, and asks for no turn")
    func pointsNowhere() throws {
        let daemon = try ObedientDaemon()
        let kvm = try FakeKVM(daemon.client)
        #expect(spsched_kvm_encrypt_op(kvm.handle, 7, nil) == -EFAULT, "KVM's own answer")
        #expect(spsched_kvm_encrypt_op(kvm.handle, 7, OpaquePointer(bitPattern: 8)) == -EFAULT)
        #expect(kvm.run(CSEV_KVM_SEV_SNP_LAUNCH_UPDATE, data: 0, error: 9) == (-EFAULT, 9))
        #expect(kvm.run(CSEV_KVM_SEV_SNP_LAUNCH_UPDATE, data: .max - 10) == (-EFAULT, 0))
        #expect(kvm.run(CSEV_KVM_SEV_LAUNCH_UPDATE_DATA, data: 4_095) == (-EFAULT, 0))
        #expect(kvm.calls.isEmpty)
        #expect(daemon.heard.isEmpty)
    }

    @Test("memory that can be read and not written is EFAULT before anything was issued")
    func readOnlyMemory() throws {
        let daemon = try ObedientDaemon()
        let kvm = try FakeKVM(daemon.client)
        let page = mmap(nil, 8_192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)!
        defer { munmap(page, 8_192) }
        #expect(spsched_kvm_encrypt_op(kvm.handle, 7, OpaquePointer(page)) == -EFAULT)
        #expect(kvm.run(CSEV_KVM_SEV_SNP_LAUNCH_UPDATE, data: UInt64(UInt(bitPattern: page))) == (-EFAULT, 0))
        // The last bytes are on a page that is not there.
        mprotect(page, 4_096, PROT_READ | PROT_WRITE)
        let last = UInt64(UInt(bitPattern: page)) + 4_096 - 8
        #expect(kvm.run(CSEV_KVM_SEV_SNP_LAUNCH_UPDATE, data: last) == (-EFAULT, 0))
        #expect(kvm.calls.isEmpty)
    }

    @Test("a length that KVM will refuse is left to it")
    func oddLength() throws {
        let daemon = try ObedientDaemon()
        let kvm = try FakeKVM(daemon.client, [.fails(EINVAL), .fails(EINVAL)])
        var update = csev_kvm_snp_launch_update(pages: 0)
        #expect(kvm.update(&update) == (-EINVAL, 0))
        update.len = 4_097
        #expect(kvm.update(&update) == (-EINVAL, 0))
        #expect(daemon.heard.isEmpty)
    }

    @Test("a grant that came too late is given back, and another asked for")
    func stale() throws {
        let late = Counter()
        let daemon = try ObedientDaemon { message in
            guard case .acquire = message, late.next() == 1 else { return nil }
            return .granted(
                Granted(
                    turn: TurnID(number: 900), startWithin: .zero, lease: .seconds(60), units: 1, kind: .launchStart))
        }
        let kvm = try FakeKVM(daemon.client)
        #expect(kvm.start() == (0, 0))
        let heard = try daemon.heard(5).summary
        #expect(heard[2] == "release 0 errno \(ECANCELED)")
        #expect(heard[3...] == ["acquire launchStart 1", "release 1"])
        #expect(kvm.calls.count == 1)
    }

    @Test("a signal ends the wait with -EINTR; the session stays, and the call may be repeated")
    func interrupted() throws {
        testing_count_signals(SIGUSR2)
        let asked = Counter()
        let daemon = try ObedientDaemon { message in
            guard case .acquire = message, asked.next() == 1 else { return nil }
            return .queued(Queued(position: 1, estimate: .seconds(1)))
        }
        let kvm = try FakeKVM(daemon.client)
        let starting = Background { kvm.start().result }
        _ = try daemon.heard(2)
        while asked.value < 2 {
            // Whichever finds it waiting: one may come before it waits.
            pthread_kill(starting.thread, SIGUSR2)
            if daemon.heard.contains(where: { $0.type == .cancel }) { break }
            sched_yield()
        }
        #expect(try starting.value() == -EINTR)
        #expect(kvm.calls.isEmpty)
        #expect(kvm.isInLaunch)
        #expect(kvm.start() == (0, 0))
    }

    @Test("a launch that the buckets refuse begins when they allow it")
    func bucketIsEmpty() throws {
        let begun = Counter()
        let daemon = try ObedientDaemon { message in
            guard case .launchBegin = message, begun.next() < 3 else { return nil }
            return busy(.launchBucketVM, after: .milliseconds(1))
        }
        let kvm = try FakeKVM(daemon.client)
        #expect(kvm.start() == (0, 0))
        #expect(try daemon.heard(5).summary.prefix(3).allSatisfy { $0.hasPrefix("begin") })
    }

    @Test("a launch that stays refused fails with EBUSY, and its reason", arguments: [true, false])
    func staysRefused(isDead: Bool) throws {
        let daemon = try ObedientDaemon { message in
            guard case .launchBegin = message else { return nil }
            return busy(isDead ? .deviceDead : .draining, after: .seconds(2))
        }
        // A dead device is not waited for at all, however patient the VMM.
        let kvm = try FakeKVM(daemon.client) { $0.busy_patience_ns = isDead ? 1 << 62 : 20_000_000 }
        #expect(kvm.start() == (-EBUSY, 0))
        #expect(daemon.client.lastError == "refused by the test")
        #expect(kvm.calls.isEmpty)
    }

    @Test("a session that the daemon has ended meanwhile is begun again, with the pages that are left")
    func sessionEnded() throws {
        let asked = Counter()
        let daemon = try ObedientDaemon { message in
            guard case .acquire = message, asked.next() == 2 else { return nil }
            return .error(ErrorReply(code: Extensible(.noSession), text: "begin a launch first"))
        }
        let kvm = try FakeKVM(daemon.client)
        var update = csev_kvm_snp_launch_update(pages: 30)
        _ = kvm.update(&update)
        #expect(kvm.finish() == (0, 0))
        let expected = [
            "acquire launchFinish 2", "end failed", "begin 70 pages 2 vCPUs", "acquire launchFinish 2", "release 2",
            "end running",
        ]
        #expect(try daemon.heard(9).summary[3...] == expected[...])
    }

    @Test("what the daemon calls a mistake is EPROTO, and its sentence is kept")
    func mistake() throws {
        let daemon = try ObedientDaemon { message in
            guard case .launchBegin = message else { return nil }
            return .error(ErrorReply(code: Extensible(.pagesOutOfBounds), text: "too many pages"))
        }
        let kvm = try FakeKVM(daemon.client)
        #expect(kvm.start() == (-EPROTO, 0))
        #expect(daemon.client.lastError == "too many pages")
    }

    @Test("without a daemon a fail-open VM launches undivided, and a fail-closed one not at all")
    func absent() throws {
        let open = try Client.open(path: "/nowhere", flags: SPSCHED_OPEN_WHILE_ABSENT)
        _ = open.register()
        let kvm = try FakeKVM(open)
        #expect(kvm.start() == (0, 0))
        var update = csev_kvm_snp_launch_update(pages: 300)
        #expect(kvm.update(&update) == (0, 0))
        #expect(kvm.finish() == (0, 0))
        #expect(kvm.calls.map(\.length) == [0, 300 * 4_096, 0])

        let closed = try Client.open(path: "/nowhere", flags: SPSCHED_OPEN_WHILE_ABSENT)
        _ = closed.register { $0.failure_mode = UInt8(SPSCHED_FAIL_CLOSED.rawValue) }
        let refused = try FakeKVM(closed)
        #expect(refused.start() == (-ENOTCONN, 0))
        #expect(refused.calls.isEmpty)
    }

    @Test("commands of several threads for one VM are issued one at a time")
    func threads() throws {
        let daemon = try ObedientDaemon(chunk: 1)
        let kvm = try FakeKVM(daemon.client)
        let inside = Counter()
        let together = Counter()
        kvm.whileIssuing = {
            if inside.next() != 1 { _ = together.next() }
            inside.reset()
        }
        let workers = (0..<4).map { _ in
            Background {
                var update = csev_kvm_snp_launch_update(pages: 20)
                return kvm.update(&update).result
            }
        }
        #expect(try workers.map { try $0.value() } == [0, 0, 0, 0])
        #expect(kvm.calls.count == 80)
        #expect(together.value == 0)
    }

    @Test("in a child process a command goes to the kernel as it is, whatever its parent's threads are doing")
    func child() throws {
        let daemon = try ObedientDaemon { message in
            guard case .acquire = message else { return nil }
            return .queued(Queued(position: 1, estimate: .seconds(1)))
        }
        let kvm = try FakeKVM(daemon.client) { $0.issue = nil }
        let waiting = Background { kvm.start().result }
        _ = try daemon.heard(2)
        #expect(testing_launch_in_child(kvm.handle, -1) == -EBADF)
        #expect(spsched_cancel(daemon.client.handle, 0) == 1)
        #expect(try waiting.value() == -ECANCELED)
        #expect(!kvm.isInLaunch)
    }

    @Test("options and arguments outside their bounds are refused")
    func invalid() throws {
        let daemon = try ObedientDaemon()
        var handle: OpaquePointer?
        var options = spsched_kvm_options()
        #expect(spsched_kvm_open(daemon.client.handle, &options, &handle) == SPSCHED_INVALID, "no size")
        spsched_kvm_options_init(&options, MemoryLayout<spsched_kvm_options>.size)
        #expect(spsched_kvm_open(nil, &options, &handle) == SPSCHED_INVALID)
        #expect(spsched_kvm_open(daemon.client.handle, &options, nil) == SPSCHED_INVALID)
        options.pages = 0
        #expect(spsched_kvm_open(daemon.client.handle, &options, &handle) == SPSCHED_INVALID)
        #expect(handle == nil)
        spsched_kvm_close(nil)
    }

    /// Linux answers this test wherever it runs: as SNP's KVM, as one without SNP, or as no KVM at all.
    @Test("the kernel's own answer comes through, whatever it is, and no turn stays behind")
    func realKernel() throws {
        let daemon = try ObedientDaemon()
        var options = spsched_kvm_options()
        spsched_kvm_options_init(&options, MemoryLayout<spsched_kvm_options>.size)
        var kvm: OpaquePointer?
        #expect(spsched_kvm_open(daemon.client.handle, &options, &kvm) == SPSCHED_OK)
        defer { spsched_kvm_close(kvm) }
        let machine = testing_kvm_vm()
        defer { close(machine) }
        let notTheDevice = open("/dev/null", O_RDWR)
        defer { close(notTheDevice) }
        for id: UInt32 in [2, 3, 7, 22, 100, 101, 102] {
            var data = [UInt8](repeating: 0, count: 128)
            data.withUnsafeMutableBytes { bytes in
                var command = csev_kvm_cmd()
                command.id = id
                command.data = UInt64(UInt(bitPattern: bytes.baseAddress!))
                command.sev_fd = UInt32(notTheDevice)
                var same = command
                let direct = testing_ioctl(machine, UInt(CSEV_KVM_MEMORY_ENCRYPT_OP), &same)
                let ours = withUnsafeMutablePointer(to: &command) {
                    spsched_kvm_encrypt_op(kvm, machine, OpaquePointer($0))
                }
                #expect(ours == direct, "command \(id)")
                #expect(ours < 0, "no launch succeeds on what is not /dev/sev")
            }
            #expect(spsched_kvm_in_launch(kvm) == 0)
        }
        let acquired = daemon.heard.count { $0.type == .acquire }
        let ended = daemon.heard.count { $0.type == .launchEnd }
        #expect(acquired == ended)
    }

    private func chunk(of pages: UInt64, from first: UInt64) -> FakeKVM.Call {
        FakeKVM.Call(
            id: 101, frame: 0x100 + first, address: 0x7000_0000 + first * 4_096, length: pages * 4_096)
    }
}

struct Refusal: Sendable {
    let error: Int32
    let code: UInt32

    init(_ error: Int32, _ code: UInt32 = 0) { (self.error, self.code) = (error, code) }
}

private func busy(_ reason: BusyReason, after: Nanoseconds) -> DaemonMessage {
    .busy(BusyReply(retryAfter: after, reason: Extensible(reason), text: "refused by the test"))
}

/// Counts in whatever thread.
final class Counter: @unchecked Sendable {
    // SAFETY: read and written under the lock.
    private let lock = NSLock()
    private var count = 0

    func next() -> Int {
        lock.withLock {
            count += 1; return count
        }
    }
    func reset() { lock.withLock { count = 0 } }
    var value: Int { lock.withLock { count } }
}
