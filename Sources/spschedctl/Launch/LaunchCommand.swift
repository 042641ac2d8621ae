import Arbiter
import ArgumentParser
import Glibc
import LinuxIO
import Reporting

struct LaunchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "launch", abstract: "Launch a VM of an unchanged QEMU in its turn.",
        discussion: """
            QEMU is started with -S and issues its launch commands at the first 'cont'. This command registers the VM, \
            waits for one turn for the whole launch, sends 'cont' (--qmp) or runs 'virsh start --paused' and 'virsh \
            resume' (--libvirt), and returns the turn when the VM runs. What QEMU does before it pauses (INIT2, \
            LAUNCH_START), a reset inside QEMU and the guest's requests are not covered: see enforcement.md among \
            spschedd's documents.

            Run it as root or as a member of spschedd-vmm, who may also talk to the monitor or to libvirt. QEMU opens \
            /dev/sev itself, for which it needs permission: operating.md, "Who may open /dev/sev".

            Ctrl-C before the VM was told to run leaves it paused and nothing launched. After that the launch goes \
            on, and the turn is left to its lease.

            Exit status: 0 it runs. 64 wrong options. 65 the VM is another one, runs already, or was launched by \
            somebody else. 69 spschedd is not there. 70 the launch failed. 74 the VM was told to run and what became \
            of it is not known: the turn is left to its lease. 75 spschedd refuses for now. 76 QMP or virsh failed \
            before the VM was told to run. 128 and the signal's number if interrupted.
            """)

    @Option(help: ArgumentHelp("QEMU's QMP monitor, a Unix socket.", valueName: "socket"))
    var qmp: String?

    @Option(help: ArgumentHelp("A domain of libvirt that is shut off: its name, UUID or number.", valueName: "domain"))
    var libvirt: String?

    @Option(
        help: ArgumentHelp(
            "The VM's UUID, checked against QEMU's. Left out, QEMU's own is taken.", valueName: "uuid"))
    var uuid: String?

    @Option(
        help: ArgumentHelp(
            "4 KiB pages that will be measured: the firmware's image and some 40 more.",
            discussion: "The lease is reckoned from it; a launch of more than a quarter beyond it is sent behind."))
    var pages: UInt32

    @Option(help: "The VM's CPUs: each is measured as a page.")
    var vcpus: UInt32 = 1

    @Option(help: "A name for 'spschedctl list'. Left out: QEMU's, or the domain.")
    var name: String?

    @Option(help: ArgumentHelp("Where VMMs reach spschedd.", valueName: "socket"))
    var socket = "/run/spschedd/vmm/sock"

    @Option(help: ArgumentHelp("libvirt's URI, as 'virsh --connect' takes it.", valueName: "uri"))
    var connect: String?

    @Option(help: "How long QEMU may take until it listens, and it or virsh for each answer but that to the launch.")
    var patienceSeconds: Int64 = 10

    @Option(help: ArgumentHelp("Without spschedd: 'closed' launches nothing, 'open' launches without a turn."))
    var failureMode = FailureMode.closed

    @Flag(help: "Print JSON, for programs.")
    var json = false

    enum FailureMode: String, ExpressibleByArgument, CaseIterable {
        case closed
        case open
    }

    func validate() throws {
        guard (qmp == nil) != (libvirt == nil) else { throw ValidationError("Say either --qmp or --libvirt.") }
        guard libvirt == nil || uuid == nil else {
            throw ValidationError("--uuid goes with --qmp: libvirt knows its domain's.")
        }
        guard connect == nil || libvirt != nil else { throw ValidationError("--connect goes with --libvirt.") }
        guard libvirt?.hasPrefix("-") != true, libvirt != "" else { throw ValidationError("That is no domain.") }
        guard uuid.map({ MachineUUID($0) != nil }) ?? true else {
            throw ValidationError(
                "'\(uuid ?? "")' is no UUID: say it as 12345678-9abc-def0-1234-56789abcdef0")
        }
        guard pages > 0, vcpus > 0, UInt64(pages) + UInt64(vcpus) < UInt64(UInt32.max) else {
            throw ValidationError("A launch has at least one page and one vCPU, and less than 16 TiB.")
        }
        guard (1...3_600).contains(patienceSeconds) else { throw ValidationError("1 to 3600 seconds of patience.") }
    }

    func run() throws {
        let signals = try LaunchSignals()
        // One that waits ends this process when they are given back: not before it has said how far it came.
        defer { withExtendedLifetime(signals) {} }
        do throws(LaunchProblem) {
            let result = try launch(signals)
            StandardOutput.print(json ? Format.json(result) : result.text)
        } catch {
            StandardError.print("spschedctl: \(error)")
            throw ExitCode(error.exitStatus)
        }
    }

    private func launch(_ signals: LaunchSignals) throws(LaunchProblem) -> LaunchResult {
        let run = LaunchRun(
            socket: socket, pages: pages, virtualCPUs: vcpus, failsOpen: failureMode == .open, signals: signals,
            tell: { StandardError.print("spschedctl: \($0)") })
        let patience = Nanoseconds.seconds(patienceSeconds)
        if let libvirt {
            var domain = LibvirtDomain(
                domain: libvirt, name: name, virsh: try Virsh(uri: connect, signals: signals), patience: patience)
            return try run.launch(&domain)
        }
        var machine = try QMPMachine(
            path: qmp ?? "", uuid: uuid.flatMap { MachineUUID($0) }, name: name, patience: patience, signals: signals)
        return try run.launch(&machine)
    }
}
