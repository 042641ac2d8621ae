import Arbiter
import Testing
import VMMProtocol

/// `docs/protocol.md` says what the code does: a stranger who writes a client from it is not misled.
@Suite struct DocumentTests {
    private let document: ProtocolDocument

    init() throws { document = try ProtocolDocument() }

    @Test("a decoder that knows only the document's tables reads every vector")
    func tablesSuffice() {
        let decoder = DocumentedDecoder(document: document)
        for vector in Vector.all {
            #expect(decoder.fields(of: vector.record) == vector.decoded, "\(vector.name)")
        }
    }

    @Test("the document lists every message with its size, and describes each in a section")
    func messages() {
        let listed = document.table("3. Messages").filter { $0[0].hasPrefix("0x") }
        let expected = MessageType.allCases.map { type in
            [
                hexadecimal(type.rawValue), type.name, size(of: type),
                type.isFromClient ? "client" : "daemon",
            ]
        }
        #expect(listed.map { Array($0.prefix(4)) } == expected)
        let sections = document.messageSections.map { [hexadecimal($0.type), $0.name] }.sorted { $0[0] < $1[0] }
        #expect(sections == MessageType.allCases.map { [hexadecimal($0.rawValue), $0.name] })
    }

    @Test("the tables of a message end where its fields end")
    func tableSizes() throws {
        let widths = ["u8": 1, "u16": 2, "u32": 4, "i32": 4, "u64": 8, "u8[16]": 16, "char[64]": 64]
        for section in document.messageSections {
            let type = try #require(MessageType(rawValue: section.type))
            var end = 16
            for row in document.table(section.heading) {
                #expect(Int(row[0]) == end, "\(section.name), \(row[2])")
                if let match = row[1].wholeMatch(of: /u8\[([0-9])\]/) {
                    end += Int(match.1)!
                } else if !["char[text_length]", "u64[count]"].contains(row[1]) {
                    end += try #require(widths[row[1]], "\(row[1])")
                }
            }
            #expect(end == type.leastSize, "\(section.name)")
        }
    }

    @Test("the document lists every command kind with its class")
    func kinds() {
        let listed = document.table("8.1 Command kinds").map { Array($0.prefix(3)) }
        #expect(listed == CommandKind.allCases.map { [hexadecimal($0.rawValue), "\($0)", "\($0.commandClass)"] })
    }

    @Test("the document lists every BUSY reason with its sentence")
    func reasons() {
        let expected = BusyReason.allCases.map { ["\($0.rawValue)", "\($0)", $0.sentence()] }
        #expect(document.table("8.2 BUSY reasons") == expected)
    }

    @Test("the document lists every ERROR code with its sentence")
    func codes() {
        let expected = ErrorCode.allCases.map { ["\($0.rawValue)", "\($0)", $0.sentence] }
        #expect(document.table("8.3 ERROR codes") == expected)
    }

    @Test("the document lists every policy and outcome")
    func policies() {
        let listed = document.table("8.4 Policies and outcomes").map { Array($0.prefix(3)) }
        let expected =
            RetryPolicy.allCases.map { ["retry_policy", "\($0.rawValue)", "\($0)"] }
            + FailureMode.allCases.map { ["failure_mode", "\($0.rawValue)", "\($0)"] }
            + LaunchOutcome.allCases.map { ["outcome", "\($0.rawValue)", "\($0)"] }
        #expect(listed == expected)
    }

    @Test("the document lists every device state with its sentence")
    func deviceStates() {
        let expected = DeviceState.allCases.map { ["\($0.rawValue)", "\($0)", $0.sentence] }
        #expect(document.table("8.5 Device states") == expected)
    }

    @Test("the document lists every feature bit")
    func features() {
        let named: [(String, Features)] = [
            ("resync", .resync), ("releaseAndAcquire", .releaseAndAcquire), ("deviceDescriptor", .deviceDescriptor),
            ("proxyTurns", .proxyTurns),
        ]
        let listed = document.table("8.6 Features").map { Array($0.prefix(2)) }
        #expect(listed == named.map { ["\($0.1.rawValue.trailingZeroBitCount)", $0.0] })
        #expect(Features(named.map(\.1)) == .all)
    }

    @Test("the document lists every way in which a message can be malformed, and what follows")
    func malformed() {
        let listed = document.table("15. Identity, limits and bad input").filter { $0.count == 4 }
        let expected = WireError.allCases.map {
            ["\($0)", $0.endsConnection ? "yes" : "no", "\($0.code.rawValue) \($0.code)", $0.sentence]
        }
        #expect(listed == expected)
    }

    @Test("the document gives the limits of the code")
    func limits() {
        let listed = document.table("15. Identity, limits and bad input").filter { $0.count == 3 }.map { $0[1] }
        #expect(ProtocolLimits.longestDuration == Nanoseconds(1 << 61))
        let expected = [
            "\(ProtocolLimits.messageBytes) bytes", "\(ProtocolLimits.headerBytes) bytes",
            "\(ProtocolLimits.nameBytes) bytes", "\(ProtocolLimits.textBytes) bytes",
            "\(ProtocolLimits.outstandingTags)", "2^61 ns",
        ]
        #expect(listed == expected)
    }

    @Test("the worked examples are valid messages of the type and tag they name, and the codec writes the same bytes")
    func examples() throws {
        #expect(document.dumps.count >= 25)
        for dump in document.dumps {
            let message = try AnyMessage(decoding: dump.record, direction: dump.direction)
            #expect(message.type.name == dump.name)
            #expect(message.tag == dump.tag)
            #expect(message.encoded == dump.record)
        }
    }

    private func hexadecimal(_ value: UInt16) -> String {
        let digits = String(value, radix: 16, uppercase: true)
        return "0x" + String(repeating: "0", count: 4 - digits.count) + digits
    }

    private func size(of type: MessageType) -> String {
        switch type {
        case .resyncState: "\(type.leastSize) + 8 × count"
        case .busy, .error, .deviceState: "\(type.leastSize) + text"
        default: "\(type.leastSize)"
        }
    }
}
