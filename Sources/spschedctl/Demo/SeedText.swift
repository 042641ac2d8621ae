import ArgumentParser

/// `--seed`, of every command that draws.
enum SeedText {
    static func parse(_ text: String) throws -> UInt64 {
        guard let seed = UInt64(text) else {
            throw ValidationError("--seed takes a whole number from 0 to \(UInt64.max).")
        }
        return seed
    }
}
