import Arbiter
import LinuxIO

/// What can wait: who connects, who has not registered yet, who floods, and operators.
///
/// It has an epoll of its own, which is one member of the loop's. While VMs ask for turns it may use one part in
/// `DaemonLimits.backgroundShare` of the time, a batch at once; on a daemon that nobody asks it runs freely. So nobody
/// but registered VMs that keep to their message budget can make a grant late by more than one batch, or often.
struct BackgroundLane: ~Copyable {
    let poll: EventPoll
    /// Not before this while VMs ask.
    var resumesAt = Instant.distantPast
    /// The loop does not hear of it until then.
    var isMuted = false

    init() throws(SystemError) { poll = try EventPoll(capacity: DaemonLimits.backgroundBatch) }

    /// - Parameter lastAsked: when a VM last asked something.
    func mayRun(at now: Instant, lastAsked: Instant) -> Bool {
        now >= resumesAt || now - lastAsked >= DaemonLimits.quietAfter
    }

    mutating func ran(from began: Instant, to now: Instant) {
        let pause = min(now - began, .seconds(1)) * (DaemonLimits.backgroundShare - 1)
        resumesAt = now + pause.clamped(to: DaemonLimits.backgroundPause)
    }
}

extension Daemon {
    /// Serves a batch of what can wait if its share of the time permits it; else hears no more of it until it does.
    func serveBackground() throws(SystemError) {
        let began = clock.now()
        isNowFresh = false
        guard background.mayRun(at: began, lastAsked: lastAsked) else { return try muteBackground(true) }
        let count = try background.poll.wait(milliseconds: 0)
        for index in 0..<count {
            serve(background.poll.event(index))
            // The kernel tells of the rest again.
            if clock.now() - began > DaemonLimits.backgroundBatchTime { break }
        }
        if manager.hasWork {
            // Muted meanwhile, so that only VMs can be heard: the step ends when one asks.
            try muteBackground(true)
            manager.step(self)
        }
        closeDoomedInBackground()
        background.ran(from: began, to: clock.now())
    }

    /// Whether a VM has said something that nobody has read.
    var isAsked: Bool { poll.descriptor.waitReadable(milliseconds: 0) }

    func muteBackground(_ isMuted: Bool) throws(SystemError) {
        guard isMuted != background.isMuted else { return }
        try poll.modify(
            background.poll.descriptor.number, for: isMuted ? [] : .readable, token: Member.background.token)
        background.isMuted = isMuted
    }

    /// Where a connection is waited for. It is moved when that changes.
    func serve(_ connection: Connection, promptly: Bool) {
        guard promptly != connection.isPrompt, connection.doom == nil else { return }
        let number = connection.socket.descriptor.number
        let interest: Readiness = connection.hasUnsent ? [.readable, .writable] : .readable
        do {
            if promptly {
                try background.poll.remove(number)
                try poll.add(number, for: interest, token: connection.token)
            } else {
                try poll.remove(number)
                try background.poll.add(number, for: interest, token: connection.token)
            }
            connection.isPrompt = promptly
        } catch {
            doom(connection, .socketError("\(error)"))
        }
    }
}
