import Arbiter
import ArgumentParser
import LinuxIO

/// The operator's command.
@main
struct App: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spschedctl",
        abstract: "Look at spschedd, the scheduler of the AMD Secure Processor, and see it at work.",
        discussion: ExitStatuses.text,
        version: PackageVersion.current,
        subcommands: [
            DemoCommand.self, PlanCommand.self, StatusCommand.self, ListCommand.self, ExplainCommand.self,
            WatchCommand.self, TopCommand.self, MetricsCommand.self, DrainCommand.self, ResumeCommand.self,
            PlatformCommand.self, ConfigCommand.self, ReloadCommand.self, DeviceCommand.self, LaunchCommand.self,
            DoctorCommand.self, ReplayCommand.self, VirtualMachineCommand.self,
        ])

    static func main() {
        StandardStreams.secure()
        main(nil)
    }
}

/// What every command's exit status says. The numbers from 64 on are those of sysexits(3).
enum ExitStatuses {
    static let text = """
        Exit status, where a command's own help says no more:

          0    all went well
          1    the answer is no: not admitted, not as recorded, or a warning of doctor
          2    doctor: there is nothing to schedule, or it cannot be
          64   a wrong option, or a change without --confirm
          65   a file, or a VM, is not what it should be
          66   a trace or a file of keys could not be read or locked, or there is no such VM
          69   the daemon cannot be reached, or did not answer; a program of the demo is missing
          70   a launch, a simulation or the demo failed
          71   the system refused what the demo needs
          73   a report or another file could not be written
          74   the output could not be written, or a platform command failed
          75   not now: try again later
          76   the daemon, QEMU or virsh refused, or said what cannot be understood
          77   only root and the operators' group may ask the daemon
          78   the configuration or a fleet file has mistakes or is not there, or VMs would lose what was promised
          128  and the number of the signal that interrupted it
        """
}
