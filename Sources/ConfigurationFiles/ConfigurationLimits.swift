/// Every bound of what is read, each with its reason.
enum ConfigurationLimits {
    /// A complete configuration with comments has some 8 KiB.
    static let fileBytes = 1 << 20
    /// Parts of a key, and brackets in each other. The deepest key there is, `configuration.arbiter.hold` of a fleet
    /// file, has three parts, and the parser's stack has room for thousands.
    static let nesting = 8
    /// Names in one directory of drop-ins: more than packages and a person put there.
    static let directoryNames = 1_024
    /// Longer than any key there is: what is longer is near to none, and is quoted up to here.
    static let keyLength = 100
    /// Policies: tenants and services of one host, written by hand. Each connection looks through them.
    static let policies = 64
    /// The name of a policy: it stands in messages and in the journal.
    static let policyName = 32
    /// Users, or groups, that one policy names.
    static let policyMembers = 64
    /// More mistakes in one file than a person repairs at one look.
    static let problems = 100
}
