import Arbiter
import Glibc
import LinuxIO
import VMMProtocol

/// One client's connection: its socket, what may be said on it, and the replies that it has not taken yet.
final class Connection {
    let token: EventToken
    let peer: PeerIdentity
    let account: Account
    let socket: SeqpacketSocket
    let helloDue: Instant
    var machine = ConnectionStateMachine()
    /// What the client called itself in HELLO.
    var client = Name64.empty
    /// Set once: the connection is closed at the end of this turn of the loop, and until then left alone.
    private(set) var doom: DisconnectReason?
    var budget = UnearnedBudget(limit: DaemonLimits.unearnedMessages)
    /// Whether the service manager keeps it too.
    var isStored = false
    /// After a restart, until its client has said what it waits for and asked again.
    var resync: ConnectionResync?
    /// Whether it is waited for among those that are served first.
    var isPrompt = false
    private var outbox: Outbox?
    private var hasPassedDescriptor = false

    init(token: EventToken, socket: consuming SeqpacketSocket, peer: PeerIdentity, account: Account, helloDue: Instant)
    {
        self.token = token
        self.socket = socket
        self.peer = peer
        self.account = account
        self.helloDue = helloDue
    }

    /// False if it was doomed before.
    func doom(_ reason: DisconnectReason) -> Bool {
        guard doom == nil else { return false }
        doom = reason
        return true
    }

    /// How a log names the client.
    var name: String {
        let label = peer.label.isEmpty ? "" : ", label \(peer.label)"
        return (client.isEmpty ? "client" : "client \"\(client)\"") + " (uid \(peer.uid), pid \(peer.pid)\(label))"
    }
}

// MARK: - Sending

extension Connection {
    enum Delivery: Equatable {
        case sent
        /// It waits for the socket to become writable.
        case queued
        /// Nothing was sent: the kernel has too many descriptors of ours on their way.
        case notPassed
        case failed(DisconnectReason)
    }

    var hasUnsent: Bool { !(outbox?.isEmpty ?? true) }

    /// Sends a record, or keeps it if the kernel's queue is full.
    func deliver(_ record: borrowing Span<UInt8>) -> Delivery {
        if hasUnsent { return keep(record) }
        do {
            switch try socket.send(record.bytes) {
            case .sent: return .sent
            case .hungUp: return .failed(.hungUp)
            case .wouldBlock: return keep(record)
            }
        } catch {
            return .failed(.socketError("\(error)"))
        }
    }

    /// Sends a record with a descriptor. That happens at registration: a client whose queue is full by then reads
    /// nothing. Nor does it get a second while the first may lie unread: the kernel lets all clients together have only
    /// so many (unix(7), ETOOMANYREFS).
    func deliver(_ record: borrowing Span<UInt8>, passing descriptor: borrowing FileDescriptor) -> Delivery {
        guard !hasUnsent, !hasPassedDescriptor || socket.isReadOut() else { return .failed(.doesNotRead) }
        do {
            switch try socket.send(record.bytes, passing: descriptor) {
            case .sent:
                hasPassedDescriptor = true
                return .sent
            case .hungUp: return .failed(.hungUp)
            case .wouldBlock: return .failed(.doesNotRead)
            }
        } catch  where error.code == ETOOMANYREFS {
            return .notPassed
        } catch {
            return .failed(.socketError("\(error)"))
        }
    }

    /// Sends what was kept, as far as the kernel takes it. `scratch` has room for one record.
    func deliverUnsent(scratch: UnsafeMutableRawBufferPointer) -> Delivery {
        while let count = outbox?.copyFirst(to: scratch) {
            do {
                // SAFETY: `copyFirst` has written `count` bytes to the buffer, which nobody else uses meanwhile.
                switch try socket.send(UnsafeRawBufferPointer(rebasing: scratch[..<count]).bytes) {
                case .sent: outbox?.removeFirst()
                case .wouldBlock: return .queued
                case .hungUp: return .failed(.hungUp)
                }
            } catch {
                return .failed(.socketError("\(error)"))
            }
        }
        return .sent
    }

    private func keep(_ record: borrowing Span<UInt8>) -> Delivery {
        if outbox == nil { outbox = Outbox(bytes: DaemonLimits.outboxBytes) }
        return outbox?.append(record) == true ? .queued : .failed(.doesNotRead)
    }
}
