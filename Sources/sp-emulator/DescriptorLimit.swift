import Glibc

/// How many connections this process may hold open.
enum DescriptorLimit {
    /// Raises the soft limit as far as it goes and is of use, and returns how many of `wanted` connections fit.
    static func raised(towards wanted: Int) -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 512 }
        limit.rlim_cur = max(limit.rlim_cur, min(limit.rlim_max, UInt(wanted + EmulatorLimits.ownDescriptors)))
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        _ = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return min(wanted, max(Int(clamping: limit.rlim_cur) - EmulatorLimits.ownDescriptors, 1))
    }
}
