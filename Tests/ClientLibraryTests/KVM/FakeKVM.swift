import CSEV
import CSpschedTesting
import Foundation

/// KVM as the helpers see it: answers launch ioctls as its test wants, and remembers them.
final class FakeKVM: @unchecked Sendable {
    struct Call: Equatable, CustomStringConvertible {
        var id: UInt32
        var frame: UInt64 = 0
        var address: UInt64 = 0
        var length: UInt64 = 0

        var description: String { "\(id): \(length) bytes of \(address) at frame \(frame)" }
    }

    enum Answer {
        case done
        /// Only so many pages of the chunk.
        case pages(UInt64)
        case fails(Int32, firmware: UInt32 = 0)
        /// A length that grows, which no kernel says.
        case lies
    }

    // SAFETY: read and written under the lock; ioctls of one VM are issued one at a time.
    private let lock = NSLock()
    private var issued: [Call] = []
    private var answers: [Answer]
    private(set) var handle: OpaquePointer!
    private let client: Client
    var whileIssuing: (@Sendable () -> Void)?

    /// - Parameter answers: to the first ioctls, in their order; all others are `done`.
    init(
        _ client: Client, _ answers: [Answer] = [], configure: (inout spsched_kvm_options) -> Void = { _ in }
    ) throws {
        self.client = client
        self.answers = answers
        var options = spsched_kvm_options()
        spsched_kvm_options_init(&options, MemoryLayout<spsched_kvm_options>.size)
        options.pages = 100
        options.vcpus = 2
        options.issue = { context, _, request, argument in
            guard request == UInt(CSEV_KVM_MEMORY_ENCRYPT_OP) else { return -ENOTTY }
            return Unmanaged<FakeKVM>.fromOpaque(context!).takeUnretainedValue().issue(argument)
        }
        options.issue_context = Unmanaged.passUnretained(self).toOpaque()
        configure(&options)
        guard spsched_kvm_open(client.handle, &options, &handle) == SPSCHED_OK else { throw Failure("cannot open") }
    }

    deinit { spsched_kvm_close(handle) }

    var calls: [Call] {
        lock.lock()
        defer { lock.unlock() }
        return issued
    }

    var isInLaunch: Bool { spsched_kvm_in_launch(handle) != 0 }

    private func issue(_ argument: UnsafeMutableRawPointer?) -> Int32 {
        whileIssuing?()
        guard let command = argument?.assumingMemoryBound(to: csev_kvm_cmd.self) else { return -EFAULT }
        lock.lock()
        defer { lock.unlock() }
        let answer = answers.isEmpty ? .done : answers.removeFirst()
        let data = UnsafeMutableRawPointer(bitPattern: UInt(command.pointee.data))
        var call = Call(id: command.pointee.id)
        defer { issued.append(call) }
        if call.id == CSEV_KVM_SEV_SNP_LAUNCH_UPDATE.rawValue {
            let update = data!.assumingMemoryBound(to: csev_kvm_snp_launch_update.self)
            (call.frame, call.address, call.length) =
                (update.pointee.gfn_start, update.pointee.uaddr, update.pointee.len)
        } else if call.id == CSEV_KVM_SEV_LAUNCH_UPDATE_DATA.rawValue {
            let update = data!.assumingMemoryBound(to: csev_kvm_launch_update_data.self)
            (call.address, call.length) = (update.pointee.uaddr, UInt64(update.pointee.len))
        }
        return apply(answer, to: command, call, data)
    }

    private func apply(
        _ answer: Answer, to command: UnsafeMutablePointer<csev_kvm_cmd>, _ call: Call, _ data: UnsafeMutableRawPointer?
    ) -> Int32 {
        var pages = call.length / 4_096
        switch answer {
        case .fails(let error, let firmware):
            if firmware != 0 { command.pointee.error = firmware }
            return -error
        case .lies:
            data!.assumingMemoryBound(to: csev_kvm_snp_launch_update.self).pointee.len += 1 << 40
            return 0
        case .pages(let some): pages = some
        case .done: break
        }
        guard call.id == CSEV_KVM_SEV_SNP_LAUNCH_UPDATE.rawValue else { return 0 }
        let update = data!.assumingMemoryBound(to: csev_kvm_snp_launch_update.self)
        update.pointee.gfn_start += pages
        update.pointee.len -= pages * 4_096
        if UInt32(update.pointee.type) != CSEV_KVM_SNP_PAGE_TYPE_ZERO.rawValue { update.pointee.uaddr += pages * 4_096 }
        return 0
    }

    // MARK: What a VMM does

    /// The ioctl's result and the firmware's code.
    typealias Outcome = (result: Int32, code: UInt32)

    func start() -> Outcome { command(CSEV_KVM_SEV_SNP_LAUNCH_START) }
    func finish() -> Outcome { command(CSEV_KVM_SEV_SNP_LAUNCH_FINISH) }

    func command(_ id: csev_kvm_command) -> Outcome {
        var data = [UInt8](repeating: 0, count: 128)
        return data.withUnsafeMutableBytes { run(id, data: UInt64(UInt(bitPattern: $0.baseAddress!))) }
    }

    func update(_ update: inout csev_kvm_snp_launch_update) -> Outcome {
        withUnsafeMutablePointer(to: &update) {
            run(CSEV_KVM_SEV_SNP_LAUNCH_UPDATE, data: UInt64(UInt(bitPattern: $0)))
        }
    }

    func updateData(_ update: inout csev_kvm_launch_update_data) -> Outcome {
        withUnsafeMutablePointer(to: &update) {
            run(CSEV_KVM_SEV_LAUNCH_UPDATE_DATA, data: UInt64(UInt(bitPattern: $0)))
        }
    }

    func run(_ id: csev_kvm_command, data: UInt64, error: UInt32 = 0) -> Outcome {
        var command = csev_kvm_cmd()
        command.id = id.rawValue
        command.data = data
        command.error = error
        let result = withUnsafeMutablePointer(to: &command) {
            spsched_kvm_encrypt_op(handle, 7, OpaquePointer($0))
        }
        return (result, command.error)
    }
}

extension csev_kvm_snp_launch_update {
    init(pages: UInt64, type: csev_kvm_page_type = CSEV_KVM_SNP_PAGE_TYPE_NORMAL) {
        self.init()
        gfn_start = 0x100
        uaddr = 0x7000_0000
        len = pages * 4_096
        self.type = UInt8(type.rawValue)
    }
}
