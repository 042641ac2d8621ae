import FoundationEssentials
import ManagerProtocol

/// One message of a QMP peer (<https://www.qemu.org/docs/master/interop/qmp-spec.html>).
enum QMPMessage: Equatable {
    case greeting
    case result(id: JSONValue?, JSONValue)
    case failure(id: JSONValue?, text: String)
    case event(QMPEvent)

    init(_ bytes: [UInt8]) throws(MonitorFault) {
        let whole: JSONValue
        do {
            whole = try JSONDecoder().decode(JSONValue.self, from: Data(bytes))
        } catch {
            throw .garbage("a message is not JSON")
        }
        guard case .object(let members) = whole else { throw .garbage("a message is not an object") }
        try self.init(members)
    }

    private init(_ members: [String: JSONValue]) throws(MonitorFault) {
        if let value = members["return"] {
            self = .result(id: members["id"], value)
        } else if let error = members["error"] {
            guard case .string(let text)? = error["desc"] else { throw .garbage("an error has no 'desc'") }
            self = .failure(id: members["id"], text: String.foreign(text))
        } else if let name = members["event"] {
            guard case .string(let name) = name else { throw .garbage("an event has no name") }
            self = .event(QMPEvent(name: name, at: members["timestamp"]))
        } else if members["QMP"]?["capabilities"] != nil {
            self = .greeting
        } else {
            let keys = members.keys.sorted().prefix(4).joined(separator: ", ")
            throw .garbage("a message has none of QMP, return, error and event, but \(String.foreign("'\(keys)'"))")
        }
    }
}

/// Something that happened to the VM.
struct QMPEvent: Equatable {
    let name: String
    /// By QEMU's clock: nanoseconds since 1970; `nil` if it does not say.
    let happenedAt: Int64?

    init(name: String, at time: JSONValue?) {
        self.name = name
        guard case .integer(let seconds)? = time?["seconds"], case .integer(let micros)? = time?["microseconds"],
            (0...4_000_000_000).contains(seconds), (0..<1_000_000).contains(micros)
        else {
            happenedAt = nil
            return
        }
        happenedAt = seconds * 1_000_000_000 + micros * 1_000
    }
}

extension JSONValue {
    /// A member of an object.
    subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members[name]
    }
}
