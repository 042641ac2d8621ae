import Arbiter
import CSEV
import DeviceProtocol
import Glibc
import LinuxIO

/// The real device: SEV_ISSUE_CMD.
struct SEVDevice {
    /// `csev_issue`, or what a test has in its place: 0 or -errno, and the firmware's code.
    // SAFETY: the pointers are those of `csev_issue`: what the command takes and gives, for the time of the call.
    typealias Issue = (Int32, UInt32, UnsafeMutableRawPointer?, UnsafeMutablePointer<UInt32>?) -> Int32

    let path: String
    /// Says whether SNP is in use.
    var parameter = "/sys/module/kvm_amd/parameters/sev_snp"
    var issue: Issue = { csev_issue($0, $1, $2, $3) }

    /// May sleep in the kernel until the command times out, 100 s by default.
    func perform(_ order: PlatformOrder) -> PlatformReport {
        let command = order.command
        if let mistake = order.mistake { return Commander.notAttempted("\(path): not asked: \(mistake)") }
        if command.needsSNP, let reason = reasonNotToAsk() { return Commander.notAttempted("\(path): \(reason)") }
        do {
            // What cannot be written cannot be reset: write access only for what needs it.
            let device = try FileDescriptor.open(path, writable: command.needsWriting)
            return perform(order, on: device)
        } catch {
            return couldNotOpen(error, command)
        }
    }

    private func couldNotOpen(_ error: SystemError, _ command: PlatformCommand) -> PlatformReport {
        let outcome: ProbeReport.Outcome =
            switch error.code {
            case EPERM, EACCES: .notPermitted
            case ENODEV, ENXIO: .vanished
            default: .notAttempted
            }
        let access = command.needsWriting ? "for reading and writing" : "for reading"
        return PlatformReport(
            ProbeReport(outcome: outcome, errno: error.code, text: "\(error) (\(access), for \(command.name))"))
    }

    // MARK: One command

    private func perform(_ order: PlatformOrder, on device: borrowing FileDescriptor) -> PlatformReport {
        switch order {
        case .plain(let command): plain(command, device)
        case .configure(let configuration): configure(configuration, device)
        case .loadVLEK(let version, let hashstick): loadVLEK(version, hashstick, device)
        case .importPlatformKey(let key, let authority): importKey(key, authority, device)
        }
    }

    private func plain(_ command: PlatformCommand, _ device: borrowing FileDescriptor) -> PlatformReport {
        switch command {
        case .status:
            fixed(command, SNPStatus.bytes, device) { bytes throws(WireError) in
                .status(try SNPStatus(decoding: bytes))
            }
        case .legacyStatus:
            fixed(command, LegacyStatus.bytes, device) { bytes throws(WireError) in
                .legacyStatus(try LegacyStatus(decoding: bytes))
            }
        case .identifyBothSockets:
            fixed(command, MemoryLayout<sev_user_data_get_id>.size, device) { bytes in .bytes(bytes) }
        case .identify, .requestPlatformKeySignature: sized(command, device)
        case .exportDiffieHellmanKey: export(device)
        default: PlatformReport(issued(command, nil, device))
        }
    }

    /// Beyond any answer's own content: what is still there afterwards was not written.
    private static let untouched: UInt8 = 0xA5

    /// A command that fills a struct of fixed size.
    private func fixed(
        _ command: PlatformCommand, _ size: Int, _ device: borrowing FileDescriptor,
        _ answer: ([UInt8]) throws(WireError) -> PlatformAnswer
    ) -> PlatformReport {
        var bytes = [UInt8](repeating: Self.untouched, count: size)
        let number = device.number
        // SAFETY: the kernel writes as many bytes as the command's struct has, which CSEV checks.
        let report = bytes.withUnsafeMutableBytes { issued(command, $0.baseAddress, number) }
        guard report.outcome == .answered else { return PlatformReport(report) }
        let tail = min(4, size)
        guard bytes.suffix(tail).contains(where: { $0 != Self.untouched }) else {
            return unexpected(report, "\(command.name) filled less than its \(size) bytes")
        }
        do { return PlatformReport(report, try answer(bytes)) } catch { return unexpected(report, "\(error)") }
    }

    /// A command that fills a buffer of ours and says how much of it.
    private func sized(_ command: PlatformCommand, _ device: borrowing FileDescriptor) -> PlatformReport {
        var buffer = [UInt8](repeating: 0, count: PlatformOrder.certificateBytesMax)
        var length = UInt32(0)
        let number = device.number
        // SAFETY: the buffer outlives the call, and the kernel is told its size. `sev_user_data_pek_csr` and
        // `sev_user_data_get_id2` are one layout.
        let report = buffer.withUnsafeMutableBytes { bytes in
            var data = sev_user_data_get_id2(address: Self.address(bytes.baseAddress), length: UInt32(bytes.count))
            let report = issued(command, &data, number)
            length = data.length
            return report
        }
        guard report.outcome == .answered else { return PlatformReport(report) }
        guard let answer = prefix(buffer, length) else { return unexpected(report, wrongLength(command, length)) }
        return PlatformReport(report, .bytes(answer))
    }

