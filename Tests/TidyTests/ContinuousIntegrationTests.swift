import Testing

/// Goal: no test is only run by hand. Method: the Makefile's targets against the stages of .ci/run.
@Suite("Continuous integration")
struct ContinuousIntegrationTests {
    @Test("every test target of the Makefile is a stage of .ci/run")
    func everyTestTargetRuns() throws {
        let targets = Self.testTargets(try #require(Repository.read("Makefile")))
        #expect(targets.isSuperset(of: ["test", "test-asan", "test-tsan", "test-system"]))
        let stages = Self.stages(try #require(Repository.read(".ci/run")))
        #expect(targets.subtracting(stages).isEmpty, "not run by .ci/run")
    }

    @Test("a target that is no stage is noticed")
    func canFail() {
        let makefile = SourceFile(path: "Makefile", text: "test: lint\n\tx\ntest-new: build ## New\n\ty\nlint:\n\tz\n")
        let stages = SourceFile(path: ".ci/run", text: "stage test make test\n# stage new make test-new\n")
        #expect(Self.testTargets(makefile) == ["test", "test-new"])
        #expect(Self.stages(stages) == ["test"])
    }

    private static func testTargets(_ makefile: SourceFile) -> Set<String> {
        Set(makefile.lines.compactMap { $0.wholeMatch(of: /(test[a-z-]*):( .*)?/).map { String($0.output.1) } })
    }

    private static func stages(_ script: SourceFile) -> Set<String> {
        let stage = /stage [a-z]+ make ([a-z-]+)( .*)?/
        return Set(script.lines.compactMap { $0.wholeMatch(of: stage).map { String($0.output.1) } })
    }
}
