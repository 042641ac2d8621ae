import Arbiter
import ConfigurationFiles
import LinuxIO
import TraceFormat

/// Writes the trace: a mapped file, the places in it, and the names of the VMs. The loop's thread only.
///
/// A call costs some stores into memory. Nothing is allocated and the kernel is not asked, but when a segment begins.
final class TraceRecorder {
    let path: String
    private let file: MappedFile
    // SAFETY: the file's mapping, which lives as long as this object.
    private let words: UnsafeMutableBufferPointer<UInt64>
    private var ring: TraceRing
    private var isStopped = false
    /// The Arbiter's state, before it is written. Its room is kept.
    private var state: [UInt64] = []
    private var names: [VMID: [UInt8]] = [:]
    /// Why it stopped, until somebody has been told.
    private var untoldProblem: String?

    /// - Parameter vms: the most VMs there may be.
    init(_ settings: TraceSettings, vms: Int64, _ origin: TraceOrigin) throws(TraceRecorderProblem) {
        path = settings.file ?? ""
        let shape = TraceShape(bytes: Int(settings.sizeMebibytes) << 20)
        let needed = Int(vms) * TraceRecorderLimits.stateBytesPerVM * 2 * shape.segments
        guard needed <= shape.bytes else { throw .tooSmall(mebibytes: needed >> 20 + 1, vms: vms) }
        try Self.setAside(path)
        do { file = try MappedFile(creating: path, count: shape.bytes) } catch { throw .system(error) }
        words = file.words
        ring = TraceRing(shape)
        state.reserveCapacity(Int(vms) * TraceRecorderLimits.stateBytesPerVM / 8)
        // SAFETY: nothing else reads or writes the mapping during the call.
        var span = words.mutableSpan
        ring.begin(origin, into: &span)
    }

    /// The trace of the daemon before, which may have ended badly, is kept as `.previous`.
    private static func setAside(_ path: String) throws(TraceRecorderProblem) {
        do {
            let kind = try FileKind.ofPath(path)
            guard kind == .regular else { throw TraceRecorderProblem.notATrace(path: path) }
            let file = try FileDescriptor.openReadOnly(path)
            guard try TraceFile.isOurs(file.read(atMost: TraceFile.magicBytes)) else {
                throw TraceRecorderProblem.notATrace(path: path)
            }
            guard file.isAbandoned() else { throw TraceRecorderProblem.inUse(path: path) }
            try FilePath.rename(path, to: path + ".previous")
        } catch let problem as TraceRecorderProblem {
            throw problem
        } catch let error as SystemError {
            guard error.isAbsence else { throw .system(error) }
        } catch { preconditionFailure("only these are thrown") }
    }

    var isInMemory: Bool { file.isInMemory }

    // MARK: Segments

    @inline(__always)
    var needsSegment: Bool { ring.needsSegment && !isStopped }

    @inline(__always)
    var wantsSegment: Bool { ring.wantsSegment && !isStopped }

    /// Begins a segment with the Arbiter as it is now.
    @inline(never)
    func beginSegment(_ arbiter: borrowing Arbiter, at now: Instant) {
        guard !isStopped else { return }
        state.removeAll(keepingCapacity: true)
        arbiter.save(into: &state)
        // SAFETY: nothing else reads or writes the mapping during the call.
        var span = words.mutableSpan
        guard ring.beginSegment(state: state, names: names.count, into: &span) else {
            isStopped = true
            untoldProblem =
                "The trace has ended: the state of the VMs there are takes \(state.count * 8 >> 10) KiB, more than half"
                + " of one of its four segments. Raise trace.size_mib"
            return
        }
        for (vm, name) in names { ring.name(vm, name, into: &span) }
        ring.openSegment(at: now, sinceEpoch: CalendarClock.now(), into: &span)
    }

    /// Why nothing is recorded any more; `nil` if it is, or if this was told before.
    func takeProblem() -> String? {
        defer { untoldProblem = nil }
        return untoldProblem
    }

    // MARK: Records

    @inline(__always)
    func record(
        _ call: ArbiterCall, _ outcome: CallOutcome, _ decisions: [Decision], from first: Int, at now: Instant
    ) {
        guard !isStopped else { return }
        // SAFETY: nothing else reads or writes the mapping during the call.
        var span = words.mutableSpan
        ring.record(call, outcome, decisions, from: first, at: now, into: &span)
        // The ring is larger than the caches: the next record's lines come while the answer is sent.
        file.expectWriting(fromWord: ring.nextPosition, bytes: TraceRecorderLimits.bytesExpected)
    }

    /// What a VM is called that was there before the first record.
    func learn(_ vm: VMID, _ name: String) { names[vm] = Array(name.utf8) }

    func name(_ vm: VMID, _ name: String) {
        learn(vm, name)
        guard !isStopped, let bytes = names[vm] else { return }
        // SAFETY: nothing else reads or writes the mapping during the call.
        var span = words.mutableSpan
        ring.name(vm, bytes, into: &span)
    }

    func forget(_ vm: VMID) { names[vm] = nil }
}

enum TraceRecorderLimits {
    /// What one VM takes in a saved state at most: its own fields, a launch, a hundred gaps, its places in every queue.
    static let stateBytesPerVM = 1_280
    /// Of one record: a release, the request that came with it, and a grant.
    static let bytesExpected = 256
}

/// Why nothing can be recorded.
enum TraceRecorderProblem: Error, Equatable, CustomStringConvertible {
    case notATrace(path: String)
    case inUse(path: String)
    case tooSmall(mebibytes: Int, vms: Int64)
    case system(SystemError)

    var description: String {
        switch self {
        case .notATrace(let path):
            "trace.file: \(path) exists and is no trace; it is left alone. Choose another name, or remove it"
        case .inUse(let path): "trace.file: another daemon writes to \(path). Choose another name, or stop that one"
        case .tooSmall(let mebibytes, let vms):
            "trace.size_mib: with clients.vms_max at \(vms) a trace needs at least \(mebibytes). Raise it, or lower that"
        case .system(let error): "trace.file: \(error)"
        }
    }
}
