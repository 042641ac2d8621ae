import LinuxIO

/// Results go to standard output and everything else to standard error.
enum Say {
    static func result(_ text: String) { StandardOutput.print(text) }
    static func progress(_ text: String) { StandardError.print("bench: \(text)") }
}
