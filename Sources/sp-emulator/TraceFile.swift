import Arbiter
import Glibc
import LinuxIO
import SPModel

/// The CSV file of who held the SP: `label,kind,start_ns,end_ns,units`, one row for each contiguous run of commands.
struct TraceFile: ~Copyable {
    private let file: FileDescriptor
    private var buffer: [UInt8]
    private var rowsLeft = EmulatorLimits.traceRows
    private var isBroken = false

    /// Creates the file, or empties it. Errors: as `creat`.
    init(path: String) throws(SystemError) {
        let number = creat(path, 0o644)
        guard number >= 0 else { throw SystemError(code: errno, attempt: "create trace", subject: path) }
        file = FileDescriptor(adopting: number)
        buffer = Array("label,kind,start_ns,end_ns,units\n".utf8)
    }

    mutating func append(_ run: SecureProcessor.Run, label: String) {
        guard rowsLeft > 0, !isBroken else { return }
        rowsLeft -= 1
        if rowsLeft == 0 { Announcement.note("the trace is full; what follows is not recorded") }
        buffer +=
            "\(label),\(run.kind),\(run.start.sinceBoot.count),\(run.end.sinceBoot.count),\(run.commands)\n".utf8
        if buffer.count >= EmulatorLimits.traceBufferBytes { flush() }
    }

    /// Writes out what has gathered. A disk that is full ends the trace, not the emulator.
    mutating func flush() {
        var rest = buffer[...]
        while !rest.isEmpty, !isBroken {
            // SAFETY: the bytes are only read, during the call.
            let written = rest.withUnsafeBytes { write(file.number, $0.baseAddress, $0.count) }
            if written >= 0 {
                rest = rest.dropFirst(written)
            } else if errno != EINTR {
                Announcement.note("the trace ends here: \(SystemError(code: errno, attempt: "write it"))")
                isBroken = true
            }
        }
        buffer.removeAll(keepingCapacity: true)
    }

    /// A label as one CSV field: what would end the field or the row becomes an underscore.
    static func field(_ label: String) -> String {
        String(label.unicodeScalars.map { $0 == "," || $0 == "\"" || $0.value < 0x20 ? "_" : Character($0) })
    }
}
