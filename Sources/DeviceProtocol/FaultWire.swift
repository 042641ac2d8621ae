import Arbiter
import SPModel

/// A fault on the wire: `u16 action, u16 0, u32 code, u32 count (0: until revived), u32 0, u64 nanoseconds`.
struct FaultWire {
    private enum Action: UInt16 {
        case die = 1
        case stall = 2
        case stallUntilRevived = 3
        case refuse = 4
        case firmwareError = 5
        case revive = 6
    }

    private let action: Action
    private var code: UInt32 = 0
    private var count: UInt32 = 0
    private var duration = Nanoseconds.zero

    init(_ fault: SecureProcessor.Fault) {
        switch fault {
        case .die(let hang):
            action = .die
            duration = hang
        case .stall(let time):
            action = .stall
            duration = time
        case .stallUntilRevived:
            action = .stallUntilRevived
        case .refuse(let errno, let times):
            action = .refuse
            code = UInt32(bitPattern: errno)
            count = Self.number(times)
        case .firmwareError(let firmwareCode, let times):
            action = .firmwareError
            code = firmwareCode
            count = Self.number(times)
        case .revive:
            action = .revive
        }
    }

    func put(into writer: inout MessageWriter) {
        writer.put(action.rawValue)
        writer.put(UInt16(0))
        writer.put(code)
        writer.put(count)
        writer.put(UInt32(0))
        writer.put(duration)
    }

    init(from reader: inout MessageReader) throws(WireError) {
        let number: UInt16 = try reader.take()
        guard let action = Action(rawValue: number) else { throw WireError("\(number) is no action") }
        self.action = action
        try reader.takeReserved(2)
        code = try reader.take()
        count = try reader.take()
        try reader.takeReserved(4)
        duration = try reader.takeDuration()
        guard duration <= Self.longest else { throw WireError("a fault of more than a day") }
    }

    func fault() throws(WireError) -> SecureProcessor.Fault {
        switch action {
        case .die: .die(hang: duration)
        case .stall: .stall(duration)
        case .stallUntilRevived: .stallUntilRevived
        case .refuse: .refuse(errno: Int32(bitPattern: code), count: times)
        case .firmwareError: .firmwareError(code, count: times)
        case .revive: .revive
        }
    }

    private var times: FaultCount { count == 0 ? .untilRevived : .next(count) }

    private static func number(_ count: FaultCount) -> UInt32 {
        switch count {
        case .next(let times): max(times, 1)
        case .untilRevived: 0
        }
    }

    /// Nobody waits longer for a test, and no sum of times comes near the range of a `Nanoseconds`.
    private static let longest = Nanoseconds.seconds(86_400)
}
