import Arbiter
import DeviceProtocol
import DeviceTestSupport
import LinuxIO
import ManagerProtocol
import Testing

@testable import spschedd

/// Goal: whatever is asked of spschedd-device is answered, or told as lost. Method: a listener that goes away.
@Suite("The way to spschedd-device")
struct DeviceLinkTests {
    @Test("a probe that is out when a command cannot be sent any more is told as lost")
    func lostProbe() throws {
        let directory = try TemporaryDirectory()
        let listener = try UnixListener(path: directory.file("device"))
        var link = DeviceLink(path: directory.file("device"))
        let now = Instant(sinceBoot: .seconds(100))
        #expect(link.probe(now: now) == .underWay(isNew: true))
        guard let accepted = try listener.accept() else { return #expect(Bool(false), "it did not connect") }
        accepted.close()
        guard case .unavailable = link.perform(PlatformOrder(.status), ticket: 7, now: now) else {
            return #expect(Bool(false), "it was sent")
        }
        guard case .lost(_, probeWasLost: true, tickets: []) = link.receive(now: now) else {
            return #expect(Bool(false), "nobody hears of the probe")
        }
        #expect(link.descriptorNumber == nil)
    }
}
