import Testing

@testable import spschedd_bench

/// Goal: what other programs print is read as they mean it. Method: lines that they printed.
@Suite struct ProgramsTests {
    @Test func `A result of the load client is read`() throws {
        let line =
            #"{"mode":"cycle","clients":64,"ops":192000,"elapsed_ns":4596131054,"ops_per_s":41774.3,"#
            + #""mean_ns":1530800,"p50_ns":780288,"p99_ns":6012928,"p999_ns":6569984,"max_ns":8503617,"#
            + #""lost":1,"refusals":2,"first_refusal":"This VM is over its own \"limit\"."}"#
        let result = try LoadResult(line: line)
        #expect(result.operations == 192_000)
        #expect(result.operationsPerSecond == 41_774.3)
        #expect(result.p50 == 780_288 && result.p99 == 6_012_928)
        #expect(result.refusals == 2 && result.lost == 1)
        #expect(result.firstRefusal == #"This VM is over its own "limit"."#)
    }

    @Test func `What is no result is refused, and shown`() {
        #expect(throws: BenchmarkProblem.self) { try LoadResult(line: "load: the server hung up") }
        let problem = #expect(throws: BenchmarkProblem.self) { try LoadResult(line: #"{"ops":1}"#) }
        #expect("\(String(describing: problem))".contains(#"{"ops":1}"#))
    }

    @Test func `A summary of strace is read, without its head and its total`() {
        let text = """
            calls syscall
            --------- ----------------
                 1000 sendmsg
                 1001 epoll_wait
            --------- ----------------
                 2001 total
            """
        #expect(StraceSummary.parse(text) == ["sendmsg": 1_000, "epoll_wait": 1_001])
    }

    @Test func `The load client is told all that was ordered`() {
        let order = LoadOrder(
            mode: .throughLibrary, clients: 3, warmUp: 5, operations: 7, seconds: 2, processor: 1, spinNanoseconds: 9,
            pauseNanoseconds: 4)
        #expect(
            order.arguments(path: "/p").joined(separator: " ")
                == "--path /p --mode library --clients 3 --warm-up 5 --step --operations 7 "
                + "--seconds 2 --cpu 1 --spin 9 --pause 4")
    }
}
