import Testing

@testable import DeviceProtocol

@Suite("Wire of spschedd-device")
struct DeviceWireTests {
    static let reports: [ProbeReport] = [
        ProbeReport(
            outcome: .answered, duration: .microseconds(460),
            platform: PlatformStatus(major: 1, minor: 58, guestCount: 3)),
        ProbeReport(outcome: .dead, errno: 110, duration: .seconds(100), text: "gone"),
        ProbeReport(outcome: .failed, errno: 25, text: "not a SEV device"),
        ProbeReport(outcome: .firmwareRefused, errno: 5, firmwareCode: FirmwareCode(rawValue: 1)),
        ProbeReport(outcome: .notAttempted, text: "SNP is off"),
    ]

    @Test("a probe and its reply are read as they were written", arguments: reports)
    func roundTrip(report: ProbeReport) throws {
        #expect(try ProbeRequest(decoding: ProbeRequest(tag: 8).encoded()).tag == 8)
        let reply = ProbeReply(tag: 8, report: report)
        #expect(try ProbeReply(decoding: reply.encoded()) == reply)
    }

    @Test("a reply cut short anywhere or made longer is no message", arguments: reports)
    func strict(report: ProbeReport) {
        let bytes = ProbeReply(tag: 8, report: report).encoded()
        for count in 0..<bytes.count {
            #expect(throws: WireError.self) { try ProbeReply(decoding: Array(bytes[..<count])) }
        }
        #expect(throws: WireError.self) { try ProbeReply(decoding: bytes + [0]) }
    }

    @Test("the request of one wire is no request of the other")
    func wires() {
        #expect(throws: EmulatorRequestError.self) { try EmulatorRequest(decoding: ProbeRequest(tag: 1).encoded()) }
        #expect(throws: WireError.self) { try ProbeRequest(decoding: EmulatorRequest.statistics(tag: 1).encoded()) }
    }

    static let orders: [PlatformOrder] =
        PlatformCommand.allCases.filter { ![.configure, .loadVLEK, .importPlatformKey].contains($0) }.map {
            .plain($0)
        } + [
            .configure(
                PlatformConfiguration(reportedTCB: 0xD3_16_00_00_00_00_00_04, masksChipID: true, masksChipKey: false)),
            .configure(PlatformConfiguration(reportedTCB: 0, masksChipID: false, masksChipKey: true)),
            .loadVLEK(wrappedVersion: 3, hashstick: .init(repeating: 9, count: PlatformOrder.hashstickBytes)),
            .importPlatformKey(key: .init(repeating: 1, count: PlatformOrder.certificateBytesMax), authority: [2]),
        ]

    @Test(
        "every platform command is read as it was written, and none that takes something it does not", arguments: orders
    )
    func order(order: PlatformOrder) throws {
        let bytes = PlatformRequest(tag: 5, order: order).encoded()
        #expect(bytes.count <= WireLimits.deviceMessageBytes)
        #expect(try DeviceRequest(decoding: bytes) == .platform(PlatformRequest(tag: 5, order: order)))
        for count in 0..<min(bytes.count, 64) {
            #expect(throws: WireError.self) { try DeviceRequest(decoding: Array(bytes[..<count])) }
        }
        #expect(throws: WireError.self) { try DeviceRequest(decoding: bytes + [0]) }
        guard case .plain = order else { return }
        // The lowest bit of flags, and of value.
        for index in [20, 24] {
            var changed = bytes
            changed[index] |= 1
            #expect(throws: WireError.self) { try DeviceRequest(decoding: changed) }
        }
    }

    @Test("a command that the kernel does not have, and one without what it takes, is none")
    func noOrder() {
        var bytes = PlatformRequest(tag: 5, order: .plain(.commit)).encoded()
        for number in [UInt8](13...255) + [11, 12, 6] {
            bytes[16] = number
            #expect(number == 11 || (try? DeviceRequest(decoding: bytes)) == nil)
        }
        let short = PlatformOrder.loadVLEK(wrappedVersion: 0, hashstick: [1, 2, 3])
        #expect(short.mistake == "a wrapped VLEK has 432 bytes, not 3")
        #expect(throws: WireError.self) { try DeviceRequest(decoding: PlatformRequest(tag: 1, order: short).encoded()) }
    }

    static let answers: [PlatformAnswer] = [
        .nothing,
        .status(
            SNPStatus(
                major: 1, minor: 58, build: 0x1234_5678, flags: [.masksChipID, .hasVLEK], guestCount: 0x0102_0304,
                currentTCB: 0xD3_16_00_00_00_00_00_04, reportedTCB: .max)),
        .bytes(.init(repeating: 3, count: 64)), .certificates(key: .init(repeating: 4, count: 2_084), chain: [5]),
    ]

    @Test("every answer is read as it was written; one of another size than the kernel's is none", arguments: answers)
    func answer(answer: PlatformAnswer) throws {
        let report = ProbeReport(outcome: .answered, duration: .microseconds(12), text: "so")
        let reply = PlatformReply(tag: 6, report: PlatformReport(report, answer))
        let bytes = reply.encoded()
        #expect(try DeviceReply(decoding: bytes) == .platform(reply))
        for count in 0..<bytes.count {
            #expect(throws: WireError.self) { try DeviceReply(decoding: Array(bytes[..<count])) }
        }
        #expect(throws: WireError.self) { try SNPStatus(decoding: .init(repeating: 1, count: 31)) }
        #expect(throws: WireError.self) { try SNPStatus(decoding: .init(repeating: 1, count: 33)) }
        #expect(throws: WireError.self) { try LegacyStatus(decoding: .init(repeating: 1, count: 16)) }
    }
}
