import Arbiter
import Testing
import VMMProtocol

/// What people read: each sentence fits its message, names what is given, and never leaks a token.
@Suite struct SentenceTests {
    private let longestName = String(repeating: "n", count: ProtocolLimits.nameBytes)

    @Test("every sentence fits into a message, with the longest names")
    func fits() {
        let holder = "VM \"\(longestName)\", account \(longestName)"
        let reasons = BusyReason.allCases.map { $0.sentence(limit: longestName, holder: holder) }
        let others =
            ErrorCode.allCases.map(\.sentence) + WireError.allCases.map(\.sentence)
            + DeviceState.allCases.map(\.sentence)
        for sentence in reasons + others + refusals.map(\.sentence) {
            #expect(sentence.utf8.count <= ProtocolLimits.textBytes, "\(sentence)")
            #expect(sentence.hasSuffix("."), "\(sentence)")
        }
    }

    @Test("a BUSY names the limit and the holder it is given")
    func namesLimitAndHolder() {
        #expect(
            BusyReason.limit.sentence(limit: "1 request/s")
                == "This VM is over its own limit of 1 request/s. Ask again after the time given.")
        let ahead = BusyReason.launchAhead.sentence(limit: "500 ms", holder: "VM \"db-1\"")
        #expect(ahead.contains("A launch (VM \"db-1\") has the SP"))
        #expect(ahead.contains("guest_wait_max (500 ms)"))
    }

    @Test("a refused registration names what is left and the setting that binds")
    func namesTheRemainder() {
        let left = ErrorReply(.capacity(left: Rate(millihertz: 1_500)))
        #expect(left.code.known == .capacity)
        #expect(left.text.contains("1.5 requests/s is left"))
        #expect(left.text.contains("launch_reserve"))
        let patience = AdmissionRefusal.patience(would: .milliseconds(20_075), limit: .seconds(20), retryPolicy: .once)
        #expect(patience.sentence.contains("20.075 s, above the 20 s"))
        #expect(patience.sentence.contains("once"))
        let wait = AdmissionRefusal.reservedWait(would: .microseconds(5_000_025), limit: .milliseconds(500)).sentence
        #expect(wait.contains("5 s, above guest_wait_reserved (500 ms)"))
        #expect(ErrorReply(.invalid(field: "weight", bounds: "1 to 10000")).text.contains("weight"))
    }

    @Test("every request error of the Arbiter has the wire code with its own number")
    func requestErrors() {
        for error in RequestError.allCases {
            #expect(ErrorCode(error).rawValue == error.rawValue)
            #expect("\(ErrorCode(error))" == "\(error)")
        }
    }

    @Test("every refusal of a registration has a code of its own, from 200 on")
    func refusalCodes() {
        let codes = refusals.map { ErrorCode($0).rawValue }
        #expect(Set(codes).count == codes.count)
        #expect(codes.allSatisfy { $0 >= 200 })
    }

    @Test("a token shows itself nowhere")
    func tokenIsHidden() {
        let token = Token(high: 0xA0A1_A2A3_A4A5_A6A7, low: 0xA8A9_AAAB_ACAD_AEAF)
        let register = Register(uuid: UUIDBytes(high: 1, low: 2), name: .empty, token: token)
        var dumped = ""
        dump(register, to: &dumped)
        for shown in ["\(token)", String(reflecting: token), "\(register)", dumped] {
            #expect(!shown.lowercased().contains("a0a1"))
            #expect(!shown.contains("\(token.high)") && !shown.contains("\(token.low)"))
        }
    }

    @Test("EBUSY and ETIMEDOUT of a command are the device's trouble, other errors are not")
    func deviceTrouble() {
        func isTrouble(_ errno: Int32) -> Bool {
            Release(TurnID(number: 1), errno: errno).outcome.reportsDeviceTrouble
        }
        #expect(isTrouble(16) && isTrouble(110))
        #expect(!isTrouble(0) && !isTrouble(5) && !isTrouble(-110))
    }

    private let refusals: [AdmissionRefusal] = [
        .capacity(left: .zero), .reservedWait(would: .seconds(6), limit: .seconds(5)),
        .patience(would: .seconds(21), limit: .seconds(20), retryPolicy: .never), .tooManyVMs(limit: 1_024),
        .accountReservation(left: Rate(millihertz: 25)), .invalid(field: "burst", bounds: "1 to 100"),
    ]
}
