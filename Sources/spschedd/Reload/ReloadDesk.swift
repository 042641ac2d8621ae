import ConfigurationFiles
import ManagerProtocol

/// Who asked for a reload, and what came of it.
///
/// Whoever asks while the files are being read may have changed them since: it is answered by the reading after.
struct ReloadDesk {
    private var lastTicket: UInt64 = 0
    /// Of operators' calls that the reading under way will answer; `nil`: none is under way.
    private var answered: [UInt64]?
    private var waiting: [UInt64] = []
    private var isWanted = false
    private var outcomes: [UInt64: ManagedReloadOutcome] = [:]
    /// What the operators' status tells.
    private(set) var state = ManagedConfiguration()

    /// Somebody asks: whether to begin to read now. The ticket is for `collect`; a signal needs none.
    mutating func ask(withTicket needsTicket: Bool = true) -> (ticket: UInt64, begins: Bool) {
        lastTicket += 1
        if needsTicket { waiting.append(lastTicket) }
        isWanted = true
        return (lastTicket, answered == nil)
    }

    /// Reading begins.
    mutating func begin() {
        answered = waiting
        waiting = []
        isWanted = false
    }

    /// Reading has ended: whether somebody has asked meanwhile.
    mutating func end(_ outcome: ManagedReloadOutcome) -> Bool {
        for ticket in answered ?? [] { outcomes[ticket] = outcome }
        answered = nil
        return isWanted
    }

    /// The outcome, once.
    mutating func collect(_ ticket: UInt64) -> ManagedReloadOutcome? { outcomes.removeValue(forKey: ticket) }

    /// Its caller is gone.
    mutating func abandon(_ ticket: UInt64) {
        outcomes[ticket] = nil
        answered?.removeAll { $0 == ticket }
        waiting.removeAll { $0 == ticket }
    }

    // MARK: For the status

    mutating func started(_ files: [String]) { state.files = files }

    mutating func applied(_ files: [String], restartNeeded: [String]) {
        state = ManagedConfiguration(files: files, reloads: state.reloads + 1, restartNeeded: restartNeeded)
    }

    mutating func failed(_ reason: String) { state.failure = reason }
}
