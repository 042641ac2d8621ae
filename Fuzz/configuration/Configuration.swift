import FuzzSupport

@testable import ConfigurationFiles

/// Goal: a configuration file loads or is explained, whatever is in it; and what `--check-config` prints loads as the
/// same configuration.
/// Method: every input is the text of a file.
@c public func LLVMFuzzerTestOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    // SAFETY: libFuzzer lends `count` bytes for the call, and a pointer that may be nil when there are none.
    guard let text = String(validating: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self) else {
        return -1
    }
    let configuration: DaemonConfiguration
    do throws(ConfigurationError) {
        configuration = try ConfigurationFile.parse(text, file: "fuzz.toml")
    } catch {
        checkReadable(error)
        return 0
    }
    checkBounds(configuration)
    let printed = configuration.toml
    do throws(ConfigurationError) {
        expect(
            try ConfigurationFile.parse(printed, file: "printed.toml") == configuration,
            "what was printed loads as another configuration:\n\(printed)")
    } catch {
        fail("what was printed does not load: \(error)\n\(printed)")
    }
    return 0
}

private func checkReadable(_ error: ConfigurationError) {
    expect(!error.problems.isEmpty, "the configuration does not load for no reason")
    for problem in error.problems {
        expect(!problem.message.isEmpty, "a problem without words")
        expect(problem.file == "fuzz.toml", "a problem of another file")
        expect(problem.line == nil || problem.line! > 0, "a problem before the first line")
        expect(
            !problem.description.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F },
            "a problem that writes control characters to the terminal: \(problem.description.debugDescription)")
    }
}

/// Every value that was loaded is one that its key takes.
private func checkBounds(_ configuration: DaemonConfiguration) {
    for key in DaemonConfiguration.keys {
        let value = key.read(configuration)
        switch (key.kind, value) {
        case (.duration(let range), .duration(let value)): expect(range.contains(value), "\(key.path): \(value)")
        case (.optionalRate(let range), .rate(let value)):
            expect(value.map(range.contains) ?? true, "\(key.path): \(String(describing: value))")
        case (.share(let range), .share(let value)): expect(range.contains(value), "\(key.path): \(value)")
        case (.integer(let range), .integer(let value)): expect(range.contains(value), "\(key.path): \(value)")
        case (.choice(let names), .choice(let value)): expect(names.contains(value), "\(key.path): \(value)")
        case (.path, .text(let value)): expect(value?.hasPrefix("/") == true, "\(key.path) is no path")
        case (.optionalPath, .text(let value)): expect(value?.hasPrefix("/") ?? true, "\(key.path) is no path")
        case (.optionalGroup, .text(let value)): expect(value?.isEmpty != true, "\(key.path) is empty")
        case (.fileMode, .fileMode(let value)): expect(value <= 0o777, "\(key.path): \(value)")
        default: fail("\(key.path) holds a value of another kind")
        }
    }
}
