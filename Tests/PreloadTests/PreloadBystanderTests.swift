import DeviceTestSupport
import Foundation
import Testing

@Suite("A program that launches nothing, on libspsched-preload", .timeLimit(.minutes(10)))
struct PreloadBystanderTests {
    @Test("files, ioctls, threads, children, closed descriptors: nothing differs from a run without it")
    func unharmed() throws {
        let without = try Run("bystander", [], [])
        let with = try Run("bystander", [], .preload)
        #expect(without.code == 0)
        #expect(without.lines.count > 60)
        #expect(with.lines == without.lines)
        #expect(with.errors.isEmpty)
    }

    @Test("it exports the functions that it stands in for and nothing else, and needs libc alone")
    func exports() throws {
        let library = try PreloadPrograms.path(of: "libspsched-preload.so")
        let symbols = Run(endOf: try BuiltProcess("/usr/bin/env", ["nm", "--dynamic", "--defined-only", library]))
        let names = symbols.lines.compactMap { $0.split(separator: " ").last.map(String.init) }
        let expected: Set = [
            "open", "open64", "openat", "openat64", "ioctl", "__open_2", "__open64_2", "__openat_2", "__openat64_2",
        ]
        #expect(Set(names) == expected)
        let dynamic = Run(endOf: try BuiltProcess("/usr/bin/env", ["readelf", "--dynamic", "--wide", library]))
        let needed = dynamic.lines.filter { $0.contains("(NEEDED)") }
        #expect(needed.count == 1 && needed[0].contains("[libc.so.6]"))
    }
}
