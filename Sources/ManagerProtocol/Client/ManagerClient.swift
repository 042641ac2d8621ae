import LinuxIO

/// A blocking client of the Manager: one call at a time.
public struct ManagerClient: ~Copyable {
    /// Where the daemon listens unless told otherwise.
    public static let defaultPath = "/run/spschedd/manager/io.spschedd.Manager"

    private let socket: StreamSocket
    private let patienceMilliseconds: Int32
    private var input = MessageBuffer(messageBytesMax: ManagerLimits.replyBytes)

    /// - Parameters:
    ///   - path: of the daemon's Manager socket.
    ///   - patienceMilliseconds: the longest silence while a reply is due.
    public static func connect(
        to path: String = defaultPath, patienceMilliseconds: Int32 = 5_000
    ) throws(ManagerClientError) -> ManagerClient {
        do {
            return ManagerClient(try StreamSocket.connect(to: path), patienceMilliseconds)
        } catch {
            throw .unreachable(path: path, error)
        }
    }

    private init(_ socket: consuming StreamSocket, _ patienceMilliseconds: Int32) {
        self.socket = socket
        self.patienceMilliseconds = patienceMilliseconds
    }

    public mutating func status() throws(ManagerClientError) -> ManagerStatus {
        try send(VarlinkCall(method: ManagerInterface.statusMethod))
        return try receive(ManagerStatus.self).parameters
    }

    /// Calls `each` for every registered VM, in order of their slots, as their entries arrive.
    public mutating func listVMs(_ each: (ManagedVM) -> Void) throws(ManagerClientError) {
        try send(VarlinkCall(method: ManagerInterface.listVMsMethod, more: true))
        var continues = true
        while continues {
            let reply = try receive(ListedVM.self)
            if let vm = reply.parameters.vm { each(vm) }
            continues = reply.continues
        }
    }
}

extension ManagerClient {
    /// Issues a platform command and waits for what it came to. The caller has confirmed it.
    public mutating func perform(_ order: ManagedPlatformOrder) throws(ManagerClientError) -> PlatformReply {
        try send(VarlinkCall(order))
        return try receive(PlatformReply.self).parameters
    }

    /// Makes the daemon let go of the device. How many VMs may still hold it.
    public mutating func releaseDevice() throws(ManagerClientError) -> Int {
        try send(VarlinkCall(method: ManagerInterface.releaseDeviceMethod))
        return try receive(ReleaseReply.self).parameters.registeredVMs
    }

    /// Has the daemon read its configuration again, and waits for what came of it.
    public mutating func reload() throws(ManagerClientError) -> ReloadReply {
        try send(VarlinkCall(method: ManagerInterface.reloadMethod))
        return try receive(ReloadReply.self).parameters
    }

    public mutating func retakeDevice() throws(ManagerClientError) {
        try send(VarlinkCall(method: ManagerInterface.retakeDeviceMethod))
        _ = try receive(EmptyReply.self)
    }

    /// Tells what the observer has seen. Only root and the daemon's own account are listened to.
    public mutating func noteRequests(_ report: ObservedReport) throws(ManagerClientError) {
        let processes = report.processes.map { process in
            JSONValue.object([
                "pid": .integer(Int64(process.pid)), "name": .string(process.name), "plain": .integer(process.plain),
                "extended": .integer(process.extended),
            ])
        }
        try send(
            VarlinkCall(
                method: ManagerInterface.noteRequestsMethod,
                parameters: ["processes": .array(processes), "lost": .integer(report.lost)]))
        _ = try receive(EmptyReply.self)
    }
}

extension ManagerClient {
    public mutating func explain(_ vm: String) throws(ManagerClientError) -> ManagedExplanations {
        try send(VarlinkCall(method: ManagerInterface.explainMethod, parameters: ["vm": .string(vm)]))
        return try receive(ManagedExplanations.self).parameters
    }

    /// Calls `each` for every change as it comes, until it returns false. Connect with a patience of -1: nothing may
    /// change for hours.
    public mutating func watch(_ each: (WatchedChange) -> Bool) throws(ManagerClientError) {
        try send(VarlinkCall(method: ManagerInterface.watchMethod, more: true))
        while true {
            let reply = try receive(WatchedChange.self)
            guard reply.continues, each(reply.parameters) else { return }
        }
    }

    /// Everything that is counted, as OpenMetrics text.
    public mutating func metrics() throws(ManagerClientError) -> String {
        try send(VarlinkCall(method: ManagerInterface.metricsMethod, more: true))
        var text = ""
        while true {
            let reply = try receive(MetricsPiece.self)
            text += reply.parameters.text
            guard text.utf8.count <= ManagerLimits.metricsBytes else {
                throw .notVarlink(.messageTooLong(limit: ManagerLimits.metricsBytes))
            }
            if !reply.continues { return text }
        }
    }

