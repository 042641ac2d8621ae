extension String {
    /// Each line broken between words, so that none is longer than `width` unless one word is.
    public func wrapped(at width: Int) -> String {
        split(separator: "\n", omittingEmptySubsequences: false).map { line in
            var lines: [String] = []
            for word in line.split(separator: " ") {
                if let last = lines.last, last.count + 1 + word.count <= width {
                    lines[lines.count - 1] += " \(word)"
                } else {
                    lines.append(String(word))
                }
            }
            return lines.joined(separator: "\n")
        }.joined(separator: "\n")
    }

    public func paddedRight(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
    public func paddedLeft(to width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }

    func trimmingSpacesAtEnd() -> String {
        String(self[..<(lastIndex { $0 != " " }.map { index(after: $0) } ?? startIndex)])
    }
}
