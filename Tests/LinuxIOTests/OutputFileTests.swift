import Foundation
import Glibc
import LinuxIO
import Testing

/// Goal: a person who names a file gets all of the text there, or a reason; and what is no regular file stays what it
/// is. Method: real files of each kind.
@Suite final class OutputFileTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    @Test func `A new file has the text and the mode that the umask leaves`() throws {
        try OutputFile.write("text", to: directory.file("new"))
        #expect(try contents("new") == "text")
        let mask = umask(0o022)
        umask(mask)
        #expect(try mode("new") & 0o777 == 0o666 & ~mask)
        #expect(names == ["new"])
    }

    @Test func `A file that is there is replaced, and who has the old one open reads on`() throws {
        try OutputFile.write("old", to: directory.file("file"))
        let old = try FileDescriptor.openReadOnly(directory.file("file"))
        try OutputFile.write("new", to: directory.file("file"))
        #expect(try contents("file") == "new")
        #expect(try old.read(atMost: 10) == Array("old".utf8))
        #expect(names == ["file"])
    }

    @Test func `Who may read the file that is there may read the new one, and nobody else`() throws {
        for permitted in [0o600, 0o640, 0o444] as [mode_t] {
            try OutputFile.write("old", to: directory.file("file"))
            #expect(chmod(directory.file("file"), permitted) == 0)
            try OutputFile.write("new", to: directory.file("file"))
            #expect(try contents("file") == "new")
            #expect(try mode("file") & 0o777 == permitted)
        }
    }

    @Test func `A file that everybody is to read has that mode whatever was there`() throws {
        try OutputFile.write("old", to: directory.file("file"))
        #expect(chmod(directory.file("file"), 0o600) == 0)
        try OutputFile.replace(directory.file("file"), with: "new", mode: 0o644)
        #expect(try mode("file") & 0o777 == 0o644)
        #expect(names == ["file"])
    }

    @Test func `A symbolic link is written through and stays one`() throws {
        try OutputFile.write("a longer text", to: directory.file("target"))
        #expect(symlink("target", directory.file("link")) == 0)
        try OutputFile.write("text", to: directory.file("link"))
        #expect(try mode("link") & S_IFMT == S_IFLNK)
        #expect(try contents("target") == "text")
        #expect(symlink("absent", directory.file("dangling")) == 0)
        try OutputFile.write("made", to: directory.file("dangling"))
        #expect(try contents("absent") == "made")
    }

    @Test func `A FIFO is written into and stays one`() throws {
        #expect(mkfifo(directory.file("fifo"), 0o600) == 0)
        // Open for both, so that nobody waits for the other.
        let reader = FileDescriptor(adopting: open(directory.file("fifo"), O_RDWR))
        try OutputFile.write("text", to: directory.file("fifo"))
        #expect(try reader.read(atMost: 4) == Array("text".utf8))
        #expect(try mode("fifo") & S_IFMT == S_IFIFO)
    }

    @Test func `A device is written into and stays one`() throws {
        try OutputFile.write("text", to: "/dev/null")
        #expect(try FileKind.ofPath("/dev/null") == .characterDevice)
        let full = #expect(throws: SystemError.self) { try OutputFile.write("text", to: "/dev/full") }
        #expect(full?.description == "could not write /dev/full: No space left on device")
    }

    @Test func `Where nothing can be written the reason is told, and nothing is left`() throws {
        for (path, reason) in [
            (directory.path, "Is a directory"), (directory.file("absent/file"), "No such file or directory"),
            (directory.file("file/"), "No such file or directory"),
        ] {
            let error = #expect(throws: SystemError.self) { try OutputFile.write("text", to: path) }
            #expect(error?.description == "could not write \(path): \(reason)")
        }
        #expect(names.isEmpty)
    }

    // MARK: Looking

    private var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []).sorted()
    }

    private func contents(_ name: String) throws -> String {
        try String(contentsOfFile: directory.file(name), encoding: .utf8)
    }

    private func mode(_ name: String) throws -> mode_t {
        var status = stat()
        try #require(lstat(directory.file(name), &status) == 0)
        return status.st_mode
    }
}
