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
        let status = try options.ask { manager throws(ManagerClientError) in
            try manager.retakeDevice()
            return try manager.status()
        }
        let detail = status.deviceDetail.map { ": \($0)" } ?? ""
        StandardOutput.print(
            options.json
                ? Format.json(["device": status.device.rawValue])
                : status.device == .absent
                    ? "The daemon may use the device again, and there is none\(detail)"
                    : "The daemon has taken up \(status.devicePath) again; it is \(status.device.rawValue)\(detail)")
    }
}
