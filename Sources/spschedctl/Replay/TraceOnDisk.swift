import Glibc
import LinuxIO
import TraceFormat

/// A trace in a file, of which only what is asked for is read.
final class TraceOnDisk: TraceSource {
    private let file: FileDescriptor
    /// The file's first bytes.
    let beginning: [UInt8]
    let count: Int

    /// Errors: as `open`, and EISDIR or ESPIPE for what is no regular file.
    init(_ path: String) throws(SystemError) {
        file = try FileDescriptor.openReadOnly(path)
        switch try file.kind() {
        case .regular: break
        case .directory: throw SystemError(code: EISDIR, attempt: "read", subject: path)
        default: throw SystemError(code: ESPIPE, attempt: "read", subject: path)
        }
        let bytes = min(try file.length(), ReplayLimits.fileBytes)
        beginning = try file.read(atMost: min(bytes, TraceFile.magicBytes))
        count = bytes / 8
    }

    func words(_ range: Range<Int>) throws(TraceProblem) -> [UInt64] {
        let words: [UInt64]
        do throws(SystemError) { words = try file.words(from: range.lowerBound, count: range.count) } catch {
            throw TraceProblem(word: range.lowerBound, "it could not be read: \(SystemError.sentence(for: error.code))")
        }
        guard words.count == range.count else {
            throw TraceProblem(
                word: range.lowerBound + words.count, "it ends here now: it became shorter while it was read")
        }
        return words
    }
}
