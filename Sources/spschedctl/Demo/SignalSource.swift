import Glibc
import LinuxIO

/// Ctrl-C and its kin, as events: the demo then ends in order.
final class SignalSource {
    private let signals: SignalDescriptor

    init() throws(DemoError) {
        do { signals = try SignalDescriptor([SIGINT, SIGTERM, SIGHUP]) } catch { throw .system(error) }
    }

    var descriptorNumber: Int32 { signals.descriptor.number }

    func throwIfSignalled() throws(DemoError) {
        if let signal = signals.take() { throw .interrupted(signal: signal) }
    }
}
