import Arbiter
import DaemonTestSupport
import DeviceTestSupport
import Foundation
import HostileSupport
import LinuxIO
import ManagerProtocol
import Testing

/// Goal: an operator learns which processes' guests do not ask, and what that costs a launch. Method: the observer and
/// the daemon themselves, on a directory in tracefs's place with a FIFO as its trace. The text is in the kernel's form;
/// there was no SNP host to record one on.
@Suite(.timeLimit(.minutes(10)))
struct ObserverTests {
    @Test func `Requests that pass the daemon by appear in status and list, and in the bound of a launch`() throws {
        let host = try ServedHost(configuration: "")
        let client = try TestClient(path: host.socketPath)
        try client.enter("web-3")
        let before = try #require(try host.status().launchBound)
        #expect(before.pages == 64 && before.commands == 69 && before.unaskedNanoseconds == 0)
        #expect(try host.status().observation == nil && host.listVMs().first?.unasked == nil)

        let tracing = try FakeTracing()
        let observer = try tracing.observer(managerSocket: host.managerPath)
        // This process is the VM's, as the kernel says of its connection; another is nobody's.
        let own = getpid()
        tracing.say("CPU 0/KVM", process: own, code: "80000011")
        tracing.say("CPU 1/KVM", process: own, code: "80000012")
        tracing.say("qemu (1) [0]", process: 999_999, code: "80000012")
        tracing.say("qemu", process: 999_999, code: "80000010")
        #expect(
            try host.comes(within: .seconds(60)) { status, _ in (status.observation?.processes.count ?? 0) == 2 })

        let status = try host.status()
        let observation = try #require(status.observation)
        #expect(observation.bypassing == 2 && observation.lost == 0)
        let processes = Dictionary(uniqueKeysWithValues: observation.processes.map { ($0.pid, $0) })
        #expect(processes[own]?.vm == "web-3" && processes[own]?.plain == 1 && processes[own]?.extended == 1)
        #expect(processes[own]?.unasked == 1, "an extended request may be about to be asked for")
        #expect(processes[999_999]?.vm == nil && processes[999_999]?.unasked == 1)
        #expect(try host.listVMs().first?.unasked == 1)
        // 69 commands may each wait for one report of 7.5 ms of each.
        let bound = try #require(status.launchBound)
        #expect(bound.unaskedNanoseconds == 2 * 69 * 7_500_000)
        #expect(bound.boundNanoseconds == before.boundNanoseconds.map { $0 + bound.unaskedNanoseconds })

        try expectShown(host)
        tracing.lose(5)
        #expect(try host.comes(within: .seconds(60)) { status, _ in status.observation?.lost == 5 })
        observer.signal(SIGTERM)
        #expect(observer.waitForEnd() == 0)
        #expect(tracing.setting("events/kvm/kvm_vmgexit_enter/enable") == "0" && tracing.setting("tracing_on") == "0")
    }

    private func expectShown(_ host: ServedHost) throws {
        let status = try BuiltProcess("spschedctl", ["status", "--manager-socket", host.managerPath])
        let text = status.rest()
        #expect(text.contains("2 processes send requests for which nobody asks"), "\(text)")
        #expect(text.contains(#"CPU 1/KVM (pid \#(getpid()), VM "web-3"): 1 of 1 plain and 1 extended"#), "\(text)")
        #expect(text.contains("1.0 s of it for those who do not ask"), "\(text)")
        let list = try BuiltProcess("spschedctl", ["list", "--manager-socket", host.managerPath])
        #expect(list.rest().contains("UNASKED"))
    }

    @Test func `It sets up an instance of its own with one event behind a filter`() throws {
        let host = try ServedHost(configuration: "")
        let tracing = try FakeTracing()
        let observer = try tracing.observer(managerSocket: host.managerPath)
        #expect(try host.comes(within: .seconds(60)) { status, _ in status.observation != nil })
        #expect(tracing.setting("options/record-tgid") == "1" && tracing.setting("tracing_on") == "1")
        #expect(tracing.setting("events/kvm/kvm_vmgexit_enter/enable") == "1")
        #expect(
            tracing.setting("events/kvm/kvm_vmgexit_enter/filter")
                == "exit_reason == 0x80000011 || exit_reason == 0x80000012")
        #expect(tracing.setting("buffer_size_kb") == "64")
        observer.signal(SIGINT)
        #expect(observer.waitForEnd() == 0)
    }

    @Test func `It waits for a daemon that is absent, and tells it everything then`() throws {
        let tracing = try FakeTracing()
        let place = try TemporaryDirectory()
        let observer = try tracing.observer(managerSocket: place.file("manager"))
        for _ in 0..<3 { tracing.say("vmm", process: 4_711, code: "80000011") }
        while !observer.standardError.contains("was not told") { sched_yield() }
        let host = try ServedHost(configuration: "")
        #expect(symlink(host.managerPath, place.file("manager")) == 0)
        #expect(try host.comes(within: .seconds(60)) { status, _ in status.observation?.processes.first?.plain == 3 })
        // It says so after it was answered.
        while !observer.standardError.contains("takes reports again") { sched_yield() }
    }

    @Test func `A kernel without the event, and a tracefs that refuses, are told as such`() throws {
        let nothing = try BuiltProcess("spschedd-observer", ["--tracefs", "/nowhere"])
        #expect(nothing.waitForEnd() == EX_UNAVAILABLE && nothing.standardError.contains("load kvm_amd"))
        let tracing = try FakeTracing()
        unlink(tracing.path("buffer_size_kb"))
        let refused = try BuiltProcess("spschedd-observer", ["--tracefs", tracing.root])
        #expect(refused.waitForEnd() == EX_OSERR && refused.standardError.contains("buffer_size_kb"))
    }

    @Test func `A trace that ends by itself ends the observer, for its unit to start it again`() throws {
        let tracing = try FakeTracing()
        let observer = try tracing.observer(managerSocket: "/nowhere/manager")
        tracing.say("vmm", process: 1, code: "80000011")
        tracing.end()
        #expect(observer.waitForEnd() == EX_OSERR && observer.standardError.contains("has ended"))
    }

    @Test(arguments: [
        #"{"processes":[],"lost":-1}"#, #"{"processes":{},"lost":0}"#, #"{"lost":0}"#,
        #"{"processes":[],"lost":0,"more":1}"#,
        #"{"processes":[{"pid":0,"name":"x","plain":1,"extended":0}],"lost":0}"#,
        #"{"processes":[{"pid":1,"name":"\u001b","plain":1,"extended":0}],"lost":0}"#,
        #"{"processes":[{"pid":1,"name":"x","plain":-1,"extended":0}],"lost":0}"#,
        #"{"processes":[{"pid":1,"name":"x","plain":1,"extended":9223372036854775807}],"lost":0}"#,
    ])
    func `A report that is none is refused, and changes nothing`(parameters: String) throws {
        let host = try ServedHost(configuration: "")
        let socket = try StreamSocket.connect(to: host.managerPath)
        let call = #"{"method":"io.spschedd.Manager.NoteRequests","parameters":\#(parameters)}"#
        _ = try socket.send((Array(call.utf8) + [0])[...])
        var bytes = [UInt8](repeating: 0, count: 4_096)
        guard case .bytes(let count) = try socket.receive(into: &bytes) else {
            Issue.record("no answer")
            return
        }
        let answer = String(decoding: bytes[..<count], as: UTF8.self)
        #expect(answer.contains("InvalidParameter"), "\(answer)")
        #expect(try host.status().observation == nil)
    }
}

