import VMMProtocol

/// The tags of one connection: strictly increasing, and those without a terminal reply.
struct TagWindow {
    enum Verdict: Equatable {
        case fresh
        /// The same request again, which still has no reply: it asks for nothing new.
        case repeated
        case wrong(ErrorCode)
    }

    private var last: UInt64 = 0
    private var open = InlineArray<64, UInt64>(repeating: 0)
    private var count = 0

    mutating func check(_ tag: UInt64) -> Verdict {
        guard tag > last else { return isOpen(tag) ? .repeated : .wrong(.tagReused) }
        last = tag
        return .fresh
    }

    func isOpen(_ tag: UInt64) -> Bool { index(of: tag) != nil }

    mutating func open(_ tag: UInt64) -> Bool {
        guard count < ProtocolLimits.outstandingTags else { return false }
        open[count] = tag
        count += 1
        return true
    }

    mutating func close(_ tag: UInt64) -> Bool {
        guard let index = index(of: tag) else { return false }
        count -= 1
        open[index] = open[count]
        return true
    }

    private func index(of tag: UInt64) -> Int? {
        for index in 0..<count where open[index] == tag { return index }
        return nil
    }
}
