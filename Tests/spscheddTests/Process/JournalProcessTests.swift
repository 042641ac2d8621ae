import DaemonTestSupport
import DeviceTestSupport
import Foundation
import LinuxIO
import Testing

@testable import spschedd

@Suite("In the journal", .timeLimit(.minutes(10)))
struct JournalProcessTests {
    /// A journal socket of our own, at the place where libsystemd looks, in a mount namespace of our own.
    private static let script = """
        mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal && ln -s "$JOURNAL" /run/systemd/journal/socket &&
        JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec "$0" "$@"
        """

    @Test("records arrive with their fields")
    func records() throws {
        let directory = try TemporaryDirectory()
        let manager = try FakeServiceManager()
        let journal = try UnixListener(path: directory.file("journal"), kind: .datagram)
        let namespaces = getuid() == 0 ? ["--mount"] : ["--map-root-user", "--mount"]
        let process = try ChildProcess.spawn(
            "/usr/bin/unshare",
            namespaces + [
                "/bin/sh", "-c", Self.script, BuiltProcess.path(of: "spschedd"), "--config", "/dev/null", "--socket",
                directory.file("vmm"), "--manager-socket", directory.file("manager"), "--device",
                directory.file("none"),
            ],
            environment: ChildProcess.currentEnvironment() + [
                "NOTIFY_SOCKET=\(manager.path)", "JOURNAL=\(directory.file("journal"))",
            ])
        try manager.wait(for: "READY=1")
        let started = try record(.started, at: journal)
        #expect(started["PRIORITY"] == "6")
        #expect(started["SYSLOG_IDENTIFIER"] == "spschedd")
        #expect(started["SPSCHEDD_EPOCH"]?.count == 16)
        #expect(started["CODE_FILE"]?.hasSuffix(".swift") == true)

        let client = try TestClient(path: directory.file("vmm"))
        try client.enter("web-1")
        let registered = try record(.vmRegistered, at: journal)
        #expect(registered["SPSCHEDD_VM_NAME"] == "web-1")
        #expect(registered["SPSCHEDD_UID"] == "\(getuid())")
        #expect(registered["SPSCHEDD_CLIENT"] == "test client")
        #expect(registered["SPSCHEDD_RESERVATION_MILLIHERTZ"] == "1000")

        try client.send(bytes: [1, 2, 3])
        let disconnected = try record(.disconnected, at: journal)
        #expect(disconnected["SPSCHEDD_REASON"]?.contains("shorter than the 16-byte header") == true)
        process.send(signal: SIGTERM)
        #expect(process.wait(milliseconds: TestClient.patience) == .exited(code: 0))
    }

    /// The next record of this event; those before it are passed over.
    private func record(_ event: LogEvent, at journal: borrowing UnixListener) throws -> [String: String] {
        while journal.descriptor.waitReadable(milliseconds: TestClient.patience) {
            var bytes = [UInt8](repeating: 0, count: 16_384)
            let count = recv(journal.descriptor.number, &bytes, bytes.count, 0)
            guard count > 0 else { break }
            let lines = String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n")
            let pairs = lines.map { $0.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false) }
            let fields = Dictionary(pairs.filter { $0.count == 2 }.map { (String($0[0]), String($0[1])) }) { $1 }
            if fields["MESSAGE_ID"] == event.messageID { return fields }
        }
        throw TestFailure("no record of \(event) came")
    }
}
