import Foundation

/// A private directory that goes, with everything in it, when this value does.
struct TemporaryDirectory: ~Copyable {
    let path = "/tmp/LinuxIOTests-\(UUID().uuidString.prefix(13))"

    init() throws {
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