    private func export(_ device: borrowing FileDescriptor) -> PlatformReport {
        var key = [UInt8](repeating: 0, count: PlatformOrder.certificateBytesMax)
        var chain = key
        var data = sev_user_data_pdh_cert_export()
        let number = device.number
        // SAFETY: both buffers outlive the call, and the kernel is told their sizes.
        let report = key.withUnsafeMutableBytes { key in
            chain.withUnsafeMutableBytes { chain in
                data.pdh_cert_address = Self.address(key.baseAddress)
                data.pdh_cert_len = UInt32(key.count)
                data.cert_chain_address = Self.address(chain.baseAddress)
                data.cert_chain_len = UInt32(chain.count)
                return issued(.exportDiffieHellmanKey, &data, number)
            }
        }
        guard report.outcome == .answered else { return PlatformReport(report) }
        guard let key = prefix(key, data.pdh_cert_len), let chain = prefix(chain, data.cert_chain_len) else {
            let longer = max(data.pdh_cert_len, data.cert_chain_len)
            return unexpected(report, wrongLength(.exportDiffieHellmanKey, longer))
        }
        return PlatformReport(report, .certificates(key: key, chain: chain))
    }

    private func configure(
        _ configuration: PlatformConfiguration, _ device: borrowing FileDescriptor
    ) -> PlatformReport {
        var data = sev_user_data_snp_config()
        data.reported_tcb = configuration.reportedTCB
        data.flags = (configuration.masksChipID ? 1 : 0) | (configuration.masksChipKey ? 2 : 0)
        return PlatformReport(issued(.configure, &data, device.number))
    }

    private func loadVLEK(
        _ version: UInt8, _ hashstick: [UInt8], _ device: borrowing FileDescriptor
    ) -> PlatformReport {
        let number = device.number
        // SAFETY: the kernel reads 432 bytes there, during the call; `mistake` has checked that there are as many.
        return hashstick.withUnsafeBytes { bytes in
            var data = sev_user_data_snp_vlek_load()
            data.len = UInt32(MemoryLayout<sev_user_data_snp_vlek_load>.size)
            data.vlek_wrapped_version = version
            data.vlek_wrapped_address = Self.address(bytes.baseAddress)
            return PlatformReport(issued(.loadVLEK, &data, number))
        }
    }

    private func importKey(
        _ key: [UInt8], _ authority: [UInt8], _ device: borrowing FileDescriptor
    ) -> PlatformReport {
        let number = device.number
        // SAFETY: the kernel reads as many bytes as it is told, during the call.
        return key.withUnsafeBytes { key in
            authority.withUnsafeBytes { authority in
                var data = sev_user_data_pek_cert_import(
                    pek_cert_address: Self.address(key.baseAddress), pek_cert_len: UInt32(key.count),
                    oca_cert_address: Self.address(authority.baseAddress), oca_cert_len: UInt32(authority.count))
                return PlatformReport(issued(.importPlatformKey, &data, number))
            }
        }
    }

    // MARK: Parts

    // SAFETY: only the kernel reads or writes there, during the call.
    private func issued(
        _ command: PlatformCommand, _ data: UnsafeMutableRawPointer?, _ number: Int32
    ) -> ProbeReport {
        var code: UInt32 = 0
        let begin = BootClock.now()
        let result = issue(number, command.rawValue, data, &code)
        return Verdict(
            path: path, command: command, errno: -result, firmwareCode: FirmwareCode(rawValue: code),
            duration: BootClock.now() - begin
        ).report
    }

    // SAFETY: as above.
    private func issued(
        _ command: PlatformCommand, _ data: UnsafeMutableRawPointer?, _ device: borrowing FileDescriptor
    ) -> ProbeReport {
        issued(command, data, device.number)
    }

    // SAFETY: a number for the kernel; nothing here follows it.
    private static func address(_ pointer: UnsafeRawPointer?) -> UInt64 { UInt64(UInt(bitPattern: pointer)) }

    /// As much as was said to be there; `nil` if that is nothing, or more than there is room for.
    private func prefix(_ buffer: [UInt8], _ length: UInt32) -> [UInt8]? {
        (1...buffer.count).contains(Int(length)) ? Array(buffer[..<Int(length)]) : nil
    }

    private func wrongLength(_ command: PlatformCommand, _ length: UInt32) -> String {
        "\(command.name) says that it gave \(length) bytes, of at most \(PlatformOrder.certificateBytesMax)"
    }

    private func unexpected(_ report: ProbeReport, _ what: String) -> PlatformReport {
        var report = report
        report.outcome = .unexpectedAnswer
        report.text = "\(path): \(what): kernel and firmware do not fit this version of spschedd"
        return PlatformReport(report)
    }

    // MARK: Whether to ask at all

    /// Where SNP is not in use, newer kernels initialise the whole platform for one status command and shut it down
    /// again, caches of every CPU written back: far more than a probe may cost.
    private func reasonNotToAsk() -> String? {
        guard let value = Self.firstByte(of: parameter) else {
            return
                "not asked, because kvm_amd is not loaded or knows no SNP (\(parameter) cannot be read). Load kvm_amd."
        }
        guard value == UInt8(ascii: "Y") || value == UInt8(ascii: "1") else {
            return """
                not asked, because SNP is off in kvm_amd (\(parameter)): a status command would initialise the \
                platform and shut it down again. Enable SEV-SNP in the machine's set-up and load kvm_amd with sev=1, \
                sev_es=1 and sev_snp=1.
                """
        }
        return nil
    }

    private static func firstByte(of path: String) -> UInt8? {
        guard let file = try? FileDescriptor.openReadOnly(path),
            let bytes = try? file.read(atMost: DeviceLimits.parameterBytes)
        else { return nil }
        return bytes.first
    }
}
