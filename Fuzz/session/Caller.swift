import Arbiter
import FuzzPlay
import VMMProtocol

@testable import spschedd

/// A client and its connection in one.
final class Caller: Player {
    let origin: UInt64
    let account: AccountID
    let helloDue: Instant
    var book = Book()
    var machine = ConnectionStateMachine()
    /// What it has said and the daemon has not read.
    private var unread: [[UInt8]] = []
    private var read = 0
    /// The daemon closes it in this turn.
    var isDoomed = false
    /// The daemon has closed it.
    var isClosed = false

    init(origin: UInt64, account: AccountID, helloDue: Instant) {
        self.origin = origin
        self.account = account
        self.helloDue = helloDue
    }

    func transmit(_ record: [UInt8]) -> Bool {
        // The kernel takes no longer one, and the input has none.
        guard !isClosed, record.count <= ProtocolLimits.messageBytes else { return false }
        unread.append(record)
        return true
    }

    func nextRecord() -> [UInt8]? {
        guard read < unread.count else {
            unread.removeAll(keepingCapacity: true)
            read = 0
            return nil
        }
        read += 1
        return unread[read - 1]
    }
}
