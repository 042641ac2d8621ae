/// What `org.varlink.service.GetInfo` answers.
public struct ServiceInfo: Codable, Equatable, Sendable {
    public var vendor: String
    public var product: String
    public var version: String
    public var url: String
    public var interfaces: [String]

    public init(version: String) {
        vendor = "The spschedd authors"
        product = "spschedd"
        self.version = version
        url = "file:///usr/share/doc/spschedd"
        interfaces = [ServiceInterface.name, ManagerInterface.name]
    }
}

/// What `org.varlink.service.GetInterfaceDescription` answers.
public struct InterfaceDescription: Codable, Equatable, Sendable {
    public var description: String
}

/// The interface every Varlink service implements (<https://varlink.org/Service>).
public enum ServiceInterface {
    public static let name = "org.varlink.service"

    public static let description = """
        # The Varlink Service Interface is provided by every varlink service. It
        # describes the service and the interfaces it implements.
        interface org.varlink.service

        # Get a list of all the interfaces a service provides and information
        # about the implementation.
        method GetInfo() -> (
          vendor: string,
          product: string,
          version: string,
          url: string,
          interfaces: []string
        )

        # Get the description of an interface that is implemented by this service.
        method GetInterfaceDescription(interface: string) -> (description: string)

        # The requested interface was not found.
        error InterfaceNotFound(interface: string)

        # The requested method was not found.
        error MethodNotFound(method: string)

        # The interface defines the requested method, but the service does not
        # implement it.
        error MethodNotImplemented(method: string)

        # One of the passed parameters is invalid.
        error InvalidParameter(parameter: string)

        # The caller may not do this.
        error PermissionDenied()

        # The method answers with several replies: call it with 'more'.
        error ExpectedMore()

        """
}
