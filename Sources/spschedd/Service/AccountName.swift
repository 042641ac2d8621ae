import Glibc

/// Users and groups by name or number, looked up where waiting for a name service does no harm.
enum AccountName {
    static func user(_ name: String) -> uid_t? {
        if let number = number(name) { return number }
        guard let entry = getpwnam(name) else { return nil }
        // SAFETY: getpwnam(3)'s entry is valid until the next call; only its number is read, here.
        return entry.pointee.pw_uid
    }

    static func group(_ name: String) -> gid_t? {
        if let number = number(name) { return number }
        guard let entry = getgrnam(name) else { return nil }
        // SAFETY: getgrnam(3)'s entry is valid until the next call; only its number is read, here.
        return entry.pointee.gr_gid
    }

    /// Digits as id(1) prints them, without a sign or a zero in front: whatever is written otherwise is a name. The
    /// highest number is nobody's; to chown(2) it means to change nothing.
    private static func number(_ name: String) -> UInt32? {
        guard let number = UInt32(name), number < .max, "\(number)" == name else { return nil }
        return number
    }
}
