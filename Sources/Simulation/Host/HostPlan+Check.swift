import Arbiter
import SPModel

extension HostPlan {
    /// Whether it can be played at all.
    func check() throws(HostPlanError) {
        for (name, time) in [("the warm-up", warmUp), ("the duration", duration), ("the grace", grace)] {
            guard (.zero...HostLimits.duration).contains(time) else {
                throw HostPlanError("\(name) lies outside 0 to \(HostLimits.duration.count / 1_000_000_000) s")
            }
        }
        guard duration > .zero else { throw HostPlanError("the duration is 0: nothing would be counted") }
        guard guests.count <= HostLimits.groups, launches.count <= HostLimits.groups,
            teardowns.count <= HostLimits.groups, faults.count <= HostLimits.groups
        else { throw HostPlanError("there are more than \(HostLimits.groups) groups, bursts or faults of a kind") }
        try checkConfiguration()
        guard slowOneIn != 0 else { throw HostPlanError("one slow command in 0 is none that could be") }
        try checkGuests()
        for group in launches { try check(group) }
        for burst in teardowns
        where burst.every <= .zero
            || !(0...HostLimits.launchesAtOnce).contains(
                burst.virtualMachines)
        {
            throw HostPlanError("bursts of teardowns need an interval, and at most \(HostLimits.launchesAtOnce) VMs")
        }
    }

    /// Only what the Arbiter cannot work with: what makes sense is for whoever reads a configuration to say.
    private func checkConfiguration() throws(HostPlanError) {
        guard configuration.chunkPages >= 1 else { throw HostPlanError("a chunk of 0 pages lets no launch go on") }
        guard configuration.floorShare.perMille >= 1 else { throw HostPlanError("a floor of 0 serves nobody, ever") }
        guard configuration.planningCosts.report > .zero else { throw HostPlanError("a report is planned at no cost") }
    }

    private func checkGuests() throws(HostPlanError) {
        for group in guests { try check(group) }
        let count = guests.reduce(0) { $0 + $1.count }
        guard count <= HostLimits.virtualMachines else {
            throw HostPlanError("there are \(count) VMs; at most \(HostLimits.virtualMachines) are played")
        }
        guard recording.window > .zero, Int64(count) * (duration.count / recording.window.count) <= HostLimits.windows
        else {
            throw HostPlanError("windows of \(recording.window.count) ns are too short for so many VMs and so long")
        }
    }

    private func check(_ group: GuestGroup) throws(HostPlanError) {
        guard group.count >= 0 else { throw HostPlanError("'\(group.name)' has fewer than 0 VMs") }
        guard group.model.kind.commandClass == .guest else {
            throw HostPlanError("'\(group.name)': \(group.model.kind) is no guest's request")
        }
        switch group.model.pace {
        case .loop: break
        case .schedule(let every), .period(let every):
            guard every > .zero else { throw HostPlanError("'\(group.name)' has no time between requests") }
        case .bursts(let count, let every):
            guard every > .zero, count > 0 else { throw HostPlanError("'\(group.name)' has empty bursts, or no pause") }
        }
        if case .random(let within?) = group.phase, within < .zero {
            throw HostPlanError("'\(group.name)' begins within less than no time")
        }
    }

    private func check(_ group: LaunchGroup) throws(HostPlanError) {
        guard (1...Limits.virtualCPUsMax).contains(group.virtualCPUs) else {
            throw HostPlanError("'\(group.name)' has \(group.virtualCPUs) vCPUs, not 1 to \(Limits.virtualCPUsMax)")
        }
        let pages = group.declared.pages
        guard (1...configuration.launchPagesMax).contains(pages) else {
            throw HostPlanError("'\(group.name)' declares \(pages) pages, not 1 to \(configuration.launchPagesMax)")
        }
        guard group.profile.pages <= configuration.launchPagesMax else {
            throw HostPlanError(
                "'\(group.name)' has \(group.profile.pages) pages; a launch has at most \(configuration.launchPagesMax)"
            )
        }
        if case .pages(0) = group.style { throw HostPlanError("'\(group.name)' has ioctls of 0 pages") }
        guard group.misconduct.crashesOneIn != 0 else { throw HostPlanError("'\(group.name)': one crash in 0") }
        guard group.pattern.isPossible else { throw HostPlanError("'\(group.name)' has an impossible pattern") }
    }
}

extension LaunchPattern {
    fileprivate var isPossible: Bool {
        let counts = 1...HostLimits.launchesAtOnce
        return switch self {
        case .oneAfterAnother: true
        case .continuous(let atOnce): counts.contains(atOnce)
        case .evenly(let every, let first): every > .zero && first >= .zero
        case .random(let perMinute): (1...Int64(HostLimits.launchesPerMinute)).contains(perMinute)
        case .storm(let count, let first, let every):
            counts.contains(count) && first >= .zero && every.map { $0 > .zero } ?? true
        }
    }
}
