import Glibc
import LinuxIO
import Testing

/// Goal: no child ever outlives its owner, and each gets exactly the descriptors it was given. Method: real processes.
@Suite struct ChildProcessTests {
    @Test func `A child's exit code is its owner's to read`() throws {
        let child = try ChildProcess.spawn("/bin/sh", ["-c", "exit 7"])
        #expect(child.wait() == .exited(code: 7))
    }

    @Test func `A program that is not there is an error that names it`() throws {
        #expect(throws: SystemError(code: ENOENT, attempt: "start", subject: "/no/such/program")) {
            _ = try ChildProcess.spawn("/no/such/program", []).wait()
        }
    }

    @Test func `A child is killed and reaped when its owner lets it go`() throws {
        var pid: Int32 = 0
        do {
            let child = try ChildProcess.spawn("/bin/sleep", ["600"])
            pid = child.pid
            #expect(kill(pid, 0) == 0)
        }
        #expect(kill(pid, 0) == -1)
        #expect(errno == ESRCH)
    }

    @Test func `A child that ignores SIGTERM is killed once the wait is over`() throws {
        let pair = try SeqpacketSocket.pair()
        let child = try ChildProcess.spawn(
            "/bin/sh", ["-c", "trap '' TERM; echo ready >&3; exec sleep 600"],
            descriptors: [nil, nil, nil, pair.second.descriptor.number])
        var buffer = [UInt8](repeating: 0, count: 16)
        _ = try buffer.withUnsafeMutableBytes { try pair.first.receive(into: $0) }
        let pid = child.pid
        child.send(signal: SIGTERM)
        #expect(child.wait(milliseconds: 50) == nil)
        #expect(kill(pid, 0) == -1)
    }

    @Test func `A child gets its fourth descriptor and none of ours`() throws {
        let pair = try SeqpacketSocket.pair()
        let stray = try FileDescriptor.openReadOnly("/dev/null")
        let child = try ChildProcess.spawn(
            "/bin/sh", ["-c", "echo $(ls /proc/self/fd | wc -l) >&3"],
            descriptors: [nil, nil, nil, pair.second.descriptor.number])
        var buffer = [UInt8](repeating: 0, count: 16)
        let received = try buffer.withUnsafeMutableBytes { try pair.first.receive(into: $0) }
        guard case .message(let count, _) = received else {
            Issue.record("the child said nothing")
            return
        }
        // 0, 1, 2, 3 and the directory that `ls` reads.
        #expect(String(decoding: buffer[..<count], as: UTF8.self) == "5\n")
        #expect(child.wait() == .exited(code: 0))
        stray.close()
    }

    @Test func `A child's end makes its descriptor readable`() throws {
        let poll = try EventPoll(capacity: 4)
        let child = try ChildProcess.spawn("/bin/sh", ["-c", "exit 0"])
        try poll.add(child.endDescriptor, for: .readable, token: EventToken(slot: 1, generation: 1))
        #expect(try poll.wait(milliseconds: 30_000) == 1)
        #expect(child.wait(milliseconds: 0) == .exited(code: 0))
    }
}
