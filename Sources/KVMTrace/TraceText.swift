/// Splits the text of a `trace_pipe` into lines, in whatever pieces it comes. Of a line that is too long the beginning
/// is kept: none of the kernel's is.
public struct TraceText: Sendable {
    private var line: [UInt8] = []

    public init() {}

    /// Calls `body` for each line that `bytes` completes.
    public mutating func append(_ bytes: some Sequence<UInt8>, _ body: (TraceLine) -> Void) {
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                body(TraceLine(line))
                line.removeAll(keepingCapacity: true)
            } else if line.count < ObservationLimits.lineBytes {
                line.append(byte)
            }
        }
    }
}
