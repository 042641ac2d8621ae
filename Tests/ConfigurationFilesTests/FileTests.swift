import ConfigurationFiles
import Foundation
import Glibc
import Testing

/// Goal: whatever stands where a configuration file should, reading it ends at once and says what is wrong.
@Suite("A configuration file", .timeLimit(.minutes(10)))
final class FileTests {
    private let directory = "/tmp/spschedd-files-\(UUID().uuidString.prefix(8))"

    init() throws { try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false) }
    deinit { try? FileManager.default.removeItem(atPath: directory) }

    private func problem(_ path: String) -> String? {
        do {
            _ = try ConfigurationFile.load(path)
            return nil
        } catch {
            return error.description
        }
    }

    @Test("a pipe, a socket, a device and a directory are told to be none")
    func otherKinds() throws {
        let pipe = directory + "/pipe"
        #expect(mkfifo(pipe, 0o600) == 0)
        #expect(problem(pipe) == "\(pipe): is a pipe: give the path of a regular file")
        let socket = directory + "/socket"
        #expect(mknod(socket, S_IFSOCK | 0o600, 0) == 0)
        #expect(problem(socket) == "\(socket): is a socket: give the path of a regular file")
        #expect(problem("/dev/zero") == "/dev/zero: is a device: give the path of a regular file")
        #expect(problem(directory) == "\(directory): is a directory: give the path of a regular file")
    }

    @Test("/dev/null is an empty file, by whatever name")
    func null() throws {
        let link = directory + "/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "/dev/null")
        #expect(problem(link) == nil && problem("/dev/null") == nil)
    }

    @Test("a file without end or without sense is not read to its end")
    func size() throws {
        let file = directory + "/large"
        #expect(FileManager.default.createFile(atPath: file, contents: nil))
        #expect(truncate(file, 1 << 40) == 0)
        #expect(problem(file) == "\(file): is larger than 1048576 bytes")
        try Data([0xFF, 0xFE]).write(to: URL(fileURLWithPath: file))
        #expect(problem(file) == "\(file): is not UTF-8 text")
    }
}
