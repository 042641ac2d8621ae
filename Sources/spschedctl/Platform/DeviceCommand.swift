import ArgumentParser
import LinuxIO
import ManagerProtocol
import Reporting

struct DeviceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "device", abstract: "Make the daemon let go of the device, for a new driver or firmware.",
        subcommands: [DeviceReleaseCommand.self, DeviceRetakeCommand.self])
}

struct DeviceReleaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract: "Close the device and hand it out no more, until it is taken up again or the daemon restarts.")

    @OptionGroup var options: ManagerOptions

    func run() throws {
        let vms = try options.ask { manager throws(ManagerClientError) in try manager.releaseDevice() }
        StandardOutput.print(
            options.json
                ? Format.json(["vms": vms])
                : "The daemon has closed the device. \(vms) registered VMs may hold it open: spschedctl doctor lists "
                    + "who does.")
    }
}

struct DeviceRetakeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retake", abstract: "Open the device again after a release.")

    @OptionGroup var options: ManagerOptions

    func run() throws {
        try options.ask { manager throws(ManagerClientError) in try manager.retakeDevice() }
    }
}
