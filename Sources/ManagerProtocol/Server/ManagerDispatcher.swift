/// The daemon's side of one Manager connection, without the socket: bytes in, bytes out.
///
/// ```
///   read up to `room` bytes ──► receive ──► answer ──► output ──► write, then sent
/// ```
///
/// `answer` makes a bounded number of replies and says whether more are due, so that its caller can serve others in
/// between. While `output` is full or a list is under way nothing more is read: a client that does not read its
/// replies, or sends calls faster than it reads, fills its own socket and nothing else.
public struct ManagerDispatcher: Sendable {
    public enum Progress: Equatable, Sendable {
        /// Nothing to do until bytes arrive, something changes that is watched, or the platform command that is under
        /// way has its outcome.
        case idle
        /// Replies are due: call `answer` again once `output` has been written, and after serving others.
        case pending
    }

    private enum Task: Sendable {
        case none
        /// `ListVMs` goes on with the first VM above this slot.
        case listing(afterSlot: Int?)
        /// `Watch` goes on after the change that the cursor stands for.
        case watching(cursor: UInt64)
        /// `Metrics` goes on.
        case measuring(MetricsPage)
        /// The outcome of a platform command is awaited; `isWanted`: its caller wants to hear of it.
        case platform(ticket: UInt64, isWanted: Bool)
        /// The same of a reload.
        case reload(ticket: UInt64, isWanted: Bool)
    }

    private let info: ServiceInfo
    private var input = MessageBuffer(messageBytesMax: ManagerLimits.callBytes)
    private var task = Task.none

    /// What is to be written to the client. Report what was written with `sent`.
    public private(set) var output: [UInt8] = []

    /// - Parameter version: the daemon's version, as `GetInfo` tells it.
    public init(version: String) {
        info = ServiceInfo(version: version)
    }

    /// The platform command whose outcome is awaited: to be given up if the client goes.
    public var platformTicket: UInt64? {
        guard case .platform(let ticket, _) = task else { return nil }
        return ticket
    }

    /// The reload whose outcome is awaited, likewise.
    public var reloadTicket: UInt64? {
        guard case .reload(let ticket, _) = task else { return nil }
        return ticket
    }

    /// Whether changes are to be told as they happen.
    public var isWatching: Bool {
        if case .watching = task { true } else { false }
    }

    /// How many bytes may be handed to `receive` now; zero: do not read.
    public var room: Int { isOutputFull ? 0 : max(0, input.room) }

    /// Takes bytes from the client, at most `room` of them.
    public mutating func receive(_ bytes: some Collection<UInt8>) {
        precondition(bytes.count <= input.room, "receive was given more than room")
        input.append(bytes)
    }

    /// The first `count` bytes of `output` have been written.
    public mutating func sent(_ count: Int) {
        output.removeFirst(count)
    }

    /// Makes the next replies: at most `ManagerLimits.repliesPerStep`, and one only while others wait.
    ///
    /// - Throws: what the client did wrong that has no answer; close the connection, after writing `output`.
    public mutating func answer(
        from source: borrowing some ManagerSource & ~Copyable
    ) throws(ProtocolFault) -> Progress {
        for number in 0..<ManagerLimits.repliesPerStep {
            if isOutputFull || (number > 0 && source.isAskedElsewhere) { return .pending }
            switch task {
            case .listing(let slot):
                listNext(after: slot, from: source)
            case .watching(let cursor):
                guard try watchNext(after: cursor, from: source) else { return .idle }
            case .measuring(let page): measureNext(page, from: source)
            case .platform(let ticket, let isWanted):
                guard let outcome = source.platformOutcome(of: ticket) else { return .idle }
                task = .none
                if isWanted { reply(outcome) }
            case .reload(let ticket, let isWanted):
                guard let outcome = source.reloadOutcome(of: ticket) else { return .idle }
                task = .none
                if isWanted { reply(outcome) }
            case .none:
                guard let message = try input.next() else { return .idle }
                dispatch(try VarlinkMessage.decode(VarlinkCall.self, from: message), to: source)
            }
        }
        return .pending
    }

    private var isOutputFull: Bool { output.count >= ManagerLimits.outputBytes }
}

