import DeviceTestSupport
import Foundation
import HostileSupport

/// A QEMU whose guest writes a line on its serial port as soon as it runs.
final class Machine {
    let uuid: String
    let monitorPath: String
    /// Its standard output is the guest's serial port.
    let process: Program

    /// - Parameters:
    ///   - directory: where the firmware was written.
    ///   - extra: beside what makes a VM that waits for `cont`.
    init(
        _ emulator: String, in directory: TemporaryDirectory, _ name: String, isPaused: Bool = true,
        extra: [String] = []
    ) throws {
        uuid = UUID().uuidString.lowercased()
        monitorPath = directory.file(name)
        process = try Program(
            emulator,
            [
                "-accel", "tcg", "-m", "16", "-nodefaults", "-no-user-config", "-display", "none", "-name", name,
                "-uuid", uuid, "-bios", directory.file("firmware"), "-serial", "stdio", "-qmp",
                "unix:\(monitorPath),server=on,wait=off",
            ] + (isPaused ? ["-S"] : []) + extra)
        // The socket is there before QEMU has made the VM, and answers once it has.
        for _ in 0..<Self.looks where !FileManager.default.fileExists(atPath: monitorPath) {
            if process.speaks(withinMilliseconds: Self.lookMilliseconds) { break }
        }
        try expect(FileManager.default.fileExists(atPath: monitorPath), "\(name) made no monitor")
    }

    private static let looks = 3_000
    private static let lookMilliseconds: Int32 = 20

    /// What the guest writes.
    static let greeting = "BOOTED"

    static let emulator: String? = {
        let directories = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        return directories.map { "\($0)/qemu-system-x86_64" }.first { access($0, X_OK) == 0 }
    }()

    /// Waits for the guest's line.
    func waitUntilBooted() throws {
        let line = try process.line().trimmingCharacters(in: .whitespacesAndNewlines)
        try expect(line == Self.greeting, "the guest wrote \"\(line)\"")
    }

    /// Whether the guest has written anything so far.
    var hasSpoken: Bool { process.speaks(withinMilliseconds: 0) }

    /// 64 KiB of halts beneath 4 GiB, where a processor starts: a jump from the reset vector to code that writes on the
    /// first serial port and halts.
    static func writeFirmware(in directory: TemporaryDirectory) throws {
        var image = [UInt8](repeating: 0xF4, count: 64 * 1_024)
        // mov dx, 0x3f8; then mov al, letter; out dx, al for each; then hlt and jump back to it.
        var code: [UInt8] = [0xBA, 0xF8, 0x03]
        for letter in (greeting + "\n").utf8 { code += [0xB0, letter, 0xEE] }
        code += [0xF4, 0xEB, 0xFD]
        image.replaceSubrange(0xFF00..<0xFF00 + code.count, with: code)
        // jmp 0xff00 from 0xfff0: the distance counts from the end of the three bytes.
        image.replaceSubrange(0xFFF0..<0xFFF3, with: [0xE9, 0x0D, 0xFF])
        try Data(image).write(to: URL(fileURLWithPath: directory.file("firmware")))
    }
}
