/// A guest request as the tracepoint `kvm_vmgexit_enter` shows it.
public struct ObservedRequest: Equatable, Sendable {
    public enum Kind: Sendable {
        /// SVM_VMGEXIT_GUEST_REQUEST: reports, derived keys and other messages. It never leaves KVM.
        case plain
        /// SVM_VMGEXIT_EXT_GUEST_REQUEST: reports with certificates.
        case extended
    }

    /// The VMM's process; its thread if the trace does not know the process.
    public let process: Int32
    /// The thread's name, as its program chose it: for people.
    public let name: String
    public let kind: Kind

    public init(process: Int32, name: String, kind: Kind) {
        self.process = process
        self.name = name
        self.kind = kind
    }
}

/// One line of a `trace_pipe`.
public enum TraceLine: Equatable, Sendable {
    case request(ObservedRequest)
    /// The kernel's buffer was full: so many events are missing.
    case lost(UInt64)
    /// Another event, another exit, or nothing that is understood.
    case other

    /// The form is that of `trace_print_context` in kernel/trace/trace_output.c with `record-tgid`, and of the event in
    /// arch/x86/kvm/trace.h:
    ///
    /// ```
    ///        CPU 0/KVM-2211    (   2195) [005] .....  7314.226718: kvm_vmgexit_enter: vcpu 0, exit_reason 80000011, …
    /// CPU:5 [LOST 12 EVENTS]
    /// ```
    ///
    /// A thread may call itself anything in 15 bytes, brackets included: what stands nearest to the event's name
    /// counts.
    public init(_ line: [UInt8]) {
        let scanner = LineScanner(line)
        if let count = scanner.lostEvents() {
            self = .lost(count)
        } else if let request = scanner.request() {
            self = .request(request)
        } else {
            self = .other
        }
    }
}

/// Takes a line apart, from the event's name outwards.
private struct LineScanner {
    private let line: [UInt8]

    private static let event = Array(": kvm_vmgexit_enter: ".utf8)
    private static let reason = Array("exit_reason ".utf8)
    private static let lostBegins = Array("[LOST ".utf8)
    private static let lostEnds = Array(" EVENTS]".utf8)
    /// include/uapi/asm/svm.h of arch/x86
    private static let plainCode: UInt64 = 0x8000_0011
    private static let extendedCode: UInt64 = 0x8000_0012

    init(_ line: [UInt8]) { self.line = line }

    func lostEvents() -> UInt64? {
        guard line.starts(with: "CPU:".utf8), let begin = place(of: Self.lostBegins, from: 0),
            let end = place(of: Self.lostEnds, from: begin + Self.lostBegins.count)
        else { return nil }
        let number = number(in: (begin + Self.lostBegins.count)..<end, radix: 10)
        return number.map { min($0, ObservationLimits.eventsMax) }
    }

    func request() -> ObservedRequest? {
        guard let event = place(of: Self.event, from: 0),
            let reason = place(of: Self.reason, from: event + Self.event.count),
            let kind = kind(from: reason + Self.reason.count), let task = task(before: event)
        else { return nil }
        return ObservedRequest(process: task.process, name: task.name, kind: kind)
    }

    private func kind(from begin: Int) -> ObservedRequest.Kind? {
        let end = line[begin...].firstIndex { $0 == UInt8(ascii: ",") } ?? line.endIndex
        switch number(in: begin..<end, radix: 16) {
        case Self.plainCode: return .plain
        case Self.extendedCode: return .extended
        default: return nil
        }
    }

    /// `name-thread (process) [cpu] flags time` ends at `end`.
    private func task(before end: Int) -> (name: String, process: Int32)? {
        guard let cpu = line[..<end].lastIndex(of: UInt8(ascii: "[")) else { return nil }
        let head = trimmed(0..<cpu)
        guard line[head].last == UInt8(ascii: ")"), let open = line[head].lastIndex(of: UInt8(ascii: "(")) else {
            return named(head, process: nil)
        }
        let known = number(in: trimmed((open + 1)..<(head.upperBound - 1)), radix: 10)
        return named(trimmed(head.lowerBound..<open), process: known)
    }

    /// `name-thread`; the thread stands for a process that is not known.
    private func named(_ range: Range<Int>, process: UInt64?) -> (name: String, process: Int32)? {
        guard let dash = line[range].lastIndex(of: UInt8(ascii: "-")),
            let thread = number(in: (dash + 1)..<range.upperBound, radix: 10),
            let number = Int32(exactly: process ?? thread), number > 0
        else { return nil }
        return (text(range.lowerBound..<dash), number)
    }

    /// Nothing in it writes to a terminal.
    private func text(_ range: Range<Int>) -> String {
        var text = ""
        for scalar in String(decoding: line[range], as: UTF8.self).unicodeScalars {
            let part = Self.isPlain(scalar) ? "\(scalar)" : scalar.escaped(asASCII: true)
            guard text.utf8.count + part.utf8.count <= ObservationLimits.nameBytes else { break }
            text += part
        }
        return text
    }

    /// It moves no cursor, turns no direction, and can be seen.
    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }

    private func trimmed(_ range: Range<Int>) -> Range<Int> {
        let blank = UInt8(ascii: " ")
        let begin = line[range].firstIndex { $0 != blank } ?? range.upperBound
        let end = line[range].lastIndex { $0 != blank }.map { $0 + 1 } ?? begin
        return begin..<end
    }

    /// `nil` unless all of it is digits, and it fits.
    private func number(in range: Range<Int>, radix: UInt64) -> UInt64? {
        guard !range.isEmpty, range.count <= 16 else { return nil }
        var value: UInt64 = 0
        for byte in line[range] {
            guard let digit = Character(UnicodeScalar(byte)).hexDigitValue, UInt64(digit) < radix else { return nil }
            value = value &* radix &+ UInt64(digit)
        }
        return value
    }

    private func place(of words: [UInt8], from begin: Int) -> Int? {
        guard line.count >= words.count, begin <= line.count - words.count else { return nil }
        return (begin...(line.count - words.count)).first { line[$0..<($0 + words.count)].elementsEqual(words) }
    }
}
