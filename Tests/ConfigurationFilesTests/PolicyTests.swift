import Arbiter
import Testing

@testable import ConfigurationFiles

@Suite("Policies of the configuration")
struct PolicyTests {
    private func problems(_ text: String) -> [String] {
        do {
            _ = try ConfigurationFile.parse(text, file: "t.toml")
            return []
        } catch {
            return error.problems.map { "\($0)" }
        }
    }

    @Test("a policy has its own keys, and what it does not say is the default")
    func read() throws {
        let text = """
            [policy.tenants]
            users = ["qemu", 1000]
            vms_max = 16
            reservation_max = "0.5/s"
            limit_max = "2/s"
            failure_mode = "closed"
            descriptor = "withheld"
            [policy.others]
            access = "denied"
            """
        let policies = try ConfigurationFile.parse(text, file: "t.toml").policies
        #expect(policies.map(\.name) == ["others", "tenants"] && policies.map(\.isForOthers) == [true, false])
        var tenants = PolicySettings(name: "tenants")
        tenants.users = ["qemu", "1000"]
        tenants.vmsMax = 16
        tenants.reservationMax = Rate(millihertz: 500)
        tenants.limitMax = .perSecond(2)
        tenants.failureModes = .closed
        tenants.descriptors = .withheld
        #expect(policies[1] == tenants && policies[0].access == .denied)
    }

    @Test("what is printed is read again, and told with its places")
    func printed() throws {
        let text = "[policy.a]\nusers = [\"x\"]\nvms_max = 3\n[policy.b]\ngroups = [5]\nvms_max = \"none\"\n"
        let configuration = try ConfigurationFile.parse(text, file: "t.toml")
        #expect(try ConfigurationFile.parse(configuration.toml, file: "again.toml") == configuration)
        let settings = LoadedConfiguration(configuration).settings.filter { !$0.isDefault }
        #expect(settings.map(\.key) == ["policy.a.users", "policy.a.vms_max", "policy.b.groups"])
    }

    @Test("each key sets a place of its own")
    func places() throws {
        var seen: [PolicySettings] = [PolicySettings(name: "p")]
        for key in PolicySettings.keys {
            let value: ConfigurationValue? =
                switch key.kind {
                case .names: .names(["x"])
                case .optionalInteger: .optionalInteger(7)
                case .optionalRate: .rate(.perSecond(7))
                case .integer: .integer(7)
                case .duration: .duration(.milliseconds(7))
                case .choice(let names): names.map { .choice($0) }.first { $0 != key.read(seen[0]) }
                default: nil
                }
            let other = try #require(value, "no other value is known for \(key.path)")
            let changed = try ConfigurationFile.parse("policy.p.\(key.path) = \(other.toml)\n", file: "t.toml")
            let policy = try #require(changed.policies.first)
            #expect(key.read(policy) == other && !seen.contains(policy), "\(key.path)")
            #expect(key.reason.hasSuffix("."))
            seen.append(policy)
        }
    }

    @Test(
        "a mistake is told with its place",
        arguments: [
            ("[policy.a]\nvm_max = 1\n", "t.toml:2: policy.a.vm_max: unknown key; did you mean policy.a.vms_max?"),
            ("[policy.a]\nusers = [\"x y\"]\n", "t.toml:2: policy.a.users: expected a list of at most 64 names"),
            ("[policy.a]\nweight_max = 0\n", "t.toml:2: policy.a.weight_max: expected a whole number from 1 to 10000"),
            ("[policy]\nusers = []\n", "t.toml:2: policy.users: stands outside a policy: write [policy.NAME] above it"),
            ("[policy.\"1 a\"]\n", "is no name for a policy"), ("policy = 1\n", "t.toml:1: policy: is no key"),
            ("[polcy.a]\n", "t.toml:1: polcy: unknown section; did you mean [policy]?"),
            (
                "[policy.a]\nusers = [\"x\"]\n[policy.b]\nusers = [\"x\"]\n",
                "t.toml:4: policy.b.users: policy 'a' names the user 'x' as well"
            ),
            ("[policy.a]\n[policy.b]\n", "policy 'a' names neither users nor groups as well"),
        ])
    func mistakes(text: String, message: String) {
        let found = problems(text)
        #expect(found.count == 1 && found.first?.contains(message) == true, "\(found)")
    }
}
