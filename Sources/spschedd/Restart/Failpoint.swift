import Glibc

/// For tests of restarts only: where the daemon kills itself, and at which pass. `SPSCHEDD_FAILPOINT=after-state:17` in
/// the environment does; nobody who cannot start the daemon can set it.
struct Failpoint {
    enum Place: String {
        /// A client's message was received, and nothing has come of it yet.
        case afterReceive = "after-receive"
        /// What came of it is in the state, and no reply was sent.
        case afterState = "after-state"
        /// A reply was sent.
        case afterSend = "after-send"
    }

    private let place: Place
    private var passesLeft: Int

    init(place: Place, pass: Int) {
        self.place = place
        passesLeft = pass
    }

    /// `nil` if the text names none.
    init?(_ text: String) {
        let parts = text.split(separator: ":")
        guard parts.count == 2, let place = Place(rawValue: String(parts[0])), let pass = Int(parts[1]), pass > 0
        else { return nil }
        self.init(place: place, pass: pass)
    }

    static func fromEnvironment() -> Failpoint? {
        getenv("SPSCHEDD_FAILPOINT").flatMap { Failpoint(String(cString: $0)) }
    }

    mutating func pass(_ place: Place) {
        guard place == self.place else { return }
        passesLeft -= 1
        if passesLeft == 0 { kill(getpid(), SIGKILL) }
    }
}
