import Arbiter
import Reporting

/// A VM that runs: who, and how long its launch took.
struct LaunchResult: Encodable, Equatable {
    let uuid: String
    let name: String
    /// In QEMU's or libvirt's words.
    let state: String
    /// False: spschedd was absent, and the VM was launched without a turn.
    let hadTurn: Bool
    let waitedNanoseconds: Int64
    let heldNanoseconds: Int64
    /// By the calendar, in nanoseconds since 1970: the turn, and when QEMU let the VM run (by its own clock).
    let grantedAt: Int64
    let resumedAt: Int64?
    let returnedAt: Int64

    init(
        _ identity: MachineIdentity, _ running: RunningMachine, waited: Nanoseconds, _ grant: ProxyGrant,
        _ returned: (at: Instant, on: Int64)
    ) {
        uuid = identity.uuid.text
        name = identity.name
        state = running.state
        hadTurn = !grant.isUnarbitrated
        waitedNanoseconds = waited.count
        heldNanoseconds = (returned.at - grant.grantedAt).count
        grantedAt = grant.grantedOn
        resumedAt = running.resumedAt
        returnedAt = returned.on
    }

    enum CodingKeys: String, CodingKey {
        case uuid, name, state
        case hadTurn = "turn"
        case waitedNanoseconds = "waited_ns"
        case heldNanoseconds = "held_ns"
        case grantedAt = "granted_unix_ns"
        case resumedAt = "resumed_unix_ns"
        case returnedAt = "returned_unix_ns"
    }

    var text: String {
        let held = Format.duration(nanoseconds: heldNanoseconds)
        guard hadTurn else { return "\(name) is \(state); launched without a turn, in \(held): spschedd is absent" }
        return "\(name) is \(state); it waited \(Format.duration(nanoseconds: waitedNanoseconds)) for its turn and "
            + "held it for \(held)"
    }
}
