/// What is known of the device, and the probe that finds it out.
struct DeviceWatch: Sendable {
    var state = DeviceState.alive
    /// When the probe that is under way was asked for.
    var askedAt: Instant?
    var lastAsked = Instant.distantPast
    /// How long a dead device is left alone before it is asked again.
    var pause = Limits.deadProbePauses.lowerBound

    var permitsGrants: Bool { state == .alive || state == .absent }

    var reasonToRefuse: BusyReason? {
        switch state {
        case .alive, .absent: nil
        case .stuck: .deviceStuck
        case .dead: .deviceDead
        }
    }
}

extension Arbiter {
    // MARK: Asking

    /// Asks for a probe, unless one is under way.
    mutating func askDevice(_ decisions: inout [Decision]) {
        guard device.askedAt == nil else { return }
        // The clock may be behind: a host that was suspended finds the lease long over, and asks only now.
        device.askedAt = calledAt
        device.lastAsked = calledAt
        set(.probePatience, at: calledAt + Limits.probePatience)
        decisions.append(.probe)
    }

    /// A client says that ccp failed. It may be mistaken or lying: that is worth one probe, at most one a second. Too
    /// early for one is too early only: nobody else may come to tell.
    mutating func askBecauseOfTrouble(_ decisions: inout [Decision]) {
        let due = device.lastAsked + Limits.probeEvery
        guard clock >= due else { return set(.probeAgain, at: due) }
        askDevice(&decisions)
    }

    // MARK: Answers

    /// What `spschedd-device` found. `returned` and `unavailable` pass over the turns that were overdue when it was
    /// asked; correctness does not rest on the Arbiter, so a probe that cannot be made must not stop a host.
    public mutating func probeReturned(_ outcome: ProbeOutcome, now: Instant, into decisions: inout [Decision]) {
        begin(now, &decisions)
        defer { dispatch(&decisions) }
        guard let askedAt = device.askedAt else { return }
        device.askedAt = nil
        clear(.probePatience)
        switch outcome {
        case .returned:
            device.pause = Limits.deadProbePauses.lowerBound
            if device.state == .dead { clear(.probeAgain) }
            if !device.permitsGrants { enter(.alive, &decisions) }
            revokeOverdue(askedAt: askedAt, &decisions)
        case .unavailable:
            if device.state == .stuck { enter(.alive, &decisions) }
            if device.state == .dead { set(.probeAgain, at: clock + device.pause) }
            revokeOverdue(askedAt: askedAt, &decisions)
        case .dead:
            enter(.dead, &decisions)
            revokeOverdue(askedAt: clock, &decisions)
            set(.probeAgain, at: clock + device.pause)
            device.pause = min(device.pause * 2, Limits.deadProbePauses.upperBound)
        }
    }

    /// The probe did not come back within its patience: the SP is stuck, and guests are refused until it returns.
    mutating func probeIsLate(_ decisions: inout [Decision]) {
        guard device.askedAt != nil, device.state == .alive || device.state == .absent else { return }
        // Called this late, the owner slept as well, and could not have heard the answer: it has its patience again.
        if calledAt - clock >= Limits.probePatience {
            return set(.probePatience, at: calledAt + Limits.probePatience)
        }
        enter(.stuck, &decisions)
        refuseAllGuests(.deviceStuck, &decisions)
    }

    /// The device node went away, or came. Without one, turns are granted all the same: the kernel decides.
    public mutating func devicePresence(isPresent: Bool, now: Instant, into decisions: inout [Decision]) {
        begin(now, &decisions)
        if isPresent, device.state == .absent { enter(.alive, &decisions) }
        if !isPresent, device.state == .alive { enter(.absent, &decisions) }
        // The driver was loaded anew: that cures what it had given up.
        if isPresent, !device.permitsGrants { askDevice(&decisions) }
        dispatch(&decisions)
    }

    private mutating func enter(_ state: DeviceState, _ decisions: inout [Decision]) {
        guard device.state != state else { return }
        device.state = state
        decisions.append(.deviceState(state))
        guard state == .dead else { return }
        refuseAllGuests(.deviceDead, &decisions)
        refuseAllLaunches(&decisions)
        refuseAllPlatformWork(&decisions)
    }

    private mutating func refuseAllPlatformWork(_ decisions: inout [Decision]) {
        while !platform.isEmpty {
            let busy = Busy(retryAfter: Limits.retryQuantum, reason: .deviceDead, holder: nil)
            decisions.append(.busy(platform.removeFirst().request, .none, busy))
        }
        setPlatformTimer()
    }

    private mutating func refuseAllLaunches(_ decisions: inout [Decision]) {
        while let slot = ready.first ?? readyLong.first {
            guard let command = virtualMachines[slot].session?.command else { break }
            withdrawCommand(slot)
            let busy = Busy(retryAfter: Limits.retryQuantum, reason: .deviceDead, holder: nil)
            decisions.append(.busy(command.request, id(ofSlot: slot), busy))
        }
    }
}
