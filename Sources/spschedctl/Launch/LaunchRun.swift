import Arbiter
import LinuxIO
import Reporting

/// One launch by proxy: the VM's own program does it, inside a turn that is taken and returned here.
struct LaunchRun {
    let socket: String
    let pages: UInt32
    let virtualCPUs: UInt32
    /// Launches without a turn where spschedd is absent.
    let failsOpen: Bool
    let signals: LaunchSignals
    /// Says something to a person while the launch goes on.
    let tell: (String) -> Void

    func launch<Machine: PausedMachine & ~Copyable>(_ machine: inout Machine) throws(LaunchProblem) -> LaunchResult {
        let identity = try machine.identify()
        let client = try registered(identity)
        var launched = false
        do throws(LaunchProblem) {
            if let signal = signals.take() { throw .interrupted(signal: signal) }
            try machine.prepare()
            let began = BootClock.now()
            let grant = try turn(of: client, identity, &machine)
            let returned = try resume(&machine, grant, client)
            launched = true
            let running = try machine.confirm()
            client.leave(launched: true)
            return LaunchResult(identity, running, waited: grant.grantedAt - began, grant, returned)
        } catch {
            // Otherwise the connection just ends: the turn outlives it, as a proxy's.
            if launched || !error.launchMayGoOn { client.leave(launched: launched) }
            throw error
        }
    }

    /// spschedd knows the VM. It is waited for without a look at signals, for some seconds at most.
    private func registered(_ identity: MachineIdentity) throws(LaunchProblem) -> ProxyClient {
        do throws(LaunchProblem) {
            let client = try ProxyClient(socket: socket, failsOpen: failsOpen)
            try client.register(identity, failsOpen: failsOpen)
            return client
        } catch {
            // Who was told to end need not hear that nobody answered.
            if let signal = signals.take() { throw .interrupted(signal: signal) }
            throw error
        }
    }

    /// The turn, not so old that it may have passed to another.
    private func turn<Machine: PausedMachine & ~Copyable>(
        of client: ProxyClient, _ identity: MachineIdentity, _ machine: inout Machine
    ) throws(LaunchProblem) -> ProxyGrant {
        try client.begin(pages: pages, virtualCPUs: virtualCPUs)
        for _ in 0..<LaunchLimits.grantsTried {
            let grant = try wait(client, identity, &machine)
            guard client.isStale(grant) else { return grant }
            client.release(grant, pagesDone: 0, failed: false)
        }
        throw .refused("this process was stopped for so long that its turns went stale: try again")
    }

    private func wait<Machine: PausedMachine & ~Copyable>(
        _ client: ProxyClient, _ identity: MachineIdentity, _ machine: inout Machine
    ) throws(LaunchProblem) -> ProxyGrant {
        let wait = try TurnWait.begin(client, pages: pages)
        var descriptors = [wait.descriptor, signals.descriptor]
        if let news = machine.newsDescriptor { descriptors.append(news) }
        var milliseconds = LaunchLimits.noticeMilliseconds
        do throws(LaunchProblem) {
            while true {
                switch Readable.first(of: descriptors, milliseconds: milliseconds) {
                case 0: return try wait.result()
                case 1: if let signal = signals.take() { throw .interrupted(signal: signal) }
                case 2: try machine.readNews()
                default:
                    tell("\(identity.name) waits for its turn: 'spschedctl status' says who is before it")
                    milliseconds = -1
                }
            }
        } catch {
            wait.cancel()
            throw error
        }
    }

    /// Lets the VM run, and returns the turn: when.
    private func resume<Machine: PausedMachine & ~Copyable>(
        _ machine: inout Machine, _ grant: ProxyGrant, _ client: ProxyClient
    ) throws(LaunchProblem) -> (at: Instant, on: Int64) {
        do throws(LaunchProblem) {
            if let signal = signals.take() { throw .interrupted(signal: signal) }
            // What came with the turn, or with an answer before it, woke nobody.
            try machine.readNews()
            try machine.resume(patience: grant.leaseLeft ?? LaunchLimits.unarbitrated)
            let now = (at: BootClock.now(), on: CalendarClock.now())
            client.release(grant, pagesDone: pages, failed: false)
            return now
        } catch {
            guard error.launchMayGoOn else {
                client.release(grant, pagesDone: 0, failed: true)
                throw error
            }
            tell(Self.fate(of: grant))
            throw error
        }
    }

    /// What becomes of a turn that is not returned.
    private static func fate(of grant: ProxyGrant) -> String {
        guard let left = grant.leaseLeft else { return "no turn is held: spschedd was absent" }
        return left > .zero
            ? "its turn is left to its lease: other launches wait for up to \(Format.duration(left)) more"
            : "its turn's lease has ended: the next launch goes ahead once the SP answers"
    }
}
