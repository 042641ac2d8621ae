import Arbiter
import LinuxIO

/// A wait for the turn on a thread of its own, so that signals and the VM's news are heard meanwhile.
final class TurnWait: Sendable {
    private let client: ProxyClient
    private let answer = Guarded<Result<ProxyGrant, LaunchProblem>?>(nil)
    private let finished: WakeUp

    /// Begins to wait.
    static func begin(_ client: ProxyClient, pages: UInt32) throws(LaunchProblem) -> TurnWait {
        do {
            let wait = TurnWait(client, try WakeUp())
            try DetachedThread.start(named: "wait-for-turn") { wait.acquire(pages) }
            return wait
        } catch {
            throw .refused("\(error)")
        }
    }

    private init(_ client: ProxyClient, _ finished: consuming WakeUp) {
        self.client = client
        self.finished = finished
    }

    /// Readable once there is an answer.
    var descriptor: Int32 { finished.descriptor.number }

    /// The turn, once `descriptor` is readable.
    func result() throws(LaunchProblem) -> ProxyGrant {
        guard let answer = answer.withLock({ $0 }) else { throw .refused("the wait for a turn has no answer yet") }
        return try answer.get()
    }

    /// Ends the wait, and returns the turn if it came nevertheless.
    func cancel() {
        repeat {
            client.cancel()
        } while Readable.first(of: [descriptor], milliseconds: LaunchLimits.cancelMilliseconds) == nil
        if case .success(let grant) = answer.withLock({ $0 }) { client.release(grant, pagesDone: 0, failed: false) }
    }

    private func acquire(_ pages: UInt32) {
        let result: Result<ProxyGrant, LaunchProblem>
        do { result = .success(try client.acquire(pages: pages)) } catch { result = .failure(error) }
        answer.withLock { $0 = result }
        finished.signal()
    }
}
