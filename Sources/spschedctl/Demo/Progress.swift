import Arbiter
import LinuxIO
import Reporting

/// One line on standard error that tells how far the demo is: rewritten on a terminal, else a line for each scene.
struct Progress {
    private let isTerminal = StandardError.isTerminal
    private let scenes: Int
    private var number = 1
    private var title = ""
    private var length = Nanoseconds.zero

    init(scenes: Int) { self.scenes = scenes }

    mutating func begin(_ title: String, length: Nanoseconds) {
        self.title = title
        self.length = length
        if !isTerminal { StandardError.print("\(prefix)\(title), \(Format.fixed(length.seconds, 1)) s") }
    }

    /// The next scene's turn.
    mutating func advance() { number += 1 }

    func update(elapsed: Nanoseconds, _ news: String) {
        guard isTerminal else { return }
        let time = "\(Format.fixed(elapsed.seconds, 1)) of \(Format.fixed(length.seconds, 1)) s"
        // Back to the line's start, and what was longer before wiped away.
        StandardError.write("\r\u{1B}[2K\(prefix)\(title)  \(time)  \(news)")
    }

    func end() {
        if isTerminal { StandardError.write("\r\u{1B}[2K") }
    }

    private var prefix: String { "[\(number)/\(scenes)] " }
}
