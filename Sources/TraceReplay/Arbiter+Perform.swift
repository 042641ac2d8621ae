import Arbiter
import TraceFormat

extension Arbiter {
    /// Makes one call and says what it answered at once; what it decided is appended to `decisions`.
    public mutating func perform(
        _ call: ArbiterCall, now: Instant, into decisions: inout [Decision]
    ) -> CallOutcome {
        switch call {
        case .openAccount: openAccount().map { .accountOpened($0) } ?? .noAccountLeft
        case .closeAccount(let account): closeAccount(account, now: now) ? .accountClosed : .accountKept
        case .register(let registration, let account): performRegister(registration, account, now)
        case .beginLaunch(let plan, let vm): performBegin(plan, vm, now)
        case .reconfigure(let configuration): performReconfigure(configuration, now, &decisions)
        case .unregister, .cancel, .hangUp, .advance, .drain, .resume, .probeReturned, .devicePresence,
            .cancelPlatform:
            performSure(call, now, &decisions)
        case .endLaunch, .acquire, .release, .releaseAndAcquire, .acquirePlatform, .releasePlatform:
            performFallible(call, now, &decisions)
        }
    }

    private mutating func performRegister(
        _ registration: Registration, _ account: AccountID, _ now: Instant
    ) -> CallOutcome {
        // A trace that was made up must not end the program that reads it.
        guard isOpen(account) else { return .noAccountLeft }
        do throws(AdmissionRefusal) {
            return .admitted(try register(registration, account: account, now: now))
        } catch {
            return .notAdmitted(AdmissionRefusalDigest(error))
        }
    }

    private mutating func performReconfigure(
        _ configuration: Configuration, _ now: Instant, _ decisions: inout [Decision]
    ) -> CallOutcome {
        do throws(ReconfigurationRefusal) {
            try reconfigure(configuration, now: now, into: &decisions)
            return .done
        } catch {
            return .notReconfigured(objections: UInt64(error.objections.count))
        }
    }

    private mutating func performBegin(_ plan: LaunchPlan, _ vm: VMID, _ now: Instant) -> CallOutcome {
        do throws(LaunchRefusal) {
            return .launchBegun(try beginLaunch(plan, of: vm, now: now))
        } catch {
            switch error {
            case .busy(let busy): return .launchRefused(busy)
            case .error(let mistake): return .mistake(mistake)
            }
        }
    }

    private mutating func performSure(
        _ call: ArbiterCall, _ now: Instant, _ decisions: inout [Decision]
    ) -> CallOutcome {
        switch call {
        case .unregister(let vm): unregister(vm, now: now, into: &decisions)
        case .cancel(let request, let vm): cancel(request, of: vm, now: now, into: &decisions)
        case .hangUp(let origin, let vm): hangUp(origin: origin, of: vm, now: now, into: &decisions)
        case .drain: drain(now: now, into: &decisions)
        case .resume: resume(now: now, into: &decisions)
        case .probeReturned(let outcome): probeReturned(outcome, now: now, into: &decisions)
        case .devicePresence(let isPresent): devicePresence(isPresent: isPresent, now: now, into: &decisions)
        case .cancelPlatform(let request): cancelPlatform(request, now: now, into: &decisions)
        default: advance(to: now, into: &decisions)
        }
        return .done
    }

    private mutating func performFallible(
        _ call: ArbiterCall, _ now: Instant, _ decisions: inout [Decision]
    ) -> CallOutcome {
        do throws(RequestError) {
            switch call {
            case .endLaunch(let session, let vm): try endLaunch(session, of: vm, now: now, into: &decisions)
            case .acquire(let request, let vm):
                try acquire(
                    request.kind, units: request.units, maxWait: request.maxWait, request: request.id, of: vm,
                    now: now, into: &decisions)
            case .release(let turn, let outcome, let vm):
                try release(turn, outcome, of: vm, now: now, into: &decisions)
            case .releaseAndAcquire(let turn, let outcome, let request, let vm):
                try releaseAndAcquire(
                    turn, outcome, request.kind, units: request.units, maxWait: request.maxWait, request: request.id,
                    of: vm, now: now, into: &decisions)
            case .acquirePlatform(let kind, let request):
                try acquirePlatform(kind, request: request, now: now, into: &decisions)
            case .releasePlatform(let turn, let reportsDeviceTrouble):
                try releasePlatform(
                    turn, reportsDeviceTrouble: reportsDeviceTrouble, now: now, into: &decisions)
            default: break
            }
            return .done
        } catch {
            return .mistake(error)
        }
    }
}
