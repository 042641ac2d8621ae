import Arbiter
import ConfigurationFiles
import FoundationEssentials
import ManagerProtocol
import VMMProtocol

/// What this build can do, for programs that choose by it: `--capabilities`.
struct Capabilities: Encodable {
    struct VMMVersions: Encodable {
        let versionMin: UInt16
        let versionMax: UInt16
        /// Feature bits by name.
        let features: [String: UInt64]
    }

    let version: String
    let vmmProtocol: VMMVersions
    let managerInterfaces: [String]
    let commandKinds: [String: UInt16]
    let limits: [String: Int64]

    init(_ configuration: DaemonConfiguration) {
        version = PackageVersion.current
        vmmProtocol = VMMVersions(
            versionMin: ProtocolLimits.version, versionMax: ProtocolLimits.version,
            features: [
                "resync": Features.resync.rawValue, "release_and_acquire": Features.releaseAndAcquire.rawValue,
                "device_descriptor": Features.deviceDescriptor.rawValue, "proxy_turns": Features.proxyTurns.rawValue,
            ])
        managerInterfaces = [ServiceInterface.name, ManagerInterface.name]
        commandKinds = Dictionary(uniqueKeysWithValues: CommandKind.allCases.map { ($0.managerName, $0.rawValue) })
        limits = [
            "accounts": Int64(Limits.accounts),
            "account_connections": configuration.account.connectionsMax,
            "account_launches": configuration.account.launchesMax,
            "account_vms": configuration.account.vmsMax,
            "chunk_pages": Int64(configuration.arbiter.chunkPages),
            "connections": configuration.clients.connectionsMax,
            "launch_pages": Int64(configuration.arbiter.launchPagesMax),
            "launch_vcpus": Int64(Limits.virtualCPUsMax),
            "message_bytes": Int64(ProtocolLimits.messageBytes),
            "outstanding_tags": Int64(ProtocolLimits.outstandingTags),
            "vms": configuration.clients.vmsMax,
        ]
    }

    var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        guard let data = try? encoder.encode(self) else { preconditionFailure("names and numbers always encode") }
        return String(decoding: data, as: UTF8.self)
    }
}
