import Glibc

/// Users and groups by name or number, as this host's name services know them. Looking one up may take as long as they
/// like.
public enum HostNames {
    public static func user(_ name: String) -> UInt32? {
        if let number = UInt32(name) { return number }
        // SAFETY: getpwnam(3)'s entry is valid until the next call; only its number is read, here.
        return getpwnam(name)?.pointee.pw_uid
    }

    public static func group(_ name: String) -> UInt32? {
        if let number = UInt32(name) { return number }
        // SAFETY: getgrnam(3)'s entry is valid until the next call; only its number is read, here.
        return getgrnam(name)?.pointee.gr_gid
    }
}

extension LoadedConfiguration {
    /// Fails where a setting names a user or a group that this host has not: the daemon would not start, or not reload.
    public func lookUpNames() throws(ConfigurationError) {
        let problems = namedAccounts.filter { !$0.exists }.map { account in
            let origin = origins[account.key]?.last
            return ConfigurationProblem(
                file: origin?.file ?? "", line: origin?.line, key: account.key,
                message: "there is no \(account.kind) '\(account.name)' on this host: create it, or name another")
        }
        if !problems.isEmpty { throw ConfigurationError(problems: problems) }
    }

    /// Whether there is anything to look up.
    public var namesAccounts: Bool { !namedAccounts.isEmpty }

    private var namedAccounts: [NamedAccount] {
        let sockets = [("vmm", configuration.vmm), ("manager", configuration.manager)]
        return sockets.compactMap { section, socket in
            socket.group.map { NamedAccount(key: "\(section).socket_group", kind: "group", name: $0) }
        }
            + configuration.policies.flatMap { policy in
                let path = "\(PolicySettings.section).\(policy.name)"
                return policy.users.map { NamedAccount(key: "\(path).users", kind: "user", name: $0) }
                    + policy.groups.map { NamedAccount(key: "\(path).groups", kind: "group", name: $0) }
            }
    }
}

private struct NamedAccount {
    let key: String
    let kind: String
    let name: String

    var exists: Bool { (kind == "user" ? HostNames.user(name) : HostNames.group(name)) != nil }
}
