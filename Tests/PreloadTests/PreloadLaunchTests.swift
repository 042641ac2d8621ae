import DeviceTestSupport
import Foundation
import Testing

/// Where programs wait until they are let go, all at once.
private final class Gate {
    let path: String
    private var descriptor: Int32 = -1

    init(_ path: String) throws {
        self.path = path
        guard mkfifo(path, 0o600) == 0 else { throw ProcessError("no FIFO: errno \(errno)") }
    }

    /// Open for both: it waits for nobody, and whoever comes later finds it open.
    func open() { descriptor = Glibc.open(path, O_RDWR) }

    deinit { close(descriptor) }
}

@Suite("A VMM that knows /dev/sev and KVM alone, on libspsched-preload", .timeLimit(.minutes(10)))
struct PreloadLaunchTests {
    @Test("its launch is divided and takes turns; it gets the daemon's read-only descriptor, and leaves nothing behind")
    func launch() throws {
        let host = try Host()
        let run = try host.launch(["--pages", "70", "--vcpus", "3"])
        #expect(
            run.lines == [
                "device: 3 ok cloexec", "22: 0 ok code 0", "100: 0 ok code 0", "101: 0 ok code 0 left 0 next 70",
                "102: 0 ok code 0",
            ])
        #expect(run.errors.isEmpty)
        #expect(
            host.log == [
                "100 frame 0 pages 0 read-only: 0 0", "101 frame 0 pages 32 read-only: 0 0",
                "101 frame 32 pages 32 read-only: 0 0", "101 frame 64 pages 6 read-only: 0 0",
                "102 frame 0 pages 0 read-only: 0 0",
            ])
        let status = try host.status()
        #expect(status.counters.grants == 5)
        #expect(status.counters.launches == 1)
        #expect(status.counters.overdueTurns == 0)
        #expect(status.registeredVMs == 0)
    }

    @Test("a launch of one ioctl for each page takes a turn for each")
    func singlePages() throws {
        let host = try Host()
        let run = try host.launch(["--pages", "20", "--each", "1"])
        #expect(run.code == 0 && run.errors.isEmpty)
        #expect(try host.status().counters.grants == 22)
    }

    @Test("launches of two programs run one after the other, where without it their pages take turns")
    func order() throws {
        let scheduled = try changesOfHands([.preload, .fakeSEV])
        let unscheduled = try changesOfHands([.fakeSEV])
        #expect(unscheduled > 60, "each page waits for one of the other")
        // One, and a few more where a busy machine lets a gap grow longer than a hold.
        #expect(scheduled * 4 < unscheduled, "\(scheduled) against \(unscheduled)")
    }

    /// How often the emulated SP went from one launch to the other.
    private func changesOfHands(_ libraries: Run.Libraries) throws -> Int {
        let host = try Host(isEmulated: true)
        let gate = try Gate(host.directory.file("gate"))
        defer { withExtendedLifetime(gate) {} }
        // Without the preload a program opens the device itself: the fake opens no socket, so it connects for it.
        let device = libraries.contains(.preload) ? "/dev/sev" : host.emulator!.socketPath
        let programs = try (0..<2).map { _ in
            try Run.start(
                "launcher", ["--pages", "80", "--gate", gate.path, "--device", device], libraries,
                environment: host.environment)
        }
        for program in programs { while try !program.line().hasPrefix("22:") {} }
        gate.open()
        for program in programs {
            let run = Run(endOf: program)
            #expect(run.lines.last == "102: 0 ok code 0", "\(run.errors)")
        }
        _ = host.emulator!.terminate()
        let holders = try host.emulator!.trace().filter { $0[1].hasPrefix("launch") }.map { $0[0] }
        return zip(holders, holders.dropFirst()).count { $0 != $1 }
    }

    @Test("partial progress, -EAGAIN, a signal's -EIO and the firmware's errors are what they are without it")
    func answers() throws {
        let host = try Host()
        let run = try host.launch(["--pages", "8"], ["FAKE_SEV_ANSWERS": "ok,p3,11:0,5:0,ok"])
        #expect(run.lines.contains("101: 0 ok code 0 left 0 next 8"))
        let refused = try host.launch(["--pages", "40"], ["FAKE_SEV_ANSWERS": "ok,ok,5:28,5:28"])
        #expect(refused.lines.contains("101: 0 ok code 0 left 8 next 32"))
        #expect(refused.lines.contains("101: -1 EIO code 28 left 8 next 32"))
        let permission = try host.launch([], ["FAKE_SEV_ANSWERS": "1:0"])
        #expect(permission.lines.contains("100: -1 EPERM code 0"))
        let unknown = try host.launch([], ["FAKE_SEV_ANSWERS": "5:48879"])
        #expect(unknown.lines.contains("100: -1 EIO code 48879"))
        #expect(try host.status().turn == nil)
    }

    @Test("arguments that point nowhere, and descriptors that are no device or no VM, are answered as ever")
    func badArguments() throws {
        let host = try Host()
        let with = try host.launch(["--bad"])
        let without = try Run("launcher", ["--bad"], [.fakeSEV], environment: ["FAKE_SEV_NODE": "/dev/null"])
        #expect(with.lines == without.lines)
        #expect(with.lines.count { $0.contains("EFAULT") } == 3)
        #expect(with.lines.count { $0.contains("EBADF") } == 2)
        #expect(try host.status().turn == nil)
    }

    @Test("legacy launches take turns too")
    func legacy() throws {
        let host = try Host()
        let run = try host.launch(["--legacy", "--pages", "40"])
        #expect(run.lines.suffix(3) == ["2: 0 ok code 0", "3: 0 ok code 0", "7: 0 ok code 0"])
        #expect(try host.status().counters.grants == 4)
    }

    @Test("without a daemon it goes on, undivided and told so; or not at all, if that is wanted")
    func absent() throws {
        let nowhere = ["SPSCHED_SOCKET": "/nowhere/sock", "FAKE_SEV_NODE": "/dev/null"]
        let open = try Run("launcher", ["--each", "10"], [.preload, .fakeSEV], environment: nowhere)
        #expect(open.lines.last == "102: 0 ok code 0")
        #expect(open.errors.contains("spschedd is not running: nobody listens at /nowhere/sock; going on without it"))
        #expect(open.errors.split(separator: "\n").count < 10)

        let closed = try Run(
            "launcher", [], [.preload, .fakeSEV],
            environment: nowhere.merging(["SPSCHED_FAILURE_MODE": "closed"]) { $1 })
        #expect(closed.lines == ["device: -1 ENOTCONN"])
        #expect(closed.errors.contains("refused, as SPSCHED_FAILURE_MODE asks"))
    }

    @Test(
        "a daemon that dies amid the launches is gone on without, or missed, as is wanted",
        arguments: ["open", "closed"])
    func dies(mode: String) throws {
        let host = try Host()
        let gate = try Gate(host.directory.file("gate"))
        defer { withExtendedLifetime(gate) {} }
        let program = try Run.start(
            "launcher", ["--gate", gate.path], [.preload, .fakeSEV],
            environment: host.environment.merging(["SPSCHED_FAILURE_MODE": mode]) { $1 })
        while try !program.line().hasPrefix("22:") {}
        host.kill()
        gate.open()
        let run = Run(endOf: program)
        let last = mode == "open" ? "102: 0 ok code 0" : "102: -1 ENOTCONN code 0"
        #expect(run.lines.last == last, "\(run.errors)")
    }

    @Test(
        "a variable that cannot be understood is named, and nothing is launched",
        arguments: [
            ["SPSCHED_FAILURE_MODE": "close"], ["SPSCHED_PAGES": "many"], ["SPSCHED_VCPUS": "0"],
            ["SPSCHED_UUID": "0123"], ["SPSCHED_CONNECT": "never"],
            ["SPSCHED_SOCKET": String(repeating: "x", count: 200)],
        ])
    func misconfigured(variable: [String: String]) throws {
        let run = try Run(
            "launcher", [], [.preload, .fakeSEV], environment: variable.merging(["FAKE_SEV_NODE": "/dev/null"]) { $1 })
        #expect(run.lines == ["device: -1 EINVAL"])
        #expect(run.errors.contains("libspsched-preload: \(variable.keys.first!) is"))
    }

    @Test("a VM that the daemon does not admit is launched all the same, or not, as is wanted")
    func refused() throws {
        let host = try Host(configuration: "[account]\nvms_max = 1\n")
        let gate = try Gate(host.directory.file("gate"))
        let only = try Run.start(
            "launcher", ["--gate", gate.path], [.preload, .fakeSEV],
            environment: host.environment.merging(["SPSCHED_CONNECT": "start"]) { $1 })
        while try !only.line().hasPrefix("22:") {}
        let open = try host.launch([], ["FAKE_SEV_NODE": "/dev/null"])
        #expect(open.lines.last == "102: 0 ok code 0")
        #expect(open.errors.contains("spschedd does not admit this VM"))
        let closed = try host.launch([], ["FAKE_SEV_NODE": "/dev/null", "SPSCHED_FAILURE_MODE": "closed"])
        #expect(closed.lines == ["device: -1 EACCES"])
        gate.open()
        #expect(Run(endOf: only).lines.last == "102: 0 ok code 0")
    }

    @Test("a program that closes what it does not know, and opens files in its place, keeps them to itself")
    func closes() throws {
        let host = try Host()
        let run = try host.launch(["--closes", "--pages", "40"])
        #expect(run.lines.suffix(3) == ["the pipes are ours", "101: 0 ok code 0 left 0 next 40", "102: 0 ok code 0"])
        #expect(run.code == 0)
    }

    @Test("a child that launches while its parent does has turns of its own, and the parent goes on")
    func forks() throws {
        let host = try Host()
        let run = try host.launch(["--forks", "--pages", "40"])
        #expect(run.code == 0)
        #expect(run.lines.contains("child: 0"))
        #expect(run.lines.count { $0 == "102: 0 ok code 0" } == 2)
        #expect(run.lines.count { $0 == "101: 0 ok code 0 left 0 next 40" } == 2)
        #expect(run.errors.isEmpty)
        #expect(try host.status().counters.launches == 2)
    }

    @Test("connected at the start, it stays registered, and launches without another connection")
    func connectedAtStart() throws {
        let host = try Host()
        let gate = try Gate(host.directory.file("gate"))
        defer { withExtendedLifetime(gate) {} }
        let program = try Run.start(
            "launcher", ["--gate", gate.path, "--pages", "40"], [.preload, .fakeSEV],
            environment: host.environment.merging(["SPSCHED_CONNECT": "start", "SPSCHED_NAME": "early"]) { $1 })
        while try !program.line().hasPrefix("22:") {}
        #expect(try host.names() == ["early"])
        gate.open()
        let run = Run(endOf: program)
        #expect(run.lines.last == "102: 0 ok code 0")
        #expect(run.errors.isEmpty)
        #expect(try host.status().counters.grants == 4)
        #expect(host.log.allSatisfy { $0.contains("read-only") })
    }

    /// Linux answers this test wherever it runs: as SNP's KVM, as one without SNP, or as no KVM at all.
    @Test("the real kernel's answers come through, whatever they are")
    func realKernel() throws {
        let host = try Host()
        let with = try Run("launcher", [], [.preload], environment: host.environment)
        let without = try Run("launcher", ["--device", "/dev/null"], [])
        #expect(with.lines.dropFirst() == without.lines.dropFirst())
        #expect(with.lines.last?.hasPrefix("102: -1") == true, "no launch succeeds on what is not /dev/sev")
        #expect(try host.status().turn == nil)
    }
}
