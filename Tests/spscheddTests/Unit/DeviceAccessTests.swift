import DeviceTestSupport
import Foundation
import LinuxIO
import Testing

@testable import spschedd

@Suite("The device as the daemon hands it out")
struct DeviceAccessTests {
    private let directory: TemporaryDirectory
    private let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.file("sev")
    }

    private func place(_ device: String) throws {
        try? FileManager.default.removeItem(atPath: path)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: device)
    }

    /// Whether what a client would get now is this device; `nil` if it would get none.
    private func gives(_ device: String, _ access: inout DeviceAccess) -> Bool? {
        guard let descriptor = access.handOut() else { return nil }
        return descriptor.isFile(at: device)
    }

    @Test("a device that was replaced between two looks is not handed out any more: the new one is")
    func replaced() throws {
        try place("/dev/null")
        var access = DeviceAccess(path: path)
        let before = gives("/dev/null", &access)
        try place("/dev/zero")
        let after = gives("/dev/zero", &access)
        #expect(before == true && after == true)
    }

    @Test("a device that has gone is handed to nobody, and found when it is there again")
    func gone() throws {
        try place("/dev/null")
        var access = DeviceAccess(path: path)
        access.look()
        try FileManager.default.removeItem(atPath: path)
        let none = gives("/dev/null", &access)
        #expect(none == nil)
        try place("/dev/null")
        let again = gives("/dev/null", &access)
        #expect(again == true)
    }
}
