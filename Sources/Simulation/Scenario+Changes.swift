import Arbiter
import SPModel

/// Small changes of a scenario's numbers, for the climb from bad worlds to worse ones.
extension Scenario {
    /// The scenario with one thing changed, drawn from this seed. What the promises presuppose stays.
    public func changed(by seed: UInt64) -> Scenario {
        var random = SplitMix64(seed: seed)
        var changed = self
        if tenants.isEmpty || random.chance(perMille: 250) {
            changed.changeConfiguration(&random)
        } else {
            changed.changeTenants(&random)
        }
        return changed
    }

    private mutating func changeConfiguration(_ random: inout SplitMix64) {
        switch random.below(8) {
        case 0:
            configuration.floorShare = Share(
                perMille: min(max(Self.near(configuration.floorShare.perMille, &random), 1), 900))
        case 1: configuration.floorDelay = Self.near(configuration.floorDelay, &random)
        case 2: configuration.hold = min(Self.near(configuration.hold, &random), .milliseconds(10))
        case 3:
            configuration.guestWaitMax = Self.near(configuration.guestWaitMax, &random).clamped(to: Limits.guestWaits)
        case 4: configuration.chunkPages = UInt32(random.draw(1...64))
        case 5: platformEvery = random.chance(perMille: 500) ? nil : .milliseconds(random.draw(1...2_000))
        case 6: service = .ofPlanning(random.pick([500...1_000, 1_000...1_000, 250...1_000]))
        default: seed = random.next()
        }
    }

    private mutating func changeTenants(_ random: inout SplitMix64) {
        let index = Int(random.below(Int64(tenants.count)))
        switch random.below(8) {
        case 0 where tenants.count < 300: tenants.append(tenants[index])
        case 1 where tenants.count > 1: tenants.remove(at: index)
        case 2: tenants[index].guest.starts = Self.near(tenants[index].guest.starts, &random)
        case 3: tenants[index].changePace(&random)
        case 4:
            tenants[index].registration.weight = Weight(
                min(max(Self.near(tenants[index].registration.weight.value, &random), 1), 10_000))
        default: tenants[index].changeLaunch(&random)
        }
    }

    fileprivate static func near(_ time: Nanoseconds, _ random: inout SplitMix64) -> Nanoseconds {
        Nanoseconds(min(max(near(time.count, &random), 0), 60_000_000_000))
    }

    fileprivate static func near(_ value: Int64, _ random: inout SplitMix64) -> Int64 {
        switch random.below(7) {
        case 0: value / 2
        case 1: value * 2
        case 2: value - 1
        case 3: value + 1
        case 4: value + value / 10 + 1
        case 5: value - value / 10 - 1
        default: 0
        }
    }
}

extension TenantPlan {
    fileprivate mutating func changePace(_ random: inout SplitMix64) {
        switch guest.pace {
        case .loop(let think): guest.pace = .loop(think: max(Scenario.near(think, &random), Nanoseconds(1)))
        case .every(let interval):
            guest.pace = .every(max(Scenario.near(interval, &random), .milliseconds(1)))
        case .silent, .bursts, .script: break
        }
    }

    fileprivate mutating func changeLaunch(_ random: inout SplitMix64) {
        guard var client = launch else { return }
        switch random.below(6) {
        case 0: client.starts = Scenario.near(client.starts, &random)
        case 1: client.pause = max(Scenario.near(client.pause, &random), Nanoseconds(1))
        case 2:
            let pages = UInt32(min(max(Scenario.near(Int64(client.truePages), &random), 1), 2_000))
            client.truePages = pages
            client.declaredPages = pages
        case 3: client.isWhole.toggle()
        default:
            let index = Int(random.below(Int64(client.gaps.count)))
            client.gaps[index] = Scenario.near(client.gaps[index], &random)
        }
        launch = client
    }
}
