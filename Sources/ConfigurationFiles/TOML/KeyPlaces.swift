/// On which line each key of a file stands, which the parser does not tell.
///
/// Read from a text that the parser has accepted. Of any other it says something, and ends.
struct KeyPlaces {
    /// A key, a section, or a member of a list.
    private struct Node {
        let line: Int
        var children: [String: Int] = [:]
        var members: [Int] = []
    }

    /// The first is the whole file.
    private var nodes = [Node(line: 1)]

    static let file = 0

    init(_ text: String) {
        var reader = KeyPlacesReader(text)
        reader.read(into: &self)
    }

    func line(of node: Int?) -> Int? { node.map { nodes[$0].line } }
    func child(of node: Int?, _ name: String) -> Int? { node.flatMap { nodes[$0].children[name] } }

    func member(of node: Int?, _ index: Int) -> Int? {
        node.flatMap { nodes[$0].members.indices.contains(index) ? nodes[$0].members[index] : nil }
    }

    // MARK: Building

    /// A key in a section, which is made if it is not there. In a list of sections it belongs to the last.
    fileprivate mutating func entered(_ name: String, in parent: Int, line: Int) -> Int {
        let parent = nodes[parent].members.last ?? parent
        if let node = nodes[parent].children[name] { return node }
        let node = made(line)
        nodes[parent].children[name] = node
        return node
    }

    fileprivate mutating func newMember(of list: Int, line: Int) -> Int {
        let node = made(line)
        nodes[list].members.append(node)
        return node
    }

    private mutating func made(_ line: Int) -> Int {
        nodes.append(Node(line: line))
        return nodes.count - 1
    }
}

/// Calls itself for values in values; `Nesting` has looked how deep they are.
private struct KeyPlacesReader {
    private var scanner: TOMLScanner

    init(_ text: String) { scanner = TOMLScanner(text) }

    mutating func read(into places: inout KeyPlaces) {
        if scanner.bytes.starts(with: SectionLines.byteOrderMark) {
            for _ in SectionLines.byteOrderMark { scanner.advance() }
        }
        var section = KeyPlaces.file
        while true {
            skipSpace()
            guard let byte = scanner.current else { return }
            if byte == UInt8(ascii: "[") {
                section = header(&places)
            } else {
                assignment(in: section, &places)
            }
        }
    }

    /// `[a.b]` or `[[a.b]]`: the section that follows.
    private mutating func header(_ places: inout KeyPlaces) -> Int {
        let line = scanner.line
        scanner.advance()
        let isList = scanner.current == UInt8(ascii: "[")
        if isList { scanner.advance() }
        var section = KeyPlaces.file
        for part in key() { section = places.entered(part, in: section, line: line) }
        scanner.skip { $0 == UInt8(ascii: "]") || TOMLScanner.isBlank($0) }
        return isList ? places.newMember(of: section, line: line) : section
    }

    /// `key = value`. Passes at least one byte.
    private mutating func assignment(in section: Int, _ places: inout KeyPlaces) {
        let line = scanner.line
        let parts = key()
        guard !parts.isEmpty, scanner.current == UInt8(ascii: "=") else { return scanner.advance() }
        scanner.advance()
        var node = section
        for part in parts { node = places.entered(part, in: node, line: line) }
        value(of: node, &places)
    }

    private mutating func value(of node: Int, _ places: inout KeyPlaces) {
        skipSpace()
        switch scanner.current {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): scanner.skipText()
        case UInt8(ascii: "["): list(of: node, &places)
        case UInt8(ascii: "{"): inlineSection(node, &places)
        default: scanner.skip { !Self.endsValue($0) }
        }
    }

    private mutating func list(of node: Int, _ places: inout KeyPlaces) {
        scanner.advance()
        while true {
            skipSpace()
            guard let byte = scanner.current else { return }
            switch byte {
            case UInt8(ascii: "]"): return scanner.advance()
            case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "\r"): scanner.advance()
            default: value(of: places.newMember(of: node, line: scanner.line), &places)
            }
        }
    }

    private mutating func inlineSection(_ node: Int, _ places: inout KeyPlaces) {
        scanner.advance()
        while true {
            skipSpace()
            guard let byte = scanner.current else { return }
            switch byte {
            case UInt8(ascii: "}"): return scanner.advance()
            case UInt8(ascii: ","): scanner.advance()
            default: assignment(in: node, &places)
            }
        }
    }

    /// The parts of a key that begins here, without their quotes.
    private mutating func key() -> [String] {
        var parts: [String] = []
        repeat {
            if !parts.isEmpty { scanner.advance() }
            scanner.skip(while: TOMLScanner.isBlank)
            guard let part = keyPart() else { return parts }
            parts.append(part)
            scanner.skip(while: TOMLScanner.isBlank)
        } while scanner.current == UInt8(ascii: ".")
        return parts
    }

    private mutating func keyPart() -> String? {
        guard let byte = scanner.current else { return nil }
        if TOMLScanner.isQuote(byte) {
            let content = scanner.bytes[scanner.skipText().content]
            let text = String(decoding: content, as: UTF8.self)
            return byte == UInt8(ascii: "\"") ? Self.withoutEscapes(text) : text
        }
        let start = scanner.index
        scanner.skip(while: TOMLScanner.isBareKey)
        return start < scanner.index ? String(decoding: scanner.bytes[start..<scanner.index], as: UTF8.self) : nil
    }

    private mutating func skipSpace() {
        while let byte = scanner.current {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"): scanner.advance()
            case UInt8(ascii: "#"): scanner.skipComment()
            default: return
            }
        }
    }

    private static func endsValue(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: "#"), UInt8(ascii: "\n"): true
        default: false
        }
    }

    /// What a text between `"` means.
    private static func withoutEscapes(_ text: String) -> String {
        var meant = String.UnicodeScalarView()
        var rest = text.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            guard scalar == "\\", let escape = rest.popFirst() else {
                meant.append(scalar)
                continue
            }
            let digits = escape == "u" ? 4 : escape == "U" ? 8 : 0
            if digits > 0 {
                let code = UInt32(String(String.UnicodeScalarView(rest.prefix(digits))), radix: 16)
                if let scalar = code.flatMap(Unicode.Scalar.init) { meant.append(scalar) }
                rest = rest.dropFirst(digits)
            } else {
                meant.append(shortEscapes[escape] ?? escape)
            }
        }
        return String(meant)
    }

    private static let shortEscapes: [Unicode.Scalar: Unicode.Scalar] = [
        "b": "\u{8}", "t": "\t", "n": "\n", "f": "\u{C}", "r": "\r", "e": "\u{1B}",
    ]
}