    /// Admits and serves nothing new from now on. Whether it was so already.
    public mutating func drain() throws(ManagerClientError) -> Bool {
        try send(VarlinkCall(method: ManagerInterface.drainMethod))
        return try receive(DrainReply.self).parameters.was
    }

    public mutating func resume() throws(ManagerClientError) -> Bool {
        try send(VarlinkCall(method: ManagerInterface.resumeMethod))
        return try receive(DrainReply.self).parameters.was
    }
}

extension VarlinkCall {
    /// Confirmed, where that is asked for.
    init(_ order: ManagedPlatformOrder) {
        switch order {
        case .status: self.init(method: ManagerInterface.platformStatusMethod)
        case .commit:
            self.init(method: ManagerInterface.platformCommitMethod, parameters: ["confirm": .bool(true)])
        case .configure(let reportedTCB, let masksChipID, let masksChipKey):
            self.init(
                method: ManagerInterface.platformConfigureMethod,
                parameters: [
                    "confirm": .bool(true), "reported_tcb": .string("0x" + String(reportedTCB, radix: 16)),
                    "mask_chip_id": .bool(masksChipID), "mask_chip_key": .bool(masksChipKey),
                ])
        case .loadVLEK(let version, let hashstick):
            self.init(
                method: ManagerInterface.platformLoadVLEKMethod,
                parameters: [
                    "confirm": .bool(true), "wrapped_version": .integer(Int64(version)),
                    "hashstick": .string(Hexadecimal.text(hashstick)),
                ])
        }
    }
}

/// Why a call got no answer.
public enum ManagerClientError: Error, Equatable, Sendable {
    case unreachable(path: String, SystemError)
    /// The daemon closed the connection.
    case closed
    case timedOut(milliseconds: Int32)
    case connection(SystemError)
    case notVarlink(ProtocolFault)
    /// The daemon refused the call.
    case refused(error: String, parameters: [String: JSONValue])
}

extension ManagerClientError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unreachable(_, let error): "\(error)"
        case .closed: "the daemon closed the connection before it answered"
        case .timedOut(let milliseconds): "the daemon has not answered for \(milliseconds / 1000) s"
        case .connection(let error): "\(error)"
        case .notVarlink(let fault): "what listens there is not the Manager: \(fault)"
        case .refused(let error, let parameters):
            "the daemon refused: \(error)" + (parameters.isEmpty ? "" : " \(parameters.sorted { $0.key < $1.key })")
        }
    }
}

extension ManagerClient {
    private func send(_ call: VarlinkCall) throws(ManagerClientError) {
        var rest = VarlinkMessage.encode(call)[...]
        while !rest.isEmpty {
            let sent: StreamSocket.Transfer
            do { sent = try socket.send(rest) } catch { throw .connection(error) }
            switch sent {
            case .bytes(let count): rest.removeFirst(count)
            case .wouldBlock: continue
            // It may have said why before it closed: whoever reads finds that, or the end.
            case .hungUp: return
            }
        }
    }

    private mutating func receive<Parameters: Codable & Sendable>(
        _: Parameters.Type
    ) throws(ManagerClientError) -> (parameters: Parameters, continues: Bool) {
        let message = try nextMessage()
        let head = try Self.decode(VarlinkReply<[String: JSONValue]>.self, from: message)
        if let error = head.error { throw .refused(error: error, parameters: head.parameters ?? [:]) }
        let reply = try Self.decode(VarlinkReply<Parameters>.self, from: message)
        guard let parameters = reply.parameters else {
            throw .notVarlink(.malformed(detail: "'parameters' is missing"))
        }
        return (parameters, reply.continues ?? false)
    }

    private static func decode<Message: Decodable>(
        _: Message.Type, from message: [UInt8]
    ) throws(ManagerClientError) -> Message {
        do { return try VarlinkMessage.decode(Message.self, from: message) } catch { throw .notVarlink(error) }
    }

    private mutating func nextMessage() throws(ManagerClientError) -> [UInt8] {
        while true {
            let message: [UInt8]?
            do { message = try input.next() } catch { throw .notVarlink(error) }
            if let message { return message }
            try readMore()
        }
    }

    private mutating func readMore() throws(ManagerClientError) {
        var buffer = [UInt8](repeating: 0, count: min(16 * 1024, input.room))
        let isReadable: Bool
        let received: StreamSocket.Transfer
        do {
            isReadable = try socket.waitReadable(milliseconds: patienceMilliseconds)
            received = isReadable ? try socket.receive(into: &buffer) : .wouldBlock
        } catch {
            throw .connection(error)
        }
        switch received {
        case .bytes(let count): input.append(buffer[..<count])
        case .wouldBlock where isReadable: break
        case .wouldBlock: throw .timedOut(milliseconds: patienceMilliseconds)
        case .hungUp: throw .closed
        }
    }
}
