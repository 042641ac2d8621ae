import Arbiter

/// A fault put into the Arbiter's behaviour on purpose, to see that the checker speaks.
public enum Mutation: String, Sendable, CaseIterable {
    case dropsAReply
    case repliesTwice
    case grantsTwice
    case grantsToTheGone
    case forgetsToWake
    case idles
    case ignoresTheFloor
    case ignoresTheHold
    case promisesTooMuch
    case ignoresTheClientsMaxWait

    /// What the checker is expected to call it.
    public var caughtBy: Set<Rule> {
        switch self {
        case .dropsAReply: [.oneReply, .timeOut, .workConserving]
        case .repliesTwice: [.oneReply]
        case .grantsTwice: [.oneTurn, .oneReply]
        case .grantsToTheGone: [.soundGrant, .oneReply]
        case .forgetsToWake: [.wake, .timeOut, .workConserving]
        case .idles: [.workConserving]
        case .ignoresTheFloor: [.floor, .patience]
        case .ignoresTheHold: [.hold, .launchBound]
        case .promisesTooMuch: [.admission]
        case .ignoresTheClientsMaxWait: [.timeOut, .wake]
        }
    }

    /// The configuration that the mutated Arbiter works by; the checker goes by the original.
    func applied(to configuration: Configuration) -> Configuration {
        var mutated = configuration
        switch self {
        case .ignoresTheFloor: mutated.floorShare = Share(perMille: max(configuration.floorShare.perMille / 10, 1))
        case .ignoresTheHold: mutated.hold = .zero
        case .promisesTooMuch: mutated.capacityPerSecond = configuration.capacityPerSecond * 4
        default: break
        }
        return mutated
    }
}
