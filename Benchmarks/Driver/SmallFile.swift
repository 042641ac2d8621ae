import Glibc
import LinuxIO

/// Files that are read and written whole.
enum SmallFile {
    static func read(_ path: String) throws(BenchmarkProblem) -> String {
        // Files in /proc have no size to go by: read to the end.
        guard let file = fopen(path, "re") else {
            throw .missing(path: path, remedy: "these benchmarks need Linux with /proc")
        }
        // SAFETY: opened above, closed once.
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = fread(&part, 1, part.count, file)
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += part[..<count]
        }
    }

    static func write(_ text: String, to path: String) throws(BenchmarkProblem) {
        // Its directory is made if it is the only thing missing; any other trouble comes with the file.
        if let end = path.lastIndex(of: "/"), end > path.startIndex { mkdir(String(path[..<end]), 0o755) }
        guard let file = fopen(path, "we") else { throw .cannotWrite(path: path, errno) }
        let bytes = Array(text.utf8)
        let written = fwrite(bytes, 1, bytes.count, file)
        // What the file system refuses, it may refuse as late as here.
        guard fclose(file) == 0, written == bytes.count else { throw .cannotWrite(path: path, errno) }
    }
}
