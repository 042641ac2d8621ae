import CSystemd.Process
import Glibc

/// A thread that runs one function to its end. Foundation's would bring 38 MB of data into every program that has one.
public enum DetachedThread {
    /// - Parameter name: as `ps -L` shows it; at most 15 bytes.
    public static func start(named name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
        // SAFETY: the thread takes the retained work over; if there is none, it is released here.
        let work = Unmanaged.passRetained(Work(name: name, body: body))
        let error = linux_start_detached(work.toOpaque(), perform)
        guard error == 0 else {
            work.release()
            throw SystemError(code: -error, attempt: "start thread", subject: name)
        }
    }
}

private final class Work {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }
}

private func perform(_ pointer: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let pointer else { return nil }
    // SAFETY: `start` passed a retained `Work`, once.
    let work = Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue()
    linux_name_thread(work.name)
    work.body()
    return nil
}
