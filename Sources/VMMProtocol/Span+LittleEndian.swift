extension Span where Element == UInt8 {
    /// The little-endian integer that begins at `offset`, at any alignment. Traps outside the span.
    @inline(__always)
    func integer<Integer: FixedWidthInteger & UnsignedInteger>(
        at offset: Int, as type: Integer.Type = Integer.self
    ) -> Integer {
        // One check for the whole field, not one for each byte.
        let field = extracting(offset..<offset + MemoryLayout<Integer>.size)
        var value: Integer = 0
        for index in field.indices {
            value |= Integer(field[index]) &<< Integer(truncatingIfNeeded: index &* 8)
        }
        return value
    }
}

extension MutableSpan where Element == UInt8 {
    /// Writes the integer little-endian from `offset` on, at any alignment. Traps outside the span.
    @inline(__always)
    mutating func put<Integer: FixedWidthInteger & UnsignedInteger>(_ value: Integer, at offset: Int) {
        for index in 0..<MemoryLayout<Integer>.size {
            self[offset + index] = UInt8(truncatingIfNeeded: value &>> Integer(truncatingIfNeeded: index &* 8))
        }
    }

    /// Writes the UTF-8 bytes from `offset` on. Traps outside the span.
    mutating func put(_ bytes: some Sequence<UInt8>, at offset: Int) {
        var position = offset
        for byte in bytes {
            self[position] = byte
            position += 1
        }
    }
}
