import Foundation

/// Where results are kept, for whoever reads them later. What was measured is printed whatever becomes of the file.
public enum ResultFile {
    /// Writes the file, and makes its directory; says on standard error why, and how to choose another, if it cannot.
    public static func write(_ data: Data, to path: String, option: String) {
        let place = URL(fileURLWithPath: path)
        do {
            try FileManager.default.createDirectory(
                at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
            try data.write(to: place)
        } catch {
            let reason = "could not write \(path): \(error.localizedDescription). Name another place with \(option)\n"
            FileHandle.standardError.write(Data(reason.utf8))
        }
    }
}
