import Glibc
import LinuxIO
import ManagerProtocol

/// One operator's connection: a stream of Varlink messages, read only as far as replies can be sent.
final class ManagerConnection {
    enum Outcome {
        case goesOn(Readiness)
        case ended
        /// It broke the protocol, in this way.
        case broken(String)
    }

    let peer: PeerIdentity
    private let descriptor: FileDescriptor
    private var dispatcher: ManagerDispatcher
    /// The kernel has said that something can be read or written.
    var isReady = false
    /// Replies are due, whatever the kernel says.
    private var isPending = false

    init(descriptor: consuming FileDescriptor, peer: PeerIdentity, version: String) {
        self.descriptor = descriptor
        self.peer = peer
        dispatcher = ManagerDispatcher(version: version)
    }

    var number: Int32 { descriptor.number }
    /// The platform command whose outcome it waits for. A copy: outcomes may come while the dispatcher is at work.
    private(set) var platformTicket: UInt64?
    /// The reload, likewise.
    private(set) var reloadTicket: UInt64?
    var isWatching: Bool { dispatcher.isWatching }
    var hasWork: Bool { isReady || isPending }

    /// Reads, answers and writes once, each within its bound.
    func step(_ daemon: Daemon) -> Outcome {
        isReady = false
        guard read() else { return .ended }
        let progress: ManagerDispatcher.Progress
        do {
            defer { (platformTicket, reloadTicket) = (dispatcher.platformTicket, dispatcher.reloadTicket) }
            progress = try dispatcher.answer(from: OperatorCalls(daemon: daemon, uid: peer.uid))
        } catch {
            _ = write()
            return .broken("\(error)")
        }
        guard write() else { return .ended }
        isPending = progress == .pending && dispatcher.output.isEmpty
        var interest: Readiness = []
        if dispatcher.room > 0 { interest.insert(.readable) }
        if !dispatcher.output.isEmpty { interest.insert(.writable) }
        return .goesOn(interest)
    }

    /// False: the peer is gone.
    private func read() -> Bool {
        let room = min(dispatcher.room, DaemonLimits.managerReadBytes)
        guard room > 0 else { return true }
        var isOpen = true
        let bytes = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            // SAFETY: recv(2) writes at most `room` bytes, and says how many; only those are the array's.
            let received = recv(number, buffer.baseAddress, room, Int32(MSG_DONTWAIT))
            count = max(received, 0)
            isOpen = received > 0 || (received < 0 && (errno == EAGAIN || errno == EINTR))
        }
        if !bytes.isEmpty { dispatcher.receive(bytes) }
        return isOpen
    }

    /// False: the peer is gone.
    private func write() -> Bool {
        guard !dispatcher.output.isEmpty else { return true }
        let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
        // SAFETY: the bytes are only read, during the call.
        let sent = dispatcher.output.withUnsafeBytes { Glibc.send(number, $0.baseAddress, $0.count, flags) }
        guard sent >= 0 else { return errno == EAGAIN || errno == EINTR }
        dispatcher.sent(sent)
        return true
    }
}
