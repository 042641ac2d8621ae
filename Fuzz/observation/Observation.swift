import FuzzSupport

@testable import KVMTrace

/// Goal: whatever a trace holds is read within bounds, and the same in whatever pieces it comes. Method: every input is
/// the text of a trace, read once as a whole and once in pieces whose length its first byte says.
@c public func LLVMFuzzerTestOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    // SAFETY: libFuzzer lends `count` bytes for the call, and a pointer that may be nil when there are none.
    let input = Array(UnsafeBufferPointer(start: bytes, count: count))
    let (whole, lines) = read(input, pieces: max(1, input.count))
    let (inPieces, sameLines) = read(input, pieces: Int(input.first ?? 0) % 7 + 1)
    expect(lines == sameLines, "the pieces make other lines")
    let counted = whole.entries
    expect(counted == inPieces.entries && whole.lost == inPieces.lost, "the pieces make other counts")
    expect(whole.count <= ObservationLimits.processes, "\(whole.count) processes")
    for entry in counted {
        expect(entry.process > 0 && entry.plain + entry.extended > 0, "an entry that says nothing: \(entry)")
        expect(entry.plain + entry.extended <= Int64(lines.count), "more requests than lines")
        expect(entry.name.utf8.count <= ObservationLimits.nameBytes, "a long name: \(entry.name.debugDescription)")
        expect(
            !entry.name.unicodeScalars.contains { $0.properties.generalCategory == .control },
            "a name that writes control characters to the terminal: \(entry.name.debugDescription)")
    }
    return 0
}

private func read(_ input: [UInt8], pieces: Int) -> (RequestTally, [TraceLine]) {
    var text = TraceText()
    var tally = RequestTally()
    var lines: [TraceLine] = []
    for begin in stride(from: 0, to: input.count, by: pieces) {
        text.append(input[begin..<min(begin + pieces, input.count)]) { line in
            lines.append(line)
            tally.note(line)
        }
    }
    return (tally, lines)
}

extension RequestTally {
    fileprivate var entries: [Entry] {
        var copy = self
        return copy.takeRecent(remembered: .max)
    }
}
