import FoundationEssentials

/// Where the files go.
struct Folder {
    let path: String

    /// - Parameter removingOthers: whether pictures that are no longer made go.
    func write(_ files: [(name: String, text: String)], removingOthers: Bool) throws {
        let manager = FileManager.default
        try manager.createDirectory(atPath: path, withIntermediateDirectories: true)
        if removingOthers { try removePictures(but: Set(files.map(\.name))) }
        for file in files { try file.text.write(toFile: "\(path)/\(file.name)", atomically: true, encoding: .utf8) }
    }

    private func removePictures(but names: Set<String>) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: path)
        where name.hasSuffix(".svg") && !names.contains(name) {
            try FileManager.default.removeItem(atPath: "\(path)/\(name)")
        }
    }
}
