import Arbiter
import SPModel

extension ServiceTimes {
    func draw(_ kind: CommandKind, units: UInt32, _ planning: PlanningCosts, _ random: inout SplitMix64) -> Nanoseconds
    {
        switch self {
        case .profile(let profile): Self.draw(kind, Int64(units), profile, &random)
        case .ofPlanning(let range):
            Nanoseconds(max(planning.cost(kind, units: units).count / 1_000 * random.draw(range), 1))
        }
    }

    private static func draw(
        _ kind: CommandKind, _ units: Int64, _ profile: Profile, _ random: inout SplitMix64
    ) -> Nanoseconds {
        let between = profile.gaps.betweenPages
        switch kind {
        case .launchStart:
            return profile.service(of: .guestContextCreate, using: &random)
                + profile.service(of: .launchStart, using: &random) + profile.service(of: .activate, using: &random)
        case .launchUpdate: return (profile.service(of: .launchUpdateNormal, using: &random) + between) * units
        case .legacyLaunch: return profile.service(of: .legacyLaunchUpdatePage, using: &random) * units
        case .launchFinish:
            return (profile.service(of: .launchUpdateVMSA, using: &random) + between) * units
                + profile.service(of: .launchFinish, using: &random)
        case .wholeLaunch:
            return draw(.launchStart, 1, profile, &random) + draw(.launchUpdate, units, profile, &random)
                + draw(.launchFinish, 1, profile, &random)
        case .report, .otherGuestRequest: return profile.service(of: .guestRequestReport, using: &random)
        case .derivedKey: return profile.service(of: .guestRequestDerivedKey, using: &random)
        case .platformStatus:
            return profile.service(of: .platformStatus, using: &random)
                + profile.service(of: .pageReclaim, using: &random)
        case .platformCommand: return profile.service(of: .platformCommand, using: &random)
        }
    }
}

extension PlanningCosts {
    func cost(_ kind: CommandKind, units: UInt32) -> Nanoseconds {
        switch kind {
        case .launchStart: launchStart
        case .launchUpdate, .legacyLaunch: launchPage * Int64(units)
        case .launchFinish: launchFinish + launchPage * Int64(units)
        case .wholeLaunch: launchStart + launchFinish + launchPage * Int64(units)
        case .report, .otherGuestRequest: report
        case .derivedKey: derivedKey
        case .platformStatus: platformStatus
        case .platformCommand: platformCommand
        }
    }
}
