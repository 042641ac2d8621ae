import CSEV
import Testing

@testable import DeviceProtocol

/// Goal: every code that a kernel may pass on has its name and a sentence. Method: the kernel header's own list.
@Suite("Firmware codes")
struct FirmwareCodeTests {
    /// `sev_ret_code` of include/uapi/linux/psp-sev.h, Linux 6.19, without the prefix.
    private static let header: [UInt32: String] = [
        0x00: "SUCCESS",
        0x01: "INVALID_PLATFORM_STATE",
        0x02: "INVALID_GUEST_STATE",
        0x03: "INVALID_CONFIG",
        0x04: "INVALID_LEN",
        0x05: "ALREADY_OWNED",
        0x06: "INVALID_CERTIFICATE",
        0x07: "POLICY_FAILURE",
        0x08: "INACTIVE",
        0x09: "INVALID_ADDRESS",
        0x0A: "BAD_SIGNATURE",
        0x0B: "BAD_MEASUREMENT",
        0x0C: "ASID_OWNED",
        0x0D: "INVALID_ASID",
        0x0E: "WBINVD_REQUIRED",
        0x0F: "DFFLUSH_REQUIRED",
        0x10: "INVALID_GUEST",
        0x11: "INVALID_COMMAND",
        0x12: "ACTIVE",
        0x13: "HWSEV_RET_PLATFORM",
        0x14: "HWSEV_RET_UNSAFE",
        0x15: "UNSUPPORTED",
        0x16: "INVALID_PARAM",
        0x17: "RESOURCE_LIMIT",
        0x18: "SECURE_DATA_INVALID",
        0x19: "INVALID_PAGE_SIZE",
        0x1A: "INVALID_PAGE_STATE",
        0x1B: "INVALID_MDATA_ENTRY",
        0x1C: "INVALID_PAGE_OWNER",
        0x1D: "AEAD_OFLOW",
        0x1F: "EXIT_RING_BUFFER",
        0x20: "RMP_INIT_REQUIRED",
        0x21: "BAD_SVN",
        0x22: "BAD_VERSION",
        0x23: "SHUTDOWN_REQUIRED",
        0x24: "UPDATE_FAILED",
        0x25: "RESTORE_REQUIRED",
        0x26: "RMP_INITIALIZATION_FAILED",
        0x27: "INVALID_KEY",
        0x28: "SHUTDOWN_INCOMPLETE",
        0x30: "INCORRECT_BUFFER_LENGTH",
        0x31: "EXPAND_BUFFER_LENGTH_REQUEST",
        0x32: "SPDM_REQUEST",
        0x33: "SPDM_ERROR",
        0x35: "SEV_STATUS_ERR_IN_DEV_CONN",
        0x36: "SEV_STATUS_INVALID_DEV_CTX",
        0x37: "SEV_STATUS_INVALID_TDI_CTX",
        0x38: "SEV_STATUS_INVALID_TDI",
        0x39: "SEV_STATUS_RECLAIM_REQUIRED",
        0x3A: "IN_USE",
        0x3B: "SEV_STATUS_INVALID_DEV_STATE",
        0x3C: "SEV_STATUS_INVALID_TDI_STATE",
        0x3D: "SEV_STATUS_DEV_CERT_CHANGED",
        0x3E: "SEV_STATUS_RESYNC_REQ",
        0x3F: "SEV_STATUS_RESPONSE_TOO_LARGE",
    ]

    @Test("a code has the name of the kernel's header, and a sentence of its own")
    func everyCode() {
        var sentences: Set<String> = []
        for code in UInt32(0)...0xFFFF {
            let firmware = FirmwareCode(rawValue: code)
            #expect(firmware.name == Self.header[code])
            #expect(firmware.sentence.hasSuffix(".") && firmware.sentence.count > 15)
            if firmware.name != nil { sentences.insert(firmware.sentence) }
        }
        #expect(sentences.count == Self.header.count)
    }

    @Test("the constants of the C header are the table's")
    func constants() {
        #expect(SEV_RET_DFFLUSH_REQUIRED.rawValue == 0x0F && SEV_RET_AEAD_OFLOW.rawValue == 0x1D)
        #expect(SEV_RET_EXIT_RING_BUFFER.rawValue == 0x1F && SEV_RET_IN_USE.rawValue == 0x3A)
        #expect(FirmwareCode.notCalled.rawValue == UInt32(bitPattern: Int32(SEV_RET_NO_FW_CALL.rawValue)))
        #expect(FirmwareCode.notCalled.name == "NO_FW_CALL")
    }

    @Test("an unknown code is told as one, with its number")
    func unknown() {
        #expect("\(FirmwareCode(rawValue: 0x17))".hasPrefix("firmware code 0x17 (RESOURCE_LIMIT): "))
        #expect("\(FirmwareCode(rawValue: 0x1234))".hasPrefix("firmware code 0x1234: The firmware answered with"))
    }
}
