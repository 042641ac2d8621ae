import LinuxIO

/// What was asked for goes to standard output, everything else to standard error, at once.
enum Say {
    static func result(_ text: String) { StandardOutput.print(text) }
    static func progress(_ text: String) { StandardError.print("experiment: \(text)") }
}
