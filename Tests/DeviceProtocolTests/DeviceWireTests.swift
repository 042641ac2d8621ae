import CSEV
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

    @Test("firmware codes have the names of the kernel's header, and a sentence each")
    func firmwareCodes() {
        #expect(FirmwareCode(rawValue: SEV_RET_DFFLUSH_REQUIRED.code).name == "DFFLUSH_REQUIRED")
        #expect(FirmwareCode(rawValue: SEV_RET_INVALID_PARAM.code).name == "INVALID_PARAM")
        #expect(FirmwareCode(rawValue: SEV_RET_AEAD_OFLOW.code).name == "AEAD_OFLOW")
        #expect(FirmwareCode(rawValue: SEV_RET_EXIT_RING_BUFFER.code).name == "EXIT_RING_BUFFER")
        #expect(FirmwareCode(rawValue: SEV_RET_RMP_INIT_REQUIRED.code).name == "RMP_INIT_REQUIRED")
        #expect(FirmwareCode(rawValue: SEV_RET_SHUTDOWN_INCOMPLETE.code).name == "SHUTDOWN_INCOMPLETE")
        #expect(FirmwareCode.notCalled.rawValue == SEV_RET_NO_FW_CALL.code)
        #expect(FirmwareCode(rawValue: 0x1E).name == nil && FirmwareCode(rawValue: 0x29).name == nil)
        for code in UInt32(0)...0x30 {
            let sentence = FirmwareCode(rawValue: code).sentence
            #expect(sentence.hasSuffix(".") && sentence.count > 15)
        }
        #expect("\(FirmwareCode(rawValue: 0x17))".hasPrefix("firmware code 0x17 (RESOURCE_LIMIT): "))
    }
}

extension sev_firmware_code {
    fileprivate var code: UInt32 { UInt32(truncatingIfNeeded: rawValue) }
}
