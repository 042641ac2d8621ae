import CSystemd.Socket
import Glibc

/// Who connected, as the kernel recorded it at `connect`: never what the peer says of itself.
public struct PeerIdentity: Equatable, Sendable {
    public let uid: UInt32
    public let gid: UInt32
    /// For messages only: the process may be long gone and its number another's.
    public let pid: Int32
    /// The security module's label (`SO_PEERSEC`), empty where there is none.
    public let label: String
    /// Supplementary groups.
    public let groups: [UInt32]

    public init(uid: UInt32, gid: UInt32, pid: Int32, label: String = "", groups: [UInt32] = []) {
        self.uid = uid
        self.gid = gid
        self.pid = pid
        self.label = label
        self.groups = groups
    }

    public func isMember(of group: UInt32) -> Bool { gid == group || groups.contains(group) }
}

extension FileDescriptor {
    /// The identity of the process at the other end of this Unix socket.
    public borrowing func peerIdentity() throws(SystemError) -> PeerIdentity {
        var uid: UInt32 = 0
        var gid: UInt32 = 0
        var pid: Int32 = 0
        _ = try check(linux_peer_credentials(number, &uid, &gid, &pid), "learn who connected")
        return PeerIdentity(uid: uid, gid: gid, pid: pid, label: try peerLabel(), groups: try peerGroups())
    }

    /// Makes the kernel refuse a peer's attempt to pass descriptors. Returns false before Linux 6.16, which cannot.
    @discardableResult
    public borrowing func refuseDescriptors() -> Bool { linux_refuse_descriptors(number) == 0 }

    private borrowing func peerLabel() throws(SystemError) -> String {
        var bytes = [CChar](repeating: 0, count: Self.labelMax)
        let length = linux_peer_label(number, &bytes, UInt32(bytes.count))
        // No security module labels sockets here.
        if length == -ENOPROTOOPT || length == -EOPNOTSUPP || length == -EINVAL { return "" }
        let count = Int(try check(length, "learn the peer's security label"))
        return String(decoding: bytes[..<count].prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private borrowing func peerGroups() throws(SystemError) -> [UInt32] {
        var groups = [UInt32](repeating: 0, count: 32)
        var count = linux_peer_groups(number, &groups, UInt32(groups.count))
        if count == -ERANGE {
            groups = [UInt32](repeating: 0, count: Self.groupsMax)
            count = linux_peer_groups(number, &groups, UInt32(groups.count))
        }
        return Array(groups[..<Int(try check(count, "learn the peer's groups"))])
    }

    /// SELinux and AppArmor labels are tens of bytes; the longest AppArmor profile name with a stack stays below this.
    private static var labelMax: Int { 1_024 }
    /// `NGROUPS_MAX` of Linux (include/uapi/linux/limits.h).
    private static var groupsMax: Int { 65_536 }
}
