import ArgumentParser
import Glibc
import LinuxIO
import ManagerProtocol
import Reporting

struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Tell why a VM was refused: by which limit, held by whom, until when.",
        discussion: """
            Of a registered VM it tells what it was promised, whether its next request would be inside its reservation \
            and its limit, since when a request waits, what launch work is still to be paid off, and the latest \
            refusals, each with who or what stood in the way. Of a VM that was not admitted it tells why not.
            """)

    @Argument(
        help: ArgumentHelp("Its name, its UUID, or SLOT.GENERATION as --json of list tells them.", valueName: "vm"))
    var vm: String

    @OptionGroup var options: ManagerOptions

    func run() throws {
        let answer = try options.ask { manager throws(ManagerClientError) -> ManagedExplanations? in
            do throws(ManagerClientError) {
                return try manager.explain(vm)
            } catch {
                if case .refused(ManagerInterface.noSuchVMError, _) = error { return nil }
                throw error
            }
        }
        guard let answer else {
            StandardError.print(
                "spschedctl: no VM is registered as '\(Format.printable(vm))', and none was refused under that name lately"
                    + "\nspschedctl list names those there are.")
            throw ExitCode(EX_NOINPUT)
        }
        StandardOutput.print(options.json ? Format.json(answer) : ExplainText(answer).text)
    }
}

/// `explain` for people.
struct ExplainText {
    let answer: ManagedExplanations

    init(_ answer: ManagedExplanations) { self.answer = answer }

    var text: String {
        var parts = answer.explanations.map(text) + answer.rejections.map(text)
        if answer.leftOff > 0 { parts.append("\(answer.leftOff) more VMs have this name: ask for one by its slot.") }
        return parts.joined(separator: "\n\n")
    }

    // MARK: A registered VM

    private func text(_ explanation: ManagedExplanation) -> String {
        let vm = explanation.vm
        let account = Format.printable(vm.account)
        let head = "\(title(vm.name, vm.uuid)), slot \(vm.slot).\(vm.generation), account \(account)"
        let lines = lines(vm, explanation.standing).map { "  \($0.0.paddedRight(to: 12))\($0.1)" }
        return ([head] + lines + refusals(explanation)).joined(separator: "\n")
    }

    private func title(_ name: String, _ uuid: String) -> String {
        name.isEmpty ? "VM \(uuid)" : "VM \"\(Format.printable(name))\" (\(uuid))"
    }

    private func lines(_ vm: ManagedVM, _ standing: ManagedStanding) -> [(String, String)] {
        [
            ("state", vm.state.rawValue + (vm.connections == 1 ? "" : ", \(vm.connections) connections")),
            ("promised", promised(vm)), ("reservation", reservation(vm, standing)), ("limit", limit(vm, standing)),
            ("request", request(standing)), ("launches", launches(vm, standing)),
            ("refused", StatusText.busies(vm.busies)),
        ] + (vm.unasked.map { [("unasked", "\($0) requests of its guest, for which it did not ask")] } ?? [])
    }

    private func promised(_ vm: ManagedVM) -> String {
        "\(Format.rate(millihertz: vm.reservationMillihertz)) reserved, "
            + (vm.limitMillihertz.map { "at most \(Format.rate(millihertz: $0))" } ?? "no limit")
            + ", weight \(vm.weight), burst \(vm.burst); entitled to "
            + Format.rate(millihertz: vm.entitlementMillihertz)
    }

    private func reservation(_ vm: ManagedVM, _ standing: ManagedStanding) -> String {
        guard vm.reservationMillihertz > 0 else { return "none: it is served from the surplus" }
        guard standing.reservedRequests == 0 else {
            return "\(standing.reservedRequests) requests may come at once now"
        }
        return "used up; the next request is inside it in \(time(standing.reservationOpensNanoseconds))"
    }

    private func limit(_ vm: ManagedVM, _ standing: ManagedStanding) -> String {
        guard vm.limitMillihertz != nil else { return "none" }
        if standing.skipsLimit { return "skipped by the next request: a launch has just ended" }
        let wait = standing.limitOpensNanoseconds
        return wait == 0 ? "permits a request now" : "permits the next request in \(time(wait))"
    }

    private func request(_ standing: ManagedStanding) -> String {
        guard standing.ageNanoseconds > 0 || standing.predictedStartNanoseconds != nil else { return "none waits" }
        var text = "first tried \(time(standing.ageNanoseconds)) ago"
        if standing.refusalsInARow > 0 { text += ", refused \(standing.refusalsInARow) times in a row" }
        if let start = standing.predictedStartNanoseconds { text += "; expected to start in \(time(start))" }
        return text + (standing.isProtected ? "; must not be refused again" : "")
    }

    private func launches(_ vm: ManagedVM, _ standing: ManagedStanding) -> String {
        var text = "\(vm.launches)"
        if let granted = standing.launchPagesGranted, let declared = standing.launchPagesDeclared {
            text += "; one is open: \(granted) of \(declared) pages granted"
        }
        return text + "; not paid off yet: \(time(standing.launchDebtNanoseconds)) of SP time, "
            + "\(time(standing.accountLaunchDebtNanoseconds)) by its account"
    }

    private func refusals(_ explanation: ManagedExplanation) -> [String] {
        guard !explanation.refusals.isEmpty else { return ["  It was not refused lately."] }
        var lines: [String] = []
        for refusal in explanation.refusals {
            let times =
                refusal.times == 1 ? "once" : "\(refusal.times) times since \(time(refusal.sinceNanoseconds)) ago"
            let come =
                refusal.retryInNanoseconds > 0
                ? "to come back in \(time(refusal.retryInNanoseconds))" : "it may be back by now"
            lines.append("  \(time(refusal.agoNanoseconds)) ago: \(refusal.reason), \(times); \(come)")
            lines.append("      \(Format.printable(refusal.text))")
        }
        return lines
    }

    // MARK: One that was not admitted

    private func text(_ rejection: ManagedRejection) -> String {
        let times = rejection.times == 1 ? "once" : "\(rejection.times) times"
        let account = Format.printable(rejection.account)
        return "\(title(rejection.name, rejection.uuid)) of account \(account) was not admitted"
            + " (\(rejection.code), \(times), \(time(rejection.agoNanoseconds)) ago):\n"
            + "      \(Format.printable(rejection.text))"
    }

    private func time(_ nanoseconds: Int64) -> String { Format.duration(nanoseconds: nanoseconds) }
}
