import Arbiter
import ArgumentParser

/// The operator's command.
@main
struct App: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spschedctl",
        abstract: "Look at spschedd, the scheduler of the AMD Secure Processor, and see it at work.",
        version: PackageVersion.current,
        subcommands: [
            DemoCommand.self, PlanCommand.self, StatusCommand.self, ListCommand.self, PlatformCommand.self,
            ConfigCommand.self, ReloadCommand.self, DeviceCommand.self, DoctorCommand.self, ReplayCommand.self,
            VirtualMachineCommand.self,
        ])
}
