import DeviceTestSupport
import Foundation

/// The library and the programs that run on it, as `scripts/build-preload-tests` builds them: once for all tests.
enum PreloadPrograms {
    static let directory = Result { try built() }

    static func path(of name: String) throws -> String { try directory.get().file(name) }

    private static func built() throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let build = try BuiltProcess("/bin/bash", [root.path + "/scripts/build-preload-tests", directory.path])
        _ = build.rest()
        guard build.waitForEnd() == 0 else { throw ProcessError("not built: \(build.standardError)") }
        return directory
    }
}

/// One run of a program: what it printed, line by line.
struct Run {
    let code: Int32
    let lines: [String]
    let errors: String

    /// Libraries that stand in for libc's functions, the first one first.
    struct Libraries: OptionSet {
        let rawValue: Int
        static let preload = Libraries(rawValue: 1)
        static let fakeSEV = Libraries(rawValue: 2)

        func environment() throws -> [String: String] {
            var paths: [String] = []
            if contains(.preload) { paths.append(try PreloadPrograms.path(of: "libspsched-preload.so")) }
            if contains(.fakeSEV) { paths.append(try PreloadPrograms.path(of: "fake-sev.so")) }
            return ["LD_PRELOAD": paths.joined(separator: ":")]
        }
    }

    init(
        _ name: String, _ arguments: [String] = [], _ libraries: Libraries, environment: [String: String] = [:]
    ) throws {
        self.init(endOf: try Self.start(name, arguments, libraries, environment: environment))
    }

    init(endOf process: BuiltProcess) {
        lines = process.rest().split(separator: "\n").map(String.init)
        code = process.waitForEnd()
        errors = process.standardError
    }

    static func start(
        _ name: String, _ arguments: [String] = [], _ libraries: Libraries, environment: [String: String] = [:]
    ) throws -> BuiltProcess {
        let own = try libraries.environment().merging(environment) { $1 }
        return try BuiltProcess(try PreloadPrograms.path(of: name), arguments, environment: own)
    }
}
