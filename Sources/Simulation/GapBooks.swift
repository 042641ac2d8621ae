import Arbiter

/// The last hundred gaps between one client's launch commands, over its sessions, in microseconds rounded up; and h of
/// rule 4.
struct GapBooks {
    private var gaps: [Nanoseconds] = []
    private var next = 0
    private var longest = Nanoseconds.zero

    mutating func record(_ exactly: Nanoseconds) {
        let gap = Nanoseconds.microseconds((exactly.count + 999) / 1_000)
        guard gaps.count == 100 else {
            gaps.append(gap)
            return longest = max(longest, gap)
        }
        let forgotten = gaps[next]
        gaps[next] = gap
        next = (next + 1) % 100
        longest = max(longest, gap)
        if forgotten == longest, gap < forgotten { longest = gaps.reduce(.zero) { max($0, $1) } }
    }

    func hold(initial: Nanoseconds) -> Nanoseconds {
        let hold = gaps.count < 100 ? max(initial, longest * 2) : longest * 2
        return min(max(hold, .microseconds(200)), .milliseconds(10))
    }
}
