import Arbiter

/// Mutated behaviour, for the canaries: between the Arbiter and the checker, where only the checker can notice.
extension World {
    mutating func mutate() {
        guard let mutation = scenario.mutation, !mutationIsDone, checker.counts.steps > 10 else { return }
        switch mutation {
        case .dropsAReply: dropAGrant(answered: false)
        case .idles: dropAGrant(answered: true)
        case .repliesTwice: repeatAReply()
        case .grantsToTheGone: grantToAStranger()
        case .grantsTwice, .forgetsToWake, .ignoresTheFloor, .ignoresTheHold, .promisesTooMuch,
            .ignoresTheClientsMaxWait:
            break
        }
    }

    /// The Arbiter of one canary never hears how long its clients listen.
    func told(_ maxWait: Nanoseconds?) -> Nanoseconds? {
        scenario.mutation == .ignoresTheClientsMaxWait ? nil : maxWait
    }

    private mutating func dropAGrant(answered: Bool) {
        guard let index = decisions.firstIndex(where: { $0.isGrant }) else { return }
        guard case .granted(let id, let vm, _) = decisions.remove(at: index) else { return }
        if answered { decisions.append(.failed(id, vm, .noSession)) }
        mutationIsDone = !answered
    }

    private mutating func repeatAReply() {
        guard let reply = decisions.first(where: { if case .busy = $0 { true } else { $0.isGrant } }) else { return }
        decisions.append(reply)
        mutationIsDone = true
    }

    /// The checker does not hear of one release: to it the next turn is granted beside one that is outstanding.
    mutating func overlooksRelease() -> Bool {
        guard scenario.mutation == .grantsTwice, !mutationIsDone else { return false }
        mutationIsDone = true
        return true
    }

    private mutating func grantToAStranger() {
        guard let index = decisions.firstIndex(where: { $0.isGrant }),
            case .granted(let id, let vm, let grant) = decisions[index], vm != .none
        else { return }
        decisions[index] = .granted(id, VMID(slot: vm.slot, generation: vm.generation &- 1), grant)
        mutationIsDone = true
    }
}

extension Decision {
    var isGrant: Bool { if case .granted = self { true } else { false } }
}
