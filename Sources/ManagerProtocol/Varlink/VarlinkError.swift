/// The errors a call itself may be answered with: those of `org.varlink.service`, and the Manager's own.
public enum VarlinkError: Error, Equatable, Sendable {
    case interfaceNotFound(String)
    case methodNotFound(String)
    case methodNotImplemented(String)
    case invalidParameter(String)
    case permissionDenied
    /// The method answers with several replies and must be called with `more`.
    case expectedMore
    /// The method changes the platform and must be called with `confirm`.
    case notConfirmed(String)
    /// Nothing is known of such a VM.
    case noSuchVM(String)
    /// There is no place for another connection; the text says who has them.
    case tooManyOperators(String)

    public var name: String {
        switch self {
        case .interfaceNotFound: "org.varlink.service.InterfaceNotFound"
        case .methodNotFound: "org.varlink.service.MethodNotFound"
        case .methodNotImplemented: "org.varlink.service.MethodNotImplemented"
        case .invalidParameter: "org.varlink.service.InvalidParameter"
        case .permissionDenied: "org.varlink.service.PermissionDenied"
        case .expectedMore: "org.varlink.service.ExpectedMore"
        case .notConfirmed: ManagerInterface.notConfirmedError
        case .noSuchVM: ManagerInterface.noSuchVMError
        case .tooManyOperators: ManagerInterface.tooManyOperatorsError
        }
    }

    public var parameters: [String: JSONValue] {
        switch self {
        case .interfaceNotFound(let interface): ["interface": .string(interface)]
        case .methodNotFound(let method), .methodNotImplemented(let method), .notConfirmed(let method):
            ["method": .string(method)]
        case .noSuchVM(let vm): ["vm": .string(vm)]
        case .tooManyOperators(let text): ["text": .string(text)]
        case .invalidParameter(let parameter): ["parameter": .string(parameter)]
        case .permissionDenied, .expectedMore: [:]
        }
    }

    /// As the whole message that answers a call, or a caller who is turned away before it has made one.
    public var message: [UInt8] { VarlinkMessage.encode(VarlinkReply(parameters: parameters, error: name)) }
}
