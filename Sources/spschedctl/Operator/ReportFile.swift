import LinuxIO

/// `--report`, of every command that has it.
enum ReportFile {
    static func write(_ html: String, to path: String) throws(SystemError) {
        try OutputFile.write(html, to: path)
        StandardError.print("The report with plots is in \(path)")
    }
}