extension ManagerDispatcher {
    private mutating func dispatch(_ call: VarlinkCall, to source: borrowing some ManagerSource & ~Copyable) {
        do throws(VarlinkError) {
            switch call.method {
            case "org.varlink.service.GetInfo":
                try call.expectParameters([])
                reply(info, to: call)
            case "org.varlink.service.GetInterfaceDescription":
                reply(try description(for: call), to: call)
            case ManagerInterface.statusMethod:
                try call.expectParameters([])
                reply(source.status(), to: call)
            case ManagerInterface.listVMsMethod:
                if try call.expectMore() { task = .listing(afterSlot: nil) }
            case ManagerInterface.explainMethod:
                reply(try explanations(for: call, from: source), to: call)
            case ManagerInterface.watchMethod:
                if try call.expectMore() { task = .watching(cursor: source.beginWatch()) }
            case ManagerInterface.metricsMethod:
                if try call.expectMore() { task = .measuring(MetricsPage(source.hostFigures())) }
            case ManagerInterface.drainMethod:
                try call.expectParameters([])
                reply(DrainReply(was: source.drain()), to: call)
            case ManagerInterface.resumeMethod:
                try call.expectParameters([])
                reply(DrainReply(was: source.resume()), to: call)
            case ManagerInterface.releaseDeviceMethod:
                try call.expectParameters([])
                reply(ReleaseReply(registeredVMs: source.releaseDevice()), to: call)
            case ManagerInterface.retakeDeviceMethod:
                try call.expectParameters([])
                source.retakeDevice()
                reply(EmptyReply(), to: call)
            case ManagerInterface.reloadMethod:
                try call.expectParameters([])
                task = .reload(ticket: source.beginReload(), isWanted: call.oneway != true)
            case ManagerInterface.noteRequestsMethod:
                guard source.noteRequests(try call.observedReport()) else { throw .permissionDenied }
                reply(EmptyReply(), to: call)
            default:
                guard let order = try call.platformOrder() else { throw unknown(method: call.method) }
                task = .platform(ticket: source.beginPlatform(order), isWanted: call.oneway != true)
            }
        } catch {
            reply(error, to: call)
        }
    }

    private func description(for call: VarlinkCall) throws(VarlinkError) -> InterfaceDescription {
        try call.expectParameters(["interface"])
        guard case .string(let name)? = call.parameters?["interface"] else { throw .invalidParameter("interface") }
        switch name {
        case ServiceInterface.name: return InterfaceDescription(description: ServiceInterface.description)
        case ManagerInterface.name: return InterfaceDescription(description: ManagerInterface.description)
        default: throw .interfaceNotFound(name)
        }
    }

    private func unknown(method: String) -> VarlinkError {
        let interface = method.split(separator: ".").dropLast().joined(separator: ".")
        return info.interfaces.contains(interface) ? .methodNotFound(method) : .interfaceNotFound(interface)
    }

    private mutating func listNext(after slot: Int?, from source: borrowing some ManagerSource & ~Copyable) {
        let vm = source.virtualMachine(afterSlot: slot)
        task = vm.map { .listing(afterSlot: $0.slot) } ?? .none
        output += VarlinkMessage.encode(VarlinkReply(parameters: ListedVM(vm: vm), continues: vm == nil ? nil : true))
    }

    private func explanations(
        for call: VarlinkCall, from source: borrowing some ManagerSource & ~Copyable
    ) throws(VarlinkError) -> ManagedExplanations {
        try call.expectParameters(["vm"])
        guard case .string(let vm)? = call.parameters?["vm"] else { throw .invalidParameter("vm") }
        guard let explanations = source.explain(vm) else { throw .noSuchVM(vm) }
        return explanations
    }

    /// False: nothing has changed. The next call ends the watch, lest its client wait for an answer for ever.
    private mutating func watchNext(
        after cursor: UInt64, from source: borrowing some ManagerSource & ~Copyable
    ) throws(ProtocolFault) -> Bool {
        if let message = try input.next() {
            task = .none
            output += VarlinkMessage.encode(VarlinkReply(parameters: WatchedChange(change: nil)))
            dispatch(try VarlinkMessage.decode(VarlinkCall.self, from: message), to: source)
            return true
        }
        var cursor = cursor
        guard let change = source.nextChange(&cursor) else { return false }
        task = .watching(cursor: cursor)
        output += VarlinkMessage.encode(VarlinkReply(parameters: change, continues: true))
        return true
    }

    private mutating func measureNext(_ page: MetricsPage, from source: borrowing some ManagerSource & ~Copyable) {
        var page = page
        // Kept by nobody else while it changes: it would be copied.
        task = .none
        let step = page.next(from: source)
        if case .piece(let text, let isLast) = step {
            let reply = VarlinkReply(parameters: MetricsPiece(text: text), continues: isLast ? nil : true)
            output += VarlinkMessage.encode(reply)
            if isLast { return }
        }
        task = .measuring(page)
    }

    private mutating func reply(_ parameters: some Codable & Sendable, to call: VarlinkCall) {
        if call.oneway == true { return }
        output += VarlinkMessage.encode(VarlinkReply(parameters: parameters))
    }

    private mutating func reply(_ outcome: ManagedPlatformOutcome) {
        if let error = outcome.varlinkError {
            output += VarlinkMessage.encode(VarlinkReply(parameters: error.parameters, error: error.name))
        } else if case .done(let platform, let nanoseconds) = outcome {
            let reply = PlatformReply(platform: platform, durationNanoseconds: nanoseconds)
            output += VarlinkMessage.encode(VarlinkReply(parameters: reply))
        }
    }

    private mutating func reply(_ outcome: ManagedReloadOutcome) {
        if let error = outcome.varlinkError {
            output += VarlinkMessage.encode(VarlinkReply(parameters: error.parameters, error: error.name))
        } else if case .done(let reply) = outcome {
            output += VarlinkMessage.encode(VarlinkReply(parameters: reply))
        }
    }

    private mutating func reply(_ error: VarlinkError, to call: VarlinkCall) {
        if call.oneway == true { return }
        output += VarlinkMessage.encode(VarlinkReply(parameters: error.parameters, error: error.name))
    }
}
