extension String {
    /// What others have named, safe to print: nothing in it moves a cursor, hides, or turns the direction of what
    /// follows. Such characters appear as `\u{202e}`.
    var printable: String {
        unicodeScalars.reduce(into: "") { result, scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
    }

    /// Its beginning, with an ellipsis if something is left off.
    func cut(to width: Int) -> String { count <= width ? self : String(prefix(max(width - 1, 0))) + "…" }
}
