import Foundation
import Testing

@testable import ConfigurationFiles

/// Goal: files of the three places are read as the Configuration Files Specification has it. Method: systems in
/// directories of their own.
@Suite("The places of a configuration")
final class PlacesTests {
    private let root = "/tmp/spschedd-places-\(UUID().uuidString.prefix(8))"

    init() throws { try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: false) }
    deinit { try? FileManager.default.removeItem(atPath: root) }

    private func write(_ path: String, _ text: String) throws {
        let file = URL(fileURLWithPath: root + path)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    private func mask(_ path: String) throws {
        let directory = URL(fileURLWithPath: root + path).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: root + path, withDestinationPath: "/dev/null")
    }

    private func load() throws -> LoadedConfiguration { try ConfigurationFile.load(.system(root: root)) }

    /// Without the root.
    private func files() throws -> [String] { try load().files.map { String($0.path.dropFirst(root.count)) } }

    private func setting(_ key: String) throws -> EffectiveSetting {
        try #require(try load().settings.first { $0.key == key })
    }

    private func chunk(_ pages: Int) -> String { "[arbiter]\nchunk_pages = \(pages)\n" }

    @Test("with no file, and with no directory, the defaults hold")
    func nothing() throws {
        #expect(try load().configuration == DaemonConfiguration() && load().files.isEmpty)
        try FileManager.default.createDirectory(atPath: root + "/etc/spschedd", withIntermediateDirectories: true)
        #expect(try load().configuration == DaemonConfiguration() && load().files.isEmpty)
    }

    @Test("an empty /etc goes by the vendor's file, and the administrator's counts in its place")
    func main() throws {
        try write("/usr/lib/spschedd/spschedd.toml", chunk(1) + "hold = \"4ms\"\n")
        #expect(try load().configuration.arbiter.chunkPages == 1)
        try write("/run/spschedd/spschedd.toml", chunk(2))
        #expect(try load().configuration.arbiter.chunkPages == 2)
        try write("/etc/spschedd/spschedd.toml", chunk(3))
        let loaded = try load()
        #expect(loaded.configuration.arbiter.chunkPages == 3)
        #expect(loaded.configuration.arbiter.hold == DaemonConfiguration().arbiter.hold)
        #expect(try files() == ["/etc/spschedd/spschedd.toml"])
        #expect(
            loaded.files[0].hidden == [
                root + "/run/spschedd/spschedd.toml", root + "/usr/lib/spschedd/spschedd.toml",
            ])
    }

    @Test("drop-ins of all places are read after the file, sorted by name alone, and the last prevails")
    func dropIns() throws {
        try write("/etc/spschedd/spschedd.toml", chunk(1))
        try write("/etc/spschedd/spschedd.toml.d/10-b.toml", chunk(2))
        try write("/usr/lib/spschedd/spschedd.toml.d/50-c.toml", chunk(3))
        try write("/run/spschedd/spschedd.toml.d/9-a.toml", "[arbiter]\nhold = \"4ms\"\n")
        try write("/run/spschedd/spschedd.toml.d/10-a.toml", "[arbiter]\nhold = \"3ms\"\n")
        for ignored in ["x.conf", ".20-x.toml", "x.toml~"] {
            try write("/etc/spschedd/spschedd.toml.d/\(ignored)", "nonsense")
        }
        #expect(
            try files() == [
                "/etc/spschedd/spschedd.toml", "/run/spschedd/spschedd.toml.d/10-a.toml",
                "/etc/spschedd/spschedd.toml.d/10-b.toml", "/usr/lib/spschedd/spschedd.toml.d/50-c.toml",
                "/run/spschedd/spschedd.toml.d/9-a.toml",
            ])
        #expect(try setting("arbiter.chunk_pages").value == .integer(3))
        #expect(try setting("arbiter.hold").value == .duration(.milliseconds(4)))
        #expect(
            try setting("arbiter.chunk_pages").origins.map(\.description) == [
                "\(root)/etc/spschedd/spschedd.toml:2", "\(root)/etc/spschedd/spschedd.toml.d/10-b.toml:2",
                "\(root)/usr/lib/spschedd/spschedd.toml.d/50-c.toml:2",
            ])
        #expect(
            try load().toml.contains(
                "# from \(root)/usr/lib/spschedd/spschedd.toml.d/50-c.toml:2, in place of "
                    + "\(root)/etc/spschedd/spschedd.toml.d/10-b.toml:2, \(root)/etc/spschedd/spschedd.toml:2\n"
                    + "chunk_pages = 3\n"))
    }

    @Test("of drop-ins of one name that of the highest place counts")
    func sameName() throws {
        let name = "/spschedd/spschedd.toml.d/50-x.toml"
        try write("/usr/lib" + name, chunk(1))
        try write("/run" + name, chunk(2))
        #expect(try load().configuration.arbiter.chunkPages == 2)
        try write("/etc" + name, chunk(3))
        #expect(try load().configuration.arbiter.chunkPages == 3)
        #expect(try files() == ["/etc" + name])
    }

    @Test("an empty file and a link to /dev/null mask those of their name", arguments: [true, false])
    func masks(isLink: Bool) throws {
        func masks(_ path: String) throws { try isLink ? mask(path) : write(path, "") }
        try write("/usr/lib/spschedd/spschedd.toml", chunk(1))
        try write("/usr/lib/spschedd/spschedd.toml.d/50-x.toml", "[arbiter]\nhold = \"4ms\"\n")
        try masks("/etc/spschedd/spschedd.toml")
        #expect(try load().configuration.arbiter.chunkPages == DaemonConfiguration().arbiter.chunkPages)
        #expect(try load().configuration.arbiter.hold == .milliseconds(4))
        try masks("/run/spschedd/spschedd.toml.d/50-x.toml")
        #expect(try load().configuration == DaemonConfiguration())
    }

    @Test("mistakes of all files are told at once, each with its own file; what is masked is not looked at")
    func mistakes() throws {
        try write("/usr/lib/spschedd/spschedd.toml.d/10-x.toml", "[arbiter]\nhodl = \"4ms\"\n")
        try write("/etc/spschedd/spschedd.toml.d/20-y.toml", "[arbiter\n")
        try write("/etc/spschedd/spschedd.toml.d/30-z.toml", "\n[arbiter]\nlaunch_reserve = \"960ms\"\n")
        let error = try #require(throws: ConfigurationError.self) { try load() }
        let lines = error.description.split(separator: "\n").map { $0.dropFirst(root.count) }
        #expect(lines.count == 3)
        #expect(lines[0].hasPrefix("/usr/lib/spschedd/spschedd.toml.d/10-x.toml:2: arbiter.hodl: unknown key"))
        #expect(lines[1].hasPrefix("/etc/spschedd/spschedd.toml.d/20-y.toml:1:"))
        #expect(
            lines[2] == "/etc/spschedd/spschedd.toml.d/30-z.toml:3: arbiter.launch_reserve: must be less than"
                + " arbiter.capacity (950ms)")
        try mask("/etc/spschedd/spschedd.toml.d/10-x.toml")
        #expect(try #require(throws: ConfigurationError.self) { try load() }.problems.count == 2)
    }

    @Test("what is no file is told: a directory of a drop-in's name, a link that leads nowhere, a file as directory")
    func noFiles() throws {
        let dropIns = "/etc/spschedd/spschedd.toml.d"
        try FileManager.default.createDirectory(
            atPath: root + dropIns + "/10-x.toml", withIntermediateDirectories: true)
        var error = try #require(throws: ConfigurationError.self) { try load() }
        #expect(error.description == "\(root)\(dropIns)/10-x.toml: is a directory: give the path of a regular file")
        try FileManager.default.removeItem(atPath: root + dropIns)
        let main = root + "/etc/spschedd/spschedd.toml"
        try FileManager.default.createSymbolicLink(atPath: main, withDestinationPath: "/nowhere")
        error = try #require(throws: ConfigurationError.self) { try load() }
        #expect(error.description == "\(main): could not be read: No such file or directory")
        try FileManager.default.removeItem(atPath: main)
        try write(dropIns, "")
        error = try #require(throws: ConfigurationError.self) { try load() }
        #expect(error.description == "\(root)\(dropIns): could not be listed: Not a directory")
    }
}
