extension Rule {
    /// The only modules that each pure target may import.
    static let allowedImports: [String: Set<Substring>] = [
        "Arbiter": [], "SPModel": ["Arbiter"], "VMMProtocol": ["Arbiter"], "Simulation": ["Arbiter", "SPModel"],
        "TraceFormat": ["Arbiter", "RecordWords"], "TraceReplay": ["Arbiter", "TraceFormat"],
        "StateFormat": ["RecordWords"], "RecordWords": [], "Reporting": ["Arbiter"], "KVMTrace": [],
    ]

    static let pureTargetsImportNothing = Rule(
        name: "the pure targets import only what they may",
        concerns: { file in file.isSwift && allowedImports.keys.contains { file.isUnder("Sources/\($0)") } },
        check: { file in
            let target = String(file.path.split(separator: "/")[1])
            return file.lines.enumerated().compactMap { index, line in
                let words = line.split(separator: " ")
                guard let keyword = words.firstIndex(of: "import"), words[..<keyword].allSatisfy(isImportModifier),
                    let module = words.last?.split(separator: ".").first,
                    !(allowedImports[target] ?? []).contains(module)
                else { return nil }
                return Finding(path: file.path, line: index + 1, message: "\(target) must not import \(module)")
            }
        },
        broken: SourceFile(path: "Sources/Arbiter/X.swift", text: "/// Why.\n@preconcurrency import Foundation\n"),
        kept: SourceFile(path: "Sources/VMMProtocol/X.swift", text: "import Arbiter\n// import Foundation\n"))

    private static func isImportModifier(_ word: Substring) -> Bool {
        word.hasPrefix("@") || ["public", "package", "internal", "private", "fileprivate"].contains(word)
    }

    /// How far above its use the explanation may stand (one doc comment, or the head of a short function), and how far
    /// below (a signature that takes a pointer, and its first lines).
    private static let safetyReach = (above: 8, below: 4)

    static let unsafeMemoryIsExplained = Rule(
        name: "every use of unsafe memory has a SAFETY comment nearby",
        concerns: \.isSwiftSource,
        check: { file in
            let lines = file.lines
            return lines.indices.compactMap { index in
                let nearby = max(0, index - safetyReach.above)...min(lines.count - 1, index + safetyReach.below)
                guard usesUnsafeMemory(lines[index]), !lines[nearby].contains(where: { $0.contains("SAFETY:") })
                else { return nil }
                return Finding(path: file.path, line: index + 1, message: "unsafe memory without a '// SAFETY:' line")
            }
        },
        broken: SourceFile(
            path: "Sources/LinuxIO/X.swift", text: "bytes.withUnsafeBytes { send($0.baseAddress) }\n"),
        kept: SourceFile(
            path: "Sources/LinuxIO/X.swift",
            text: "// SAFETY: the pointer does not leave the call.\nbytes.withUnsafeBytes { send($0.baseAddress) }\n"))

    private static func usesUnsafeMemory(_ line: Substring) -> Bool {
        guard line.contains("nsafe") || line.contains("nmanaged") || line.contains("emory"), !isComment(line) else {
            return false
        }
        let code = line.replacing(/"[^"]*"/, with: "")
        return code.contains(/\bunsafe\b|Unsafe|Unmanaged|assumingMemoryBound|withMemoryRebound/)
    }

    static let limitsHaveReasons = Rule(
        name: "every limit has its reason",
        concerns: { $0.isSwiftSource && $0.name.contains("Limits") },
        check: { file in
            let lines = file.lines
            return lines.indices.compactMap { index in
                guard lines[index].contains("static let "), index == 0 || !isComment(lines[index - 1]) else {
                    return nil
                }
                return Finding(path: file.path, line: index + 1, message: "a limit without the reason above it")
            }
        },
        broken: SourceFile(
            path: "Sources/X/Limits.swift", text: "/// Two hands.\nstatic let a = 2\npublic static let b = 3\n"),
        kept: SourceFile(
            path: "Sources/X/Limits.swift", text: "/// Two hands.\nstatic let a = 2\n\n// Or three.\nstatic let b = 3\n"
        ))

    private static func isComment(_ line: Substring) -> Bool { line.drop { $0 == " " }.hasPrefix("//") }

    static let executablesHaveAnApp = Rule(
        name: "no executable runs code at the top level of a file",
        concerns: \.isSwiftSource,
        check: { file in
            guard file.name == "main.swift" else { return [] }
            return [Finding(path: file.path, line: 1, message: "begin in an '@main' type in App.swift")]
        },
        broken: SourceFile(path: "Sources/spschedd/main.swift", text: ""),
        kept: SourceFile(path: "Sources/spschedd/App.swift", text: ""))
}