/// What the observer needs of tracefs: files that take what is written, and a FIFO.
private final class FakeTracing {
    let root: String
    private let trace: Int32

    init() throws {
        root = FileManager.default.temporaryDirectory.appendingPathComponent("tracing-\(UUID())").path
        let instance = "\(root)/instances/spschedd-observer"
        for folder in ["\(root)/events/kvm/kvm_vmgexit_enter", "\(instance)/options", instance + Self.event] {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        }
        for file in ["tracing_on", "trace", "buffer_size_kb", "options/record-tgid"] {
            try Data().write(to: URL(fileURLWithPath: "\(instance)/\(file)"))
        }
        for file in ["filter", "enable"] {
            try Data().write(to: URL(fileURLWithPath: "\(instance)\(Self.event)/\(file)"))
        }
        guard mkfifo("\(instance)/trace_pipe", 0o600) == 0 else { throw ProcessError("no FIFO: errno \(errno)") }
        // For both: it is there before its reader, as the kernel's is.
        trace = Glibc.open("\(instance)/trace_pipe", O_RDWR | O_CLOEXEC)
    }

    deinit {
        close(trace)
        try? FileManager.default.removeItem(atPath: root)
    }

    private static let event = "/events/kvm/kvm_vmgexit_enter"

    func path(_ file: String) -> String { "\(root)/instances/spschedd-observer/\(file)" }

    func setting(_ file: String) -> String? {
        (try? String(contentsOfFile: path(file), encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// An observer that has begun.
    func observer(managerSocket: String) throws -> BuiltProcess {
        let observer = try BuiltProcess(
            "spschedd-observer", ["--tracefs", root, "--manager-socket", managerSocket])
        while !observer.standardError.contains("counts requests") {
            guard kill(observer.identifier, 0) == 0 else { throw ProcessError(observer.standardError) }
            sched_yield()
        }
        return observer
    }

    func say(_ name: String, process: Int32, code: String) {
        write(
            "  \(name)-\(process + 16)    (\(process)) [005] .....  7314.226718: kvm_vmgexit_enter: vcpu 0, "
                + "exit_reason \(code), exit_info1 10b7a1000, exit_info2 10b7a2000\n")
    }

    func lose(_ count: Int) { write("CPU:5 [LOST \(count) EVENTS]\n") }

    private func write(_ text: String) {
        let bytes = Array(text.utf8)
        #expect(Glibc.write(trace, bytes, bytes.count) == bytes.count)
    }

    /// The last writer goes.
    func end() { dup2(open("/dev/null", O_RDWR | O_CLOEXEC), trace) }
}
