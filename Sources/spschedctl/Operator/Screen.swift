import Glibc
import LinuxIO

/// Standard output as a place for pictures that replace one another, where it is a terminal.
struct Screen {
    let isTerminal = isatty(STDOUT_FILENO) == 1

    /// On a terminal: over what was there, and no larger than it is. Elsewhere: as it is.
    func show(_ text: String) {
        guard isTerminal else { return StandardOutput.print(text) }
        let (columns, rows) = Self.size
        StandardOutput.write(Self.picture(text, columns: columns, rows: rows))
    }

    /// Home; each line cut to the width and cleared behind its end; everything below cleared. Nothing has to be put
    /// right again afterwards, however the program ends.
    static func picture(_ text: String, columns: Int, rows: Int) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).prefix(max(rows - 1, 1))
        return "\u{1B}[H" + lines.map { String($0).cut(to: columns) + "\u{1B}[K\r\n" }.joined() + "\u{1B}[J"
    }

    /// What the terminal says; the usual size if it says nothing.
    private static var size: (columns: Int, rows: Int) {
        var size = winsize()
        // SAFETY: TIOCGWINSZ writes one winsize, during the call.
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return (80, 24)
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }
}
