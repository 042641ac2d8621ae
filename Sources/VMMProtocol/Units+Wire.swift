import Arbiter

extension Span where Element == UInt8 {
    /// A duration in nanoseconds. Longer ones than `ProtocolLimits.longestDuration` are taken as that.
    @inline(__always)
    func duration(at offset: Int) -> Nanoseconds {
        min(Nanoseconds(Int64(clamping: integer(at: offset, as: UInt64.self))), ProtocolLimits.longestDuration)
    }

    /// A duration of which zero means that there is none.
    @inline(__always)
    func optionalDuration(at offset: Int) -> Nanoseconds? {
        let duration = duration(at: offset)
        return duration == .zero ? nil : duration
    }

    func rate(at offset: Int) -> Rate { Rate(millihertz: Int64(integer(at: offset, as: UInt32.self))) }

    /// A rate of which zero means that there is none.
    func optionalRate(at offset: Int) -> Rate? {
        let rate = rate(at: offset)
        return rate == .zero ? nil : rate
    }
}

extension MutableSpan where Element == UInt8 {
    /// A negative duration is sent as zero.
    @inline(__always)
    mutating func put(_ duration: Nanoseconds, at offset: Int) {
        put(UInt64(clamping: min(duration, ProtocolLimits.longestDuration).count), at: offset)
    }

    mutating func put(_ rate: Rate, at offset: Int) { put(UInt32(clamping: rate.millihertz), at: offset) }
}
