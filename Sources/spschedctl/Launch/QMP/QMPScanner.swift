/// Splits the bytes of a QMP peer into JSON objects, one after the other, on one line or (`pretty=on`) on several.
struct QMPScanner {
    private var bytes: [UInt8] = []
    /// How many of them have been looked at.
    private var position = 0
    private var depth = 0
    private var isInText = false
    private var isAfterBackslash = false

    /// How many more bytes are taken before a message must have ended.
    var room: Int { LaunchLimits.messageBytes + 1 - bytes.count }

    mutating func append(_ more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }

    /// The next whole object, or `nil` while there is none.
    mutating func next() throws(MonitorFault) -> [UInt8]? {
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            guard try take(byte) else { continue }
            let object = Array(bytes[..<position])
            bytes.removeSubrange(..<position)
            position = 0
            return object
        }
        guard bytes.count <= LaunchLimits.messageBytes else {
            throw .messageTooLong(limit: LaunchLimits.messageBytes)
        }
        return nil
    }

    /// Whether an object ends with this byte.
    private mutating func take(_ byte: UInt8) throws(MonitorFault) -> Bool {
        if isInText {
            takeInText(byte)
            return false
        }
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard depth > 0 || byte == UInt8(ascii: "{") else { throw notAnObject(byte) }
            guard depth < LaunchLimits.messageDepth else { throw .garbage("it nests too deeply") }
            depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            guard depth > 0 else { throw notAnObject(byte) }
            depth -= 1
            return depth == 0
        case UInt8(ascii: "\""):
            guard depth > 0 else { throw notAnObject(byte) }
            isInText = true
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"):
            if depth == 0 { forgetBlank() }
        default:
            guard depth > 0 else { throw notAnObject(byte) }
        }
        return false
    }

    private mutating func takeInText(_ byte: UInt8) {
        if isAfterBackslash {
            isAfterBackslash = false
        } else if byte == UInt8(ascii: "\\") {
            isAfterBackslash = true
        } else if byte == UInt8(ascii: "\"") {
            isInText = false
        }
    }

    /// What stands between objects takes no room.
    private mutating func forgetBlank() {
        bytes.removeSubrange(..<position)
        position = 0
    }

    private func notAnObject(_ byte: UInt8) -> MonitorFault {
        let start = String(decoding: bytes.prefix(40), as: UTF8.self)
        return .garbage("a message begins with '{', not with \"\(String.foreign(start))\"")
    }
}
