import Arbiter
import VMMProtocol

/// Messages as the program writes them: every field takes the values at which something changes.
extension Program {
    mutating func hello() -> Hello {
        let how = byte()
        let version = ProtocolLimits.version
        return Hello(
            versionMin: how & 1 == 0 ? version : version + 1, versionMax: how & 2 == 0 ? version : version + 1,
            features: Features(rawValue: UInt64(how >> 2)), name: how & 4 == 0 ? .empty : Name64("fuzz")!)
    }

    /// - Parameter tokens: what the clients were registered under.
    mutating func register(tokens: (Int) -> Token?) -> Register {
        let how = byte()
        let registration = Registration(
            reservationWanted: Rate(millihertz: pick(Self.rates)),
            reservationLeast: Rate(millihertz: how & 1 == 0 ? 0 : pick(Self.rates)),
            limit: how & 2 == 0 ? nil : Rate(millihertz: pick(Self.rates)),
            weight: Weight(how & 4 == 0 ? 100 : Int64(byte()) * 40),
            burst: how & 8 == 0 ? 3 : pick([0, 1, 100, 101]),
            retryPolicy: RetryPolicy(rawValue: how >> 4 & 3) ?? .linux,
            guestWaitMax: how & 64 == 0 ? nil : pick(Self.durations))
        let wants = byte()
        let token = tokens(Int(wants >> 4 & 7))
        return Register(
            uuid: UUIDBytes(high: 1, low: UInt64(how)), name: wants & 1 == 0 ? .empty : Name64("a VM")!,
            token: wants & 2 == 0 ? .none : token ?? Token(high: 1, low: 1), registration: registration,
            failureMode: wants & 4 == 0 ? .open : .closed, wantsDescriptor: wants & 8 != 0)
    }

    mutating func plan() -> LaunchPlan {
        let how = byte()
        return LaunchPlan(
            pages: pick(Self.pages), virtualCPUs: how & 4 == 0 ? 1 : pick([0, 2, 255, 4_096, 4_097]),
            isWhole: how & 1 != 0, isProxy: how & 2 != 0)
    }

    mutating func acquire() -> Acquire {
        let how = byte()
        let kind = CommandKind.allCases[Int(how & 15) % CommandKind.allCases.count]
        return Acquire(
            kind, units: how & 16 == 0 ? 1 : pick(Self.pages),
            maxWait: how & 32 == 0 ? nil : pick(Self.durations))
    }

    mutating func release(of book: Book) -> Release {
        let how = byte()
        return Release(
            book.turn(byte()), errno: [0, 0, 16, 110][Int(how & 3)], firmwareCode: UInt32(how >> 6),
            measured: how & 4 == 0 ? nil : pick(Self.durations),
            unitsDone: how & 8 == 0 ? 1 : pick(Self.pages))
    }

    // MARK: Values at which something changes

    static let rates: [Int64] = [
        0, 24, 25, 1_000, 5_000, 50_000, 99_000, 101_000, 10_000_000, 10_000_001, 4_294_967_295,
    ]
    static let pages: [UInt32] = [0, 1, 2, 31, 32, 33, 100, 1_000, 10_000, 20_000, 20_001, .max]
    static let durations: [Nanoseconds] = [
        Nanoseconds(1), .microseconds(100), .milliseconds(1), .milliseconds(5), .milliseconds(10), .milliseconds(50),
        .milliseconds(100), .milliseconds(500), .milliseconds(501), .seconds(1), .seconds(2), .milliseconds(2_046),
        .seconds(5), .seconds(20), .seconds(31), .seconds(60),
    ]
}
