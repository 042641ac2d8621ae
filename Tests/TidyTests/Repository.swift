import Foundation

/// One text file of this repository, as the rules see it.
struct SourceFile {
    /// Relative to the root of the repository.
    let path: String
    let text: String

    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
    var name: Substring { path.split(separator: "/").last ?? "" }
    var fileExtension: Substring { name.contains(".") ? name.split(separator: ".").last ?? "" : "" }

    func isUnder(_ folder: String) -> Bool { path.hasPrefix(folder + "/") }
}

/// A broken rule, in the form that editors jump to.
struct Finding: CustomStringConvertible, Equatable {
    let path: String
    let line: Int
    let message: String

    var description: String { "\(path):\(line): \(message)" }
}

enum Repository {
    /// Found from this file's own place: the tests run wherever the package was cloned.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// What people write by hand: no golden vectors, no pictures, nothing that was built.
    static let files: [SourceFile] = {
        let folders = ["Sources", "Tests", "Benchmarks", "Experiment", "docs", "packaging", "scripts", ".ci"]
            .flatMap { files(under: $0) }
        let top = ["Package.swift", "Makefile", "README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
        return (folders + top).filter { !$0.hasSuffix(".json") && !$0.hasSuffix(".svg") }.sorted().compactMap(read)
    }()

    static func read(_ path: String) -> SourceFile? {
        guard let text = try? String(contentsOf: root.appending(path: path), encoding: .utf8) else { return nil }
        return SourceFile(path: path, text: text)
    }

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appending(path: path).standardizedFileURL.path)
    }

    /// The folders directly below `path`.
    static func folders(in path: String) -> [String] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: root.appending(path: path).path)) ?? []
        return entries.filter { name in
            var isDirectory: ObjCBool = false
            let path = root.appending(path: "\(path)/\(name)").path
            return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
        }.sorted()
    }

    private static func files(under folder: String) -> [String] {
        let paths = FileManager.default.enumerator(atPath: root.appending(path: folder).path)
        return (paths?.compactMap { $0 as? String } ?? []).map { "\(folder)/\($0)" }
    }
}
