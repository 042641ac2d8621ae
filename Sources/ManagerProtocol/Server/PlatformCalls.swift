/// Calls of platform methods, taken apart and answered.
extension VarlinkCall {
    /// `nil` if it is none of the platform's methods. Errors: a parameter is missing, strange or malformed; a command
    /// that changes the platform is not confirmed.
    func platformOrder() throws(VarlinkError) -> ManagedPlatformOrder? {
        switch method {
        case ManagerInterface.platformStatusMethod:
            try expectParameters([])
            return .status
        case ManagerInterface.platformCommitMethod:
            try expectParameters(["confirm"])
            try expectConfirmation()
            return .commit
        case ManagerInterface.platformConfigureMethod:
            try expectParameters(["confirm", "reported_tcb", "mask_chip_id", "mask_chip_key"])
            try expectConfirmation()
            return .configure(
                reportedTCB: try securityVersion("reported_tcb"), masksChipID: try flag("mask_chip_id"),
                masksChipKey: try flag("mask_chip_key"))
        case ManagerInterface.platformLoadVLEKMethod:
            try expectParameters(["confirm", "wrapped_version", "hashstick"])
            try expectConfirmation()
            guard case .integer(let version)? = parameters?["wrapped_version"], let version = UInt8(exactly: version)
            else { throw .invalidParameter("wrapped_version") }
            guard case .string(let text)? = parameters?["hashstick"], let hashstick = Hexadecimal.bytes(text),
                hashstick.count == ManagerLimits.hashstickBytes
            else { throw .invalidParameter("hashstick") }
            return .loadVLEK(wrappedVersion: version, hashstick: hashstick)
        default: return nil
        }
    }

    /// Refuses the call if it carries a parameter that the method does not have.
    func expectParameters(_ names: Set<String>) throws(VarlinkError) {
        if let stray = parameters?.keys.sorted().first(where: { !names.contains($0) }) {
            throw .invalidParameter(stray)
        }
    }

    /// Refuses the call if it does not want several replies. False: it wants none at all.
    func expectMore() throws(VarlinkError) -> Bool {
        try expectParameters([])
        if oneway == true { return false }
        guard more == true else { throw .expectedMore }
        return true
    }

    private func expectConfirmation() throws(VarlinkError) {
        guard try flag("confirm") else { throw .notConfirmed(method) }
    }

    private func flag(_ name: String) throws(VarlinkError) -> Bool {
        guard case .bool(let value)? = parameters?[name] else { throw .invalidParameter(name) }
        return value
    }

    /// Hexadecimal, since it uses all 64 bits; with or without 0x.
    private func securityVersion(_ name: String) throws(VarlinkError) -> UInt64 {
        guard case .string(let text)? = parameters?[name],
            let value = UInt64(text.hasPrefix("0x") ? text.dropFirst(2) : text[...], radix: 16)
        else { throw .invalidParameter(name) }
        return value
    }
}

extension ManagedPlatformOutcome {
    /// As the error that a call is answered with; `nil` if it is none.
    var varlinkError: (name: String, parameters: [String: JSONValue])? {
        switch self {
        case .done: return nil
        case .busy(let reason, let text):
            return (ManagerInterface.platformBusyError, ["reason": .string(reason), "text": .string(text)])
        case .failed(let failure):
            var parameters: [String: JSONValue] = [
                "outcome": .string(failure.outcome), "errno": .integer(failure.errno), "text": .string(failure.text),
            ]
            parameters["firmware_code"] = failure.firmwareCode.map { .integer($0) }
            parameters["firmware_name"] = failure.firmwareName.map { .string($0) }
            return (ManagerInterface.platformFailedError, parameters)
        }
    }
}

/// Bytes as pairs of hexadecimal digits.
enum Hexadecimal {
    static func text(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// `nil` if it is anything else.
    static func bytes(_ text: String) -> [UInt8]? {
        let digits = text.utf8.map { Character(UnicodeScalar($0)).hexDigitValue }
        guard digits.count % 2 == 0, !digits.contains(nil) else { return nil }
        let values = digits.compactMap { $0 }
        return stride(from: 0, to: values.count, by: 2).map { UInt8(values[$0] << 4 | values[$0 + 1]) }
    }
}
