extension Rule {
    private static let excuses = [
        word(".disab", "led("), word("XCTS", "kip"), word("withKnown", "Issue"), word("--sk", "ip "),
    ]

    static let testsRunAlways = Rule.eachLine(
        "no test is skipped or expected to fail", of: \.isSwiftTest,
        broken: SourceFile(path: "Tests/X/Y.swift", text: "@Test(" + word(".disab", "led(") + "\"later\"))\n"),
        kept: SourceFile(path: "Tests/X/Y.swift", text: "#expect(button.disabled)\n")
    ) { line in
        excuses.first { line.contains($0) }.map { "'\($0)': a test either runs or does not exist" }
    }

    private static let sleeps = [
        word("usl", "eep("), word(" sl", "eep("), word("Thread.sl", "eep"), word("Task.sl", "eep"),
    ]

    static let testsDoNotSleep = Rule.eachLine(
        "no test sleeps: it waits for what it means", of: \.isSwiftTest,
        broken: SourceFile(path: "Tests/X/Y.swift", text: "    " + word("usl", "eep(") + "1000)\n"),
        kept: SourceFile(path: "Tests/X/Y.swift", text: "// the guest sleeps 2 s\nworld.guest(sleeps: .seconds(2))\n")
    ) { line in
        sleeps.first { line.contains($0) }.map { "'\($0)': wait for an event instead" }
    }
}
