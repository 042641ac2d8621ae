import CSystemd.Daemon
import ConfigurationFiles
import Glibc
import LinuxIO

/// The daemon's two listeners: inherited from the service manager, or made here.
struct ListeningSockets: ~Copyable {
    let vmm: UnixListener
    let manager: UnixListener

    /// Takes the sockets that the service manager passed under the names `vmm` and `manager`, and makes those it did
    /// not.
    static func open(
        _ configuration: DaemonConfiguration, _ inherited: consuming InheritedDescriptors = InheritedDescriptors()
    ) throws -> ListeningSockets {
        ListeningSockets(
            vmm: try listener(inherited.vmm, configuration.vmm, .seqpacket),
            manager: try listener(inherited.manager, configuration.manager, .stream))
    }

    private static func listener(
        _ inherited: Int32?, _ settings: SocketSettings, _ kind: UnixSocketKind
    ) throws -> UnixListener {
        let listener = if let inherited { try adopt(inherited, kind) } else { try make(settings, kind) }
        // Connections inherit it: what is sent before they are accepted is refused, too.
        listener.descriptor.refuseDescriptors()
        return listener
    }

    private static func adopt(_ inherited: Int32, _ kind: UnixSocketKind) throws -> UnixListener {
        let descriptor = FileDescriptor(adopting: inherited)
        try descriptor.setNonblocking(true)
        return try UnixListener(adopting: descriptor, kind: kind)
    }

    private static func make(_ settings: SocketSettings, _ kind: UnixSocketKind) throws -> UnixListener {
        let group = try settings.group.map(GroupName.resolve)
        makeDirectory(of: settings.path)
        // Nobody may connect between bind and chmod.
        let mask = umask(0o177)
        defer { umask(mask) }
        let listener = try UnixListener(path: settings.path, kind: kind)
        if let group, chown(settings.path, uid_t.max, group) != 0 {
            throw SystemError(code: errno, attempt: "give to group \(settings.group ?? "")", subject: settings.path)
        }
        guard chmod(settings.path, settings.mode) == 0 else {
            throw SystemError(code: errno, attempt: "set the mode of", subject: settings.path)
        }
        return listener
    }

    /// One level, as a service manager's `DirectoryMode=` would. What is missing further up is the operator's to make;
    /// the error comes with `bind`.
    private static func makeDirectory(of path: String) {
        guard let end = path.lastIndex(of: "/"), end > path.startIndex else { return }
        mkdir(String(path[..<end]), 0o755)
    }
}

/// What sd_listen_fds(3) passed, by name: the units' sockets, and what the daemon before gave away to be kept.
struct InheritedDescriptors {
    var vmm: Int32?
    var manager: Int32?
    var stored = StoredDescriptors()

    init() {}

    static func take() throws -> InheritedDescriptors {
        var names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        let count = sd_listen_fds_with_names(1, &names)
        if count < 0 { throw SystemError(code: -count, attempt: "take the service manager's sockets") }
        // SAFETY: sd_listen_fds_with_names returns an array of `count` strings, allocated with malloc, ours to free.
        defer {
            for index in 0..<Int(count) { free(names?[index]) }
            free(names)
        }
        var inherited = InheritedDescriptors()
        for index in 0..<count {
            let name = names?[Int(index)].map { String(cString: $0) } ?? ""
            try inherited.assign(SD_LISTEN_FDS_START + index, named: name)
        }
        return inherited
    }

    /// A single socket without a name of ours is the VMMs': `systemd-socket-activate` names none. What does not listen
    /// comes from the service manager's store: a name that is wrong there must not keep the daemon from starting.
    mutating func assign(_ number: Int32, named name: String) throws {
        if stored.take(number, named: name) { return }
        guard UnixListener.listens(number) else { return stored.takeUnknown(number, named: name) }
        switch name {
        case "manager" where manager == nil: manager = number
        case "vmm" where vmm == nil: vmm = number
        case "manager", "vmm": throw UnexpectedSocket(name: name, isRepeated: true)
        case _ where vmm == nil: vmm = number
        default: throw UnexpectedSocket(name: name, isRepeated: false)
        }
    }
}

struct UnexpectedSocket: Error, CustomStringConvertible {
    let name: String
    let isRepeated: Bool

    var description: String {
        isRepeated
            ? "the service manager passed two sockets named '\(name)'; pass one (FileDescriptorName= in the unit)"
            : "the service manager passed a socket named '\(name)'; name it 'vmm' or 'manager' (FileDescriptorName=)"
    }
}

/// Group names and numbers, resolved at start, when waiting for a name service is harmless.
enum GroupName {
    static func resolve(_ name: String) throws(UnknownGroup) -> gid_t {
        guard let id = HostNames.group(name) else { throw UnknownGroup(name: name) }
        return id
    }
}

/// Whose members the Manager answers: those who may open its socket.
enum OperatorGroup {
    /// The configured group, or the one that the socket's file belongs to, if its mode lets that group in.
    static func of(_ settings: SocketSettings) throws -> gid_t? {
        if let name = settings.group { return try GroupName.resolve(name) }
        var status = stat()
        guard stat(settings.path, &status) == 0, status.st_mode & 0o020 != 0 else { return nil }
        return status.st_gid
    }
}

struct UnknownGroup: Error, CustomStringConvertible {
    let name: String

    var description: String { "there is no group '\(name)': create it, or change the setting socket_group" }
}
