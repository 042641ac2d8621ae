import Glibc
import LinuxIO

/// How many descriptors the process may have open.
enum DescriptorLimit {
    /// Raises the soft limit as far as needed and allowed, and returns how many connections then fit, at most `wanted`.
    static func connections(wanted: Int64) throws(SystemError) -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            throw SystemError(code: errno, attempt: "read the limit of open files")
        }
        // Each connection may have a duplicate on its way to the service manager.
        let passing = min(wanted, Int64(DaemonLimits.storeOrders))
        let needed = rlim_t(wanted + passing) + rlim_t(DaemonLimits.descriptorsBesideConnections)
        if limit.rlim_cur < needed {
            limit.rlim_cur = min(needed, limit.rlim_max)
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        let fitting = Int(clamping: limit.rlim_cur) - DaemonLimits.descriptorsBesideConnections
        return max(1, min(Int(wanted), fitting))
    }
}
