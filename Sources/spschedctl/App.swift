import Arbiter
import ArgumentParser
import LinuxIO

/// The operator's command.
@main
struct App: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spschedctl",
        abstract: "Look at spschedd, the scheduler of the AMD Secure Processor, and see it at work.",
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
