import Glibc
import LinuxIO

/// The device as the daemon sees it: what it hands out to VMMs, and never commands itself.
struct DeviceAccess: ~Copyable {
    enum Presence: Equatable {
        case present
        /// Why, and what to do about it.
        case absent(String)
    }

    let path: String
    private(set) var presence = Presence.absent("it was not looked for yet")
    /// The device's open for reading, which every client gets a duplicate of. An emulated one is connected to for each.
    private var opened: FileDescriptor?
    /// An operator wants the driver to be free.
    private var isReleased = false

    init(path: String) {
        self.path = path
    }

    /// Looks whether it is there now.
    mutating func look() {
        if isReleased { return absent("an operator released it, until 'spschedctl device retake' or a restart") }
        do {
            switch try FileKind.ofPath(path) {
            case .characterDevice: try openDevice()
            case .socket: try tryEmulator()
            default: absent("it is neither a device nor a socket: name one with --device or device.path")
            }
        } catch {
            absent(Self.advice(for: error))
        }
    }

    /// A descriptor for one client: read-only, or a fresh connection to the emulated device. `nil` if there is none
    /// now.
    mutating func handOut() -> FileDescriptor? {
        look()
        guard presence == .present else { return nil }
        do {
            if let copy = try opened?.duplicate() { return copy }
            return try connect()
        } catch {
            absent(Self.advice(for: error))
            return nil
        }
    }

    /// Closes it, and opens it no more.
    mutating func release() {
        isReleased = true
        look()
    }

    mutating func retake() {
        isReleased = false
        look()
    }

    private mutating func openDevice() throws(SystemError) {
        // One that vanished and came back between two looks: what is open leads to the one that is gone.
        if opened?.isFile(at: path) == false { opened = nil }
        if opened == nil {
            let descriptor = try FileDescriptor.openReadOnly(path)
            // The mode belongs to the open file, which the clients share: theirs is to block.
            try descriptor.setNonblocking(false)
            opened = consume descriptor
        }
        presence = .present
    }

    /// A socket file may be a dead process's: only a connection tells. While one was made lately, the file is enough.
    private mutating func tryEmulator() throws(SystemError) {
        opened = nil
        if presence != .present { try connect().close() }
        presence = .present
    }

    private func connect() throws(SystemError) -> FileDescriptor {
        let socket = try SeqpacketSocket.connect(to: path, isNonblocking: true)
        let descriptor = try socket.descriptor.duplicate()
        try descriptor.setNonblocking(false)
        return descriptor
    }

    private mutating func absent(_ reason: String) {
        opened = nil
        presence = .absent(reason)
    }

    private static func advice(for error: SystemError) -> String {
        let remedy =
            switch error.code {
            case ENOENT, ENXIO, ENODEV:
                "this host offers no Secure Processor. Enable SEV-SNP in the firmware set-up and load the ccp module, or name"
                    + " another device with --device"
            case EACCES, EPERM: "give the daemon's user permission to read it"
            case ECONNREFUSED: "its emulator has ended: start sp-emulator again"
            default: "see the kernel's log"
            }
        return "\(error): \(remedy)"
    }
}
