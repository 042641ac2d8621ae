import Arbiter
import DaemonTestSupport
import Glibc

/// A VM in a process of its own that attests and launches without end, to be killed at any moment.
@main
enum App {
    static func main() throws {
        let client = try TestClient(path: CommandLine.arguments[1])
        try client.enter("storm \(CommandLine.arguments[2])", Registration(reservationWanted: .zero))
        print("ready")
        fflush(nil)
        var round = 0
        let parent = getppid()
        while getppid() == parent {
            round += 1
            if round % 4 == 0 {
                try? client.launch(pages: 64)
            } else if let granted = try? client.acquire(.report) {
                try client.release(granted.turn)
            }
            // A guest's pace: without it these processes would ask only for the processor.
            poll(nil, 0, Int32.random(in: 5...50))
        }
    }
}
