extension String {
    /// A text that others chose, for a line of a terminal or of a log: what ends a line, is not seen, moves the cursor
    /// or turns the direction of what follows is written as an escape.
    public var inOneLine: String {
        guard unicodeScalars.contains(where: \.hidesOrMoves) else { return self }
        var scalars = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            if scalar.hidesOrMoves {
                scalars.append(contentsOf: scalar.escaped(asASCII: true).unicodeScalars)
            } else {
                scalars.append(scalar)
            }
        }
        return String(scalars)
    }
}

extension Unicode.Scalar {
    /// Control and format characters, and the separators of lines and paragraphs.
    fileprivate var hidesOrMoves: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}
