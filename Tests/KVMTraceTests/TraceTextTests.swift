import Testing

@testable import KVMTrace

/// Goal: each guest's request in a trace is counted for the process that it came from, and nothing that a VMM can do to
/// the text changes that for another. Method: text in the form in which the kernel prints this event
/// (kernel/trace/trace_output.c, arch/x86/kvm/trace.h). No SNP guest caused any of it: there was none.
@Suite struct TraceTextTests {
    private static let plain =
        "       CPU 0/KVM-2211    (   2195) [005] .....  7314.226718: kvm_vmgexit_enter: vcpu 0, "
        + "exit_reason 80000011, exit_info1 10b7a1000, exit_info2 10b7a2000"
    private static let extended =
        "       CPU 1/KVM-2212    (   2195) [004] d..1.  7314.226801: kvm_vmgexit_enter: vcpu 1, "
        + "exit_reason 80000012, exit_info1 10b7a3000, exit_info2 10b7a4000"

    private func line(_ text: String) -> TraceLine { TraceLine(Array(text.utf8)) }

    private func request(_ process: Int32, _ name: String, _ kind: ObservedRequest.Kind) -> TraceLine {
        .request(ObservedRequest(process: process, name: name, kind: kind))
    }

    @Test func `A request belongs to the process of its vCPU's thread`() {
        #expect(line(Self.plain) == request(2195, "CPU 0/KVM", .plain))
        #expect(line(Self.extended) == request(2195, "CPU 1/KVM", .extended))
    }

    /// Printed by Linux 6.18: a line of the trace's own marker, behind which the event's text was put.
    @Test func `A line as a kernel printed it is read`() {
        let printed =
            "            bash-25943   (  25943) [001] ...1. 15226.653994: tracing_mark_write: x: kvm_vmgexit_enter: "
            + "vcpu 0, exit_reason 80000011, exit_info1 0"
        #expect(line(printed) == request(25943, "bash", .plain))
        let unknown =
            "           <...>-25945   (-------) [001] ..... 15226.654914: kvm_vmgexit_enter: vcpu 0, exit_reason 80000012"
        #expect(line(unknown) == request(25945, "<...>", .extended))
    }

    @Test func `A thread stands for a process that the trace does not know or does not record`() {
        let unknown = Self.plain.replacing("(   2195)", with: "(-------)")
        #expect(line(unknown) == request(2211, "CPU 0/KVM", .plain))
        let unrecorded = Self.plain.replacing("(   2195) ", with: "")
        #expect(line(unrecorded) == request(2211, "CPU 0/KVM", .plain))
    }

    @Test(arguments: [
        "", "# tracer: nop", plain.replacing("80000011", with: "80000010"),
        plain.replacing("80000011", with: "180000011"), plain.replacing("80000011", with: "0x80000011"),
        plain.replacing("kvm_vmgexit_enter", with: "kvm_vmgexit_exit"), plain.replacing("[005]", with: "005"),
        plain.replacing("-2211", with: "-0").replacing("(   2195)", with: "(      0)"),
        plain.replacing("(   2195)", with: "(99999999999)"), plain.replacing("exit_reason", with: "exit"),
        ": kvm_vmgexit_enter: exit_reason 80000011", "CPU:5 [LOST", "CPU:5 [LOST many EVENTS]", "CPU:5 [LOST EVENTS]",
    ])
    func `Another event, another exit, or what is no such line, is passed over`(text: String) {
        #expect(line(text) == .other)
    }

    /// A name has 15 bytes, and may hold any of them.
    @Test(arguments: [
        "-1 ( 77) [000] ", "x (1) [0] 1.0: ", "\n( 77) [0] 1: k", "((((((((((((((", "]]]]]]]]]]]]]]]", "-",
    ])
    func `A thread's name does not make its requests another's`(name: String) {
        var found: [TraceLine] = []
        var text = TraceText()
        text.append((Self.plain.replacing("CPU 0/KVM", with: name) + "\n").utf8) { found.append($0) }
        let processes = found.compactMap { line in
            if case .request(let request) = line { request.process } else { nil }
        }
        #expect(processes == [2195])
    }

    @Test func `Marks that turn or hide what follows are shown as escapes`() {
        let found = line(Self.plain.replacing("CPU 0/KVM", with: "a\u{202E}b\u{200B}"))
        #expect(found == request(2195, #"a\u{202E}b\u{200B}"#, .plain))
    }

    @Test func `Control characters in a name are shown as escapes`() {
        let found = line(Self.plain.replacing("CPU 0/KVM", with: "\u{1B}[31m"))
        #expect(found == request(2195, #"\u{1B}[31m"#, .plain))
    }

    @Test func `Lost events are counted`() {
        #expect(line("CPU:5 [LOST 12 EVENTS]") == .lost(12))
        #expect(line("CPU:5 [LOST 9999999999999999 EVENTS]") == .lost(1 << 40))
    }

    @Test func `A trace reads the same in whatever pieces it comes, and a line without an end costs no memory`() {
        let trace = Array((Self.plain + "\n" + Self.extended + "\nCPU:1 [LOST 3 EVENTS]\n").utf8)
        for piece in [1, 7, trace.count] {
            var text = TraceText()
            var lines: [TraceLine] = []
            for begin in stride(from: 0, to: trace.count, by: piece) {
                text.append(trace[begin..<min(begin + piece, trace.count)]) { lines.append($0) }
            }
            #expect(
                lines == [request(2195, "CPU 0/KVM", .plain), request(2195, "CPU 1/KVM", .extended), .lost(3)])
        }
        var text = TraceText()
        for _ in 0..<1_000 { text.append(repeatElement(UInt8(ascii: "x"), count: 1_000)) { _ in Issue.record() } }
        var after: [TraceLine] = []
        text.append(("\n" + Self.plain + "\n").utf8) { after.append($0) }
        #expect(after == [.other, request(2195, "CPU 0/KVM", .plain)])
    }
}

@Suite struct RequestTallyTests {
    private func line(_ process: Int32, _ kind: ObservedRequest.Kind = .plain) -> TraceLine {
        .request(ObservedRequest(process: process, name: "vmm", kind: kind))
    }

    @Test func `Requests are counted by process and kind, and told as long as they are recent`() {
        var tally = RequestTally()
        for _ in 0..<3 { tally.note(line(7)) }
        tally.note(line(7, .extended))
        tally.note(line(5, .extended))
        tally.note(.lost(4))
        tally.note(.other)
        let first = tally.takeRecent(remembered: 1)
        #expect(first.map(\.process) == [5, 7])
        #expect(first.map(\.plain) == [0, 3] && first.map(\.extended) == [1, 1])
        tally.note(line(5))
        #expect(tally.takeRecent(remembered: 1).map(\.process) == [5, 7])
        #expect(tally.takeRecent(remembered: 1).map(\.process) == [5])
        #expect(tally.lost == 4)
    }

    @Test func `More processes than a host can have take each other's place once they are quiet`() {
        var tally = RequestTally()
        let most = Int32(ObservationLimits.processes)
        for process in 1...(most + 5) { tally.note(line(process)) }
        #expect(tally.count == Int(most) && tally.lost == 5)
        _ = tally.takeRecent(remembered: 0)
        tally.note(line(most + 6))
        #expect(tally.count == Int(most) && tally.lost == 5)
        #expect(tally[1] == nil && tally[most + 6]?.plain == 1)
    }
}
