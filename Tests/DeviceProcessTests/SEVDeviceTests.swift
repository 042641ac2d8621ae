import CSEV
import DeviceTestSupport
import Glibc
import Testing

@testable import DeviceProtocol
@testable import spschedd_device

/// Goal: what the kernel says of `SEV_ISSUE_CMD` is told as what it is. Method: a function in the ioctl's place, behind
/// `/dev/null`, which anybody may open.
@Suite("SEV_ISSUE_CMD")
struct SEVDeviceTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try write("Y\n")
    }

    private func write(_ text: String) throws {
        let file = open(directory.file("sev_snp"), O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        #expect(Glibc.write(file, text, text.utf8.count) == text.utf8.count && close(file) == 0)
    }

    private func device(_ path: String = "/dev/null", issue: @escaping SEVDevice.Issue) -> SEVDevice {
        SEVDevice(path: path, parameter: directory.file("sev_snp"), issue: issue)
    }

    /// A device that gives every command this errno and firmware code.
    private func device(_ errno: Int32, _ code: sev_firmware_code) -> SEVDevice {
        device { _, _, _, firmwareCode in
            // SAFETY: the caller's variable.
            firmwareCode?.pointee = UInt32(truncatingIfNeeded: code.rawValue)
            return -errno
        }
    }

    private static let everyOrder: [PlatformOrder] = [
        .plain(.factoryReset), .plain(.legacyStatus), .plain(.generatePlatformKey),
        .plain(.requestPlatformKeySignature), .plain(.generateDiffieHellmanKey), .plain(.exportDiffieHellmanKey),
        .importPlatformKey(key: [1], authority: [2]), .plain(.identifyBothSockets), .plain(.identify),
        .plain(.status), .plain(.commit),
        .configure(PlatformConfiguration(reportedTCB: 7, masksChipID: true, masksChipKey: true)),
        .loadVLEK(wrappedVersion: 2, hashstick: .init(repeating: 8, count: 432)),
    ]

    @Test("each command is issued under its number, with write access exactly where the kernel wants it")
    func numbersAndModes() throws {
        for (number, order) in Self.everyOrder.enumerated() {
            let report = device { descriptor, command, _, code in
                #expect(command == UInt32(number))
                let mode = fcntl(descriptor, F_GETFL) & O_ACCMODE
                let wanted: Set<UInt32> = [0, 2, 3, 4, 6, 11, 12]
                #expect(mode == (wanted.contains(command) ? O_RDWR : O_RDONLY))
                // SAFETY: the caller's variable.
                code?.pointee = 0
                return -ENOMEM
            }.perform(order)
            #expect(report.report.outcome == .failed && report.report.errno == ENOMEM)
        }
    }

    @Test("what a command takes lies where the kernel looks for it")
    func layouts() throws {
        var seen: [UInt32: [UInt8]] = [:]
        let sizes: [UInt32: Int] = [6: 24, 11: 64, 12: 16]
        for order in Self.everyOrder {
            _ = device { _, command, data, code in
                // SAFETY: the command's own struct, of this size.
                if let size = sizes[command], let data {
                    seen[command] = Array(UnsafeRawBufferPointer(start: data, count: size))
                }
                code?.pointee = 0
                return 0
            }.perform(order)
        }
        #expect(seen[11] == [7, 0, 0, 0, 0, 0, 0, 0, 3] + [UInt8](repeating: 0, count: 55))
        #expect(seen[12]?.prefix(8) == [16, 0, 0, 0, 2, 0, 0, 0] && seen[12]?.suffix(8).contains { $0 != 0 } == true)
        #expect(seen[6]?[8..<12] == [1, 0, 0, 0] && seen[6]?[20..<24] == [1, 0, 0, 0])
    }

    @Test("a status is read from the kernel's 32 bytes, and one that was filled in part is not believed")
    func status() throws {
        let raw: [UInt8] =
            [
                1, 58, 1, 1, 9, 0, 0, 0, 5, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0x16, 0xD3, 4, 0, 0, 0, 0, 0, 0x15,
                0xD3,
            ]
        for count in [32, 28, 16, 0] {
            let report = device { _, _, data, code in
                // SAFETY: the caller's buffer of 32 bytes.
                data?.copyMemory(from: raw, byteCount: count)
                code?.pointee = 0
                return 0
            }.perform(.plain(.status))
            guard count == 32 else {
                #expect(report.report.outcome == .unexpectedAnswer && report.answer == .nothing)
                #expect(report.report.text.contains("SNP_PLATFORM_STATUS filled less than its 32 bytes"))
                continue
            }
            let status = SNPStatus(
                major: 1, minor: 58, build: 9, flags: [.masksChipID, .hasVLEK], guestCount: 3,
                currentTCB: 0xD316_0000_0000_0004, reportedTCB: 0xD315_0000_0000_0004)
            #expect(report.report.outcome == .answered && report.answer == .status(status))
        }
    }

    @Test("a length that is none, or more than the buffer has, is no answer", arguments: [0, 64, 16_384, 16_385, .max])
    func lengths(length: UInt32) throws {
        let report = device { _, _, data, code in
            // SAFETY: the command's own struct.
            data?.assumingMemoryBound(to: sev_user_data_get_id2.self).pointee.length = length
            code?.pointee = 0
            return 0
        }.perform(.plain(.identify))
        if (1...16_384).contains(length) {
            #expect(report.answer == .bytes(.init(repeating: 0, count: Int(length))))
        } else {
            #expect(report.report.outcome == .unexpectedAnswer && report.answer == .nothing)
            #expect(report.report.text.contains("SEV_GET_ID2 says that it gave \(length) bytes, of at most 16384"))
        }
    }

    @Test("errno and firmware code are kept apart, and each trouble has its name")
    func troubles() {
        let expected: [(Int32, sev_firmware_code, ProbeReport.Outcome, String)] = [
            (ETIMEDOUT, SEV_RET_SUCCESS, .dead, "given the device up"),
            (EBUSY, SEV_RET_NO_FW_CALL, .dead, "given the device up"),
            (EIO, SEV_RET_INVALID_PARAM, .firmwareRefused, "INVALID_PARAM"),
            (EIO, SEV_RET_NO_FW_CALL, .failed, "NO_FW_CALL"),
            (EPERM, SEV_RET_NO_FW_CALL, .notPermitted, "open for writing"),
            (ENOTTY, SEV_RET_NO_FW_CALL, .notSEVDevice, "no SEV device"),
            (ENODEV, SEV_RET_NO_FW_CALL, .vanished, "Load the ccp module"),
            (EINVAL, SEV_RET_NO_FW_CALL, .failed, "Linux 6.11"),
            (0, SEV_RET_INVALID_LEN, .unexpectedAnswer, "INVALID_LEN"),
        ]
        for (errno, code, outcome, words) in expected {
            let report = device(errno, code).perform(.plain(.commit)).report
            #expect(report.outcome == outcome && report.errno == errno, "\(errno): \(report)")
            #expect(report.firmwareCode.rawValue == UInt32(truncatingIfNeeded: code.rawValue))
            #expect(report.text.contains("/dev/null") && report.text.contains(words), "\(report.text)")
        }
        // A code of a firmware newer than this.
        let unknown = device { _, _, _, code in
            // SAFETY: the caller's variable.
            code?.pointee = 0x7E
            return -EIO
        }.perform(.plain(.commit)).report
        #expect(unknown.outcome == .firmwareRefused && unknown.text.contains("firmware code 0x7E: "))
    }

    @Test("EBUSY of a factory reset means that guests run, not that the device is dead")
    func resetBusy() {
        let report = device(EBUSY, SEV_RET_NO_FW_CALL).perform(.plain(.factoryReset)).report
        #expect(report.outcome == .failed && report.text.contains("Guests are running"))
    }

    @Test("a node that may not be opened, or is not there, is told apart from a failing device")
    func opening() throws {
        let file = directory.file("nothing")
        let missing = device(file) { _, _, _, _ in 0 }.perform(.plain(.status)).report
        #expect(missing.outcome == .notAttempted && missing.errno == ENOENT && missing.text.contains(file))
    }

    @Test("SNP's commands are not issued where SNP is off, or kvm_amd is not there; once it is, they are")
    func snpOff() throws {
        for (text, words) in [("N\n", "SNP is off"), ("", "cannot be read")] {
            try write(text)
            let report = device { _, _, _, _ in
                Issue.record("issued all the same")
                return 0
            }.perform(.plain(.commit)).report
            #expect(report.outcome == .notAttempted && report.errno == 0 && report.text.contains(words))
            // SEV before SNP has nothing to do with it.
            #expect(device(0, SEV_RET_SUCCESS).perform(.plain(.generatePlatformKey)).report.outcome == .answered)
        }
        try write("Y\n")
        #expect(device(0, SEV_RET_SUCCESS).perform(.plain(.commit)).report.outcome == .answered)
    }

    @Test("what is permitted decides before the device does")
    func permitted() {
        for command in PlatformCommand.allCases {
            #expect(PermittedCommands.all.reasonToRefuse(command) == nil)
            let changes: Set<PlatformCommand> = [.commit, .configure, .loadVLEK]
            let reads: Set<PlatformCommand> = [
                .legacyStatus, .exportDiffieHellmanKey, .identifyBothSockets, .identify, .status,
            ]
            #expect((PermittedCommands.snp.reasonToRefuse(command) == nil) == (changes.union(reads)).contains(command))
            #expect((PermittedCommands.status.reasonToRefuse(command) == nil) == reads.contains(command))
        }
    }
}
