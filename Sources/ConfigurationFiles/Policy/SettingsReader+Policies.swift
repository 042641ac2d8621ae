extension SettingsReader {
    /// Sets what `[policy.*]` says, key by key: several files may speak of one policy.
    mutating func readPolicies(_ entry: TOMLSection.Entry, into configuration: inout DaemonConfiguration) {
        note(entry.name, entry.line)
        guard case .section(let policies) = entry.value else {
            return report(entry.name, "is no key: write [\(place)policy.NAME] on a line of its own, and its keys below")
        }
        let keys = SettingKeys(PolicySettings.keys)
        let outer = place
        defer { place = outer }
        for policy in policies.entries {
            place = outer + "\(entry.name)."
            note(policy.name, policy.line)
            guard case .section(let section) = policy.value else {
                report(policy.name, "stands outside a policy: write [\(place)NAME] above it")
                continue
            }
            let word = ConfigurationKind.word(lengthMax: ConfigurationLimits.policyName)
            guard word.parse(.text(policy.name)) != nil else {
                report(policy.name, "is no name for a policy: expected \(word.expectation)")
                continue
            }
            guard let index = index(of: policy.name, in: &configuration.policies) else {
                report(policy.name, "there may be at most \(ConfigurationLimits.policies) policies")
                continue
            }
            place += "\(policy.name)."
            set(section, of: &configuration.policies[index], keys)
        }
    }

    /// Where the policy is, or is now; `nil` if there are too many. They stay sorted by name.
    private func index(of name: String, in policies: inout [PolicySettings]) -> Int? {
        if let index = policies.firstIndex(where: { $0.name == name }) { return index }
        guard policies.count < ConfigurationLimits.policies else { return nil }
        let index = policies.firstIndex { $0.name > name } ?? policies.endIndex
        policies.insert(PolicySettings(name: name), at: index)
        return index
    }

    /// Policies of which two would be for the same.
    mutating func reportContradictions(of policies: [PolicySettings]) {
        var users: [String: String] = [:]
        var others: String?
        for policy in policies {
            for user in policy.users {
                if let first = users[user], first != policy.name {
                    report("policy.\(policy.name).users", "policy '\(first)' names the user '\(user)' as well")
                }
                users[user] = policy.name
            }
            guard policy.isForOthers else { continue }
            if let others {
                report(
                    "policy.\(policy.name)",
                    "policy '\(others)' names neither users nor groups as well: one of them may be for all others")
            }
            others = others ?? policy.name
        }
    }
}
