import Glibc

/// A system call that failed: which one, on what, and the kernel's error in words.
public struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The positive `errno`.
    public let code: Int32
    /// What was tried, as a verb phrase: "connect to".
    public let attempt: String
    /// The path or thing it was tried on; empty where there is nothing to name.
    public let subject: String

    public init(code: Int32, attempt: String, subject: String = "") {
        self.code = code
        self.attempt = attempt
        self.subject = subject
    }

    public var description: String {
        let target = subject.isEmpty ? "" : " \(subject)"
        return "could not \(attempt)\(target): \(Self.sentence(for: code))"
    }

    /// The C library's words for an `errno`, and its symbolic name.
    public static func sentence(for code: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 128)
        // SAFETY: the XSI strerror_r writes at most `count` bytes, NUL included, into a buffer of that size.
        let result = unsafe strerror_r(code, &buffer, buffer.count)
        let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return result == 0 && !text.isEmpty ? text : "error \(code)"
    }
}

/// Turns a shim's `-errno` into a thrown `SystemError`, and passes every other result on.
func check<Result: BinaryInteger>(
    _ result: Result, _ attempt: @autoclosure () -> String, _ subject: @autoclosure () -> String = ""
) throws(SystemError) -> Result {
    guard result < 0 else { return result }
    throw SystemError(code: Int32(truncatingIfNeeded: -Int64(result)), attempt: attempt(), subject: subject())
}
