import CSystemd.Socket
import Glibc
import LinuxIO
import Testing

@Suite("Sequenced-packet sockets")
struct SeqpacketSocketTests {
    private func openDescriptors() -> Int {
        let directory = opendir("/proc/self/fd")!
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        return count
    }

    @Test("records keep their borders, and a record longer than the buffer says so")
    func borders() throws {
        let ends = try SeqpacketSocket.pair(isNonblocking: true)
        let sent = try [ends.first.send([1, 2, 3]), ends.first.send([UInt8](repeating: 9, count: 65))]
        #expect(sent == [.sent, .sent])
        let (first, bytes) = try ends.second.receive()
        #expect(first == .message(count: 3, isTruncated: false))
        #expect(bytes == [1, 2, 3])
        let others = try [ends.second.receive().0, ends.second.receive().0]
        #expect(others == [.message(count: 64, isTruncated: true), .wouldBlock])
    }

    @Test("an empty record is told from a hang-up, on either side")
    func emptyRecord() throws {
        let ends = try SeqpacketSocket.pair(isNonblocking: true)
        let sent = try ends.first.send([])
        #expect(sent == .sent)
        let empty = try ends.second.receive().0
        #expect(empty == .message(count: 0, isTruncated: false))
        ends.first.shutDown()
        let end = try ends.second.receive().0
        #expect(end == .hungUp)
        let afterwards = try ends.second.send([1])
        #expect(afterwards == .hungUp)
    }

    @Test("a peer that does not read makes a nonblocking send say so, not block")
    func fullQueue() throws {
        let ends = try SeqpacketSocket.pair(isNonblocking: true)
        let record = [UInt8](repeating: 0, count: 1_024)
        var count = 0
        while try ends.first.send(record) == .sent { count += 1 }
        #expect(count > 0)
        for _ in 0..<count { _ = try ends.second.receive(capacity: 1_024) }
        let afterwards = try ends.first.send(record)
        #expect(afterwards == .sent)
    }

    @Test("a descriptor passes with its record, works, and is closed on exec")
    func passing() throws {
        let ends = try SeqpacketSocket.pair(isNonblocking: true)
        let memory = try FileDescriptor.memory(named: "passed")
        #expect(write(memory.number, "hello", 5) == 5)
        _ = try ends.first.send([7], passing: memory)
        guard let copy = try ends.second.receiveDescriptor() else {
            Issue.record("no descriptor came")
            return
        }
        var bytes = [UInt8](repeating: 0, count: 5)
        #expect(pread(copy.number, &bytes, 5, 0) == 5)
        #expect(String(decoding: bytes, as: UTF8.self) == "hello")
        #expect(linux_descriptor_flags(copy.number) & FD_CLOEXEC != 0)
    }

    @Test("descriptors that nobody asked for never arrive")
    func strayDescriptors() throws {
        let ends = try SeqpacketSocket.pair(isNonblocking: true)
        let memory = try FileDescriptor.memory(named: "stray")
        _ = try ends.first.send([7], passing: memory)
        var buffer = [UInt8](repeating: 0, count: 8)
        let received = try buffer.withUnsafeMutableBytes { try ends.second.receive(into: $0) }
        #expect(received == .message(count: 1, isTruncated: false))
        // The only other holder of the file is gone with the message: nobody but us has it open.
        let links = (0..<openDescriptors() + 64).filter { isSameFile(Int32($0), memory.number) }
        #expect(links == [Int(memory.number)])
    }

    private func isSameFile(_ left: Int32, _ right: Int32) -> Bool {
        var (first, second) = (stat(), stat())
        return fstat(left, &first) == 0 && fstat(right, &second) == 0 && first.st_ino == second.st_ino
            && first.st_dev == second.st_dev
    }

    @Test("a socket that refuses descriptors makes the sender's call fail, where the kernel can")
    func refusal() throws {
        let ends = try SeqpacketSocket.pair(isNonblocking: true)
        let memory = try FileDescriptor.memory(named: "refused")
        if ends.second.descriptor.refuseDescriptors() {
            let error = #expect(throws: SystemError.self) { try ends.first.send([7], passing: memory) }
            #expect(error?.code == EPERM)
        } else {
            let sent = try ends.first.send([7], passing: memory)
            #expect(sent == .sent)
        }
        let plain = try ends.first.send([8])
        #expect(plain == .sent)
    }

    @Test("the kernel names the peer: this process")
    func peer() throws {
        let ends = try SeqpacketSocket.pair()
        let identity = try ends.first.descriptor.peerIdentity()
        #expect(identity.uid == getuid())
        #expect(identity.gid == getgid())
        #expect(identity.pid == getpid())
        #expect(identity.isMember(of: getgid()))
        #expect(identity.groups.count == Int(getgroups(0, nil)))
    }
}
