import CSystemd.Socket
import Glibc

/// An exclusive lock of a whole file, an open file description's (F_OFD_SETLK), as long as this value lives.
public struct FileLock: ~Copyable {
    private let file: LockableFile

    /// Takes the lock, or waits for it, at most so long.
    ///
    /// A lock has no descriptor that becomes ready, and no time-out. So a thread waits in the kernel; where that takes
    /// too long it is left behind, waiting, and with it the open file: the caller is to end the process.
    /// - Parameter waiting: told once if somebody holds the lock, with the file's true path.
    /// - Throws: as `open` and `fcntl`; EAGAIN when the time was up.
    public static func take(
        _ path: String, patienceMilliseconds: Int32, waiting: (String) -> Void
    ) throws(SystemError) -> FileLock {
        let file = LockableFile(try FileDescriptor.open(path, writable: true))
        var result = linux_lock_open_file(file.number)
        if result == -EAGAIN || result == -EACCES {
            waiting(path)
            result = try wait(for: file, milliseconds: patienceMilliseconds)
        }
        guard result == 0 else { throw SystemError(code: -result, attempt: "lock", subject: path) }
        return FileLock(file: file)
    }

    private static func wait(for file: LockableFile, milliseconds: Int32) throws(SystemError) -> Int32 {
        let answer = LockAnswer(arrived: try WakeUp())
        try DetachedThread.start(named: "lock") {
            var result = linux_wait_to_lock_open_file(file.number)
            while result == -EINTR { result = linux_wait_to_lock_open_file(file.number) }
            let end = result
            answer.result.withLock { $0 = end }
            answer.arrived.signal()
        }
        answer.arrived.descriptor.waitReadable(milliseconds: milliseconds)
        return answer.result.withLock { $0 }
    }
}

/// What both threads hold.
private final class LockableFile: Sendable {
    private let descriptor: FileDescriptor
    var number: Int32 { descriptor.number }

    init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
}

private final class LockAnswer: Sendable {
    let arrived: WakeUp
    let result = Guarded<Int32>(-EAGAIN)

    init(arrived: consuming WakeUp) { self.arrived = arrived }
}
