import Arbiter
import ManagerProtocol
import Reporting
import TraceFormat

/// Calls, outcomes and decisions for people.
struct CallText {
    let names: [VMID: String]

    func text(_ call: ArbiterCall) -> String {
        switch call {
        case .openAccount: "open an account"
        case .closeAccount(let account): "close account \(account.slot)"
        case .register(let registration, let account): "register a VM of account \(account.slot), \(text(registration))"
        case .unregister(let vm): "unregister \(text(vm))"
        case .beginLaunch(let plan, let vm):
            "begin a launch of \(plan.pages) pages and \(plan.virtualCPUs) vCPUs of \(text(vm))"
                + (plan.isWhole ? ", whole" : "") + (plan.isProxy ? ", by proxy" : "")
        case .endLaunch(let session, let vm): "end launch \(session.number) of \(text(vm))"
        case .acquire(let request, let vm): "\(text(request)) of \(text(vm))"
        case .release(let turn, let outcome, let vm): "\(text(vm)) returns \(text(turn, outcome))"
        case .releaseAndAcquire(let turn, let outcome, let request, let vm):
            "\(text(vm)) returns \(text(turn, outcome)), and asks for \(text(request))"
        case .cancel(let id, let vm): "\(text(vm)) cancels \(text(id))"
        case .hangUp(let origin, let vm): "connection \(String(origin, radix: 16)) of \(text(vm)) hangs up"
        case .advance: "time passes"
        case .drain: "drain"
        case .resume: "resume"
        case .probeReturned(let outcome): "a probe: \(outcome)"
        case .devicePresence(let isPresent): isPresent ? "the device came" : "the device went"
        case .acquirePlatform(let kind, let id): "platform work: \(kind.managerName), \(text(id))"
        case .releasePlatform(let turn, let reportsDeviceTrouble):
            "platform work returns turn \(turn.number)" + (reportsDeviceTrouble ? " with device trouble" : "")
        case .cancelPlatform(let id): "platform work cancels \(text(id))"
        case .reconfigure: "another configuration"
        }
    }

    func text(_ outcome: CallOutcome) -> String {
        switch outcome {
        case .done: "done"
        case .mistake(let error): "a mistake: \(error)"
        case .admitted(let admission):
            "admitted as \(text(admission.vm)) with \(Format.rate(millihertz: admission.reservation.millihertz)) reserved"
        case .notAdmitted(let refusal): "not admitted, reason \(refusal.reason) (\(refusal.first), \(refusal.second))"
        case .launchBegun(let session): "launch \(session.number) begun"
        case .launchRefused(let busy): "launch refused: \(text(busy))"
        case .accountOpened(let account): "account \(account.slot)"
        case .noAccountLeft: "no account is left"
        case .accountClosed: "closed"
        case .accountKept: "kept"
        case .notReconfigured(let objections): "refused, with \(objections) objections"
        }
    }

    func text(_ decision: Decision) -> String {
        switch decision {
        case .granted(let id, let vm, let grant):
            "turn \(grant.turn.number) to \(text(vm)): \(grant.kind.managerName), \(grant.units) units, lease"
                + " \(Format.duration(grant.lease)), for \(text(id))"
        case .queued(let id, let vm, let notice):
            "\(text(vm)) waits at place \(notice.position), for some \(Format.duration(notice.estimate)): \(text(id))"
        case .busy(let id, let vm, let busy): "BUSY to \(text(vm)): \(text(busy)), \(text(id))"
        case .failed(let id, let vm, let error): "error to \(text(vm)): \(error), \(text(id))"
        case .revoked(let turn, let vm, _): "turn \(turn.number) of \(text(vm)) is taken back"
        case .probe: "probe the device"
        case .deviceState(let state): "the device is \(state)"
        case .sessionEnded(let session, let vm, let end): "launch \(session.number) of \(text(vm)) ends: \(end)"
        }
    }

    /// What came of a call, one line for each thing.
    func lines(_ record: CallRecord) -> [String] {
        var lines = [text(record.outcome)] + record.decisions.map(text)
        if let further = record.further { lines.append("\(further.count) further decisions") }
        return lines
    }

    func text(_ vm: VMID) -> String {
        guard vm != .none else { return "the daemon" }
        let name = names[vm] ?? ""
        return "VM \(vm.slot).\(vm.generation)" + (name.isEmpty ? "" : " \"\(name)\"")
    }

    private func text(_ busy: Busy) -> String {
        "\(busy.reason.managerName), come back in \(Format.duration(busy.retryAfter))"
            + (busy.holder.map { ", \(text($0)) stands in the way" } ?? "")
    }

    private func text(_ registration: Registration) -> String {
        "\(Format.rate(millihertz: registration.reservationWanted.millihertz)) wanted, weight \(registration.weight.value)"
    }

    private func text(_ request: ArbiterCall.Request) -> String {
        "\(request.kind.managerName), \(request.units) units, \(text(request.id))"
    }

    private func text(_ turn: TurnID, _ outcome: TurnOutcome) -> String {
        "turn \(turn.number) with \(outcome.unitsDone) units done"
            + (outcome.reportsDeviceTrouble ? " and device trouble" : "")
    }

    private func text(_ id: RequestID) -> String { "request \(String(id.origin, radix: 16)):\(id.tag)" }
}
