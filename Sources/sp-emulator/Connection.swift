import LinuxIO

/// One open of the device. Its socket closes when the last reference goes.
final class Connection {
    let socket: SeqpacketSocket
    let token: EventToken
    /// Who connected; the descriptor may be in another process's hands by now.
    let uid: UInt32
    /// For the trace.
    var label: String
    /// Whether a command is not answered yet.
    var hasCommand = false

    init(socket: consuming SeqpacketSocket, token: EventToken, uid: UInt32, label: String) {
        self.socket = socket
        self.token = token
        self.uid = uid
        self.label = label
    }

    /// What the model calls this connection.
    var origin: UInt64 { token.packed }
}
