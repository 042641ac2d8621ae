import Glibc

/// Users and groups by name or number, as this host's name services know them. Looking one up may take as long as they
/// like.
public enum HostNames {
    public static func user(_ name: String) -> UInt32? {
        if let number = number(name) { return number }
        // SAFETY: getpwnam(3)'s entry is valid until the next call; only its number is read, here.
        return getpwnam(name)?.pointee.pw_uid
    }

    public static func group(_ name: String) -> UInt32? {
        if let number = number(name) { return number }
        // SAFETY: getgrnam(3)'s entry is valid until the next call; only its number is read, here.
        return getgrnam(name)?.pointee.gr_gid
    }

    /// Digits as id(1) prints them, without a sign or a zero in front: whatever is written otherwise is a name. The
    /// highest number is nobody's; to chown(2) it means to change nothing.
    private static func number(_ name: String) -> UInt32? {
        guard let number = UInt32(name), number < .max, "\(number)" == name else { return nil }
        return number
    }
}

extension LoadedConfiguration {
    /// Fails where a setting names a user or a group that this host has not, or two policies one user: the daemon would
    /// not start, or not reload.
    public func lookUpNames() throws(ConfigurationError) {
        let unknown = namedAccounts.filter { !$0.exists }.map {
            problem($0.key, "there is no \($0.kind) '\($0.name)' on this host: create it, or name another")
        }
        let problems = unknown + usersNamedTwice
        if !problems.isEmpty { throw ConfigurationError(problems: problems) }
    }

    /// By other names, or by a name and its number. What is written alike was found when it was read.
    private var usersNamedTwice: [ConfigurationProblem] {
        var first: [UInt32: (name: String, policy: String)] = [:]
        var problems: [ConfigurationProblem] = []
        for policy in configuration.policies {
            for name in policy.users {
                guard let user = HostNames.user(name) else { continue }
                guard let known = first[user] else {
                    first[user] = (name, policy.name)
                    continue
                }
                if known.policy == policy.name { continue }
                problems.append(
                    problem(
                        policy.setting("users"),
                        "the user '\(name)' is uid \(user), whom policy '\(known.policy)' names as '\(known.name)': name"
                            + " it in one of them"))
            }
        }
        return problems
    }

    private func problem(_ key: String, _ message: String) -> ConfigurationProblem {
        let origin = origins[key]?.last
        return ConfigurationProblem(file: origin?.file ?? "", line: origin?.line, key: key, message: message)
    }

    /// Whether there is anything to look up.
    public var namesAccounts: Bool { !namedAccounts.isEmpty }

    private var namedAccounts: [NamedAccount] {
        let sockets = [("vmm", configuration.vmm), ("manager", configuration.manager)]
        return sockets.compactMap { section, socket in
            socket.group.map { NamedAccount(key: "\(section).socket_group", kind: "group", name: $0) }
        }
            + configuration.policies.flatMap { policy in
                policy.users.map { NamedAccount(key: policy.setting("users"), kind: "user", name: $0) }
                    + policy.groups.map { NamedAccount(key: policy.setting("groups"), kind: "group", name: $0) }
            }
    }
}

private struct NamedAccount {
    let key: String
    let kind: String
    let name: String

    var exists: Bool { (kind == "user" ? HostNames.user(name) : HostNames.group(name)) != nil }
}
