import Arbiter
import DeviceProtocol
import ManagerProtocol

/// Operators' platform commands, from the question to the outcome that its connection collects. Bounded by the
/// operators' connections, each of which has one at a time, and by those whose operators went away.
struct PlatformDesk {
    enum State: Equatable {
        /// Waits for its turn.
        case queued
        /// Issued. The turn is gone once its lease has ended.
        case issued(TurnID?)
        case ended(ManagedPlatformOutcome)
    }

    struct Entry {
        let order: PlatformOrder
        let uid: UInt32
        var state = State.queued
        /// Nobody waits for the outcome any more.
        var isAbandoned = false
    }

    private(set) var entries: [UInt64: Entry] = [:]
    private var lastTicket: UInt64 = 0

    mutating func open(_ order: PlatformOrder, uid: UInt32) -> UInt64 {
        lastTicket += 1
        entries[lastTicket] = Entry(order: order, uid: uid)
        return lastTicket
    }

    subscript(ticket: UInt64) -> Entry? {
        get { entries[ticket] }
        set { entries[ticket] = newValue }
    }

    /// The command that holds this turn.
    func ticket(holding turn: TurnID) -> UInt64? { entries.first { $0.value.state == .issued(turn) }?.key }

    /// Its outcome, which is given once.
    mutating func collect(_ ticket: UInt64) -> ManagedPlatformOutcome? {
        guard case .ended(let outcome) = entries[ticket]?.state else { return nil }
        entries[ticket] = nil
        return outcome
    }
}
