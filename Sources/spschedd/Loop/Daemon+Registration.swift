import Arbiter
import ConfigurationFiles
import LinuxIO
import VMMProtocol

/// VMs: they register, resume by their token, linger without a connection, and go.
extension Daemon {
    // MARK: Coming

    func admit(_ register: Register, tag: UInt64, on connection: Connection, now: Instant) {
        if register.token != .none, let known = vms[register.token] {
            guard known.account === connection.account else {
                return send(.error(ErrorReply(.accessDenied)), tag: tag, to: connection)
            }
            if known.connections.isEmpty { counters.resumed += 1 }
            releaseOrphans(of: known.vm, now)
            return attach(connection, to: known.vm, register, tag: tag, isResumed: true)
        }
        do throws(RegistrationRefusal) {
            let policy = policies.policy(for: connection.peer)
            if let policy, policy.access == .denied { throw .denied(policy, connection.account.key) }
            let granted = try clip(register, policy)
            let vm = try enter(granted, of: connection.account, policy, now)
            attach(connection, to: vm, granted, tag: tag, isResumed: false)
            logRegistered(vm, connection, register, policy)
        } catch {
            send(.error(error.reply), tag: tag, to: connection)
            logRefused(register, error, connection)
            if case .denied = error { doom(connection, .denied) }
        }
        carryOutDecisions()
    }

    /// What the policy leaves of what the VM asks for.
    private func clip(_ register: Register, _ policy: PolicySettings?) throws(RegistrationRefusal) -> Register {
        guard let policy else { return register }
        var granted = register
        do throws(PolicyRefusal) {
            granted.registration = try policy.clip(
                register.registration, guestWaitMax: configuration.arbiter.guestWaitMax)
        } catch {
            throw .policy(error)
        }
        granted.failureMode = policy.clip(register.failureMode)
        return granted
    }

    /// Registers a new VM under a new token.
    private func enter(
        _ register: Register, of account: Account, _ policy: PolicySettings?, _ now: Instant
    ) throws(RegistrationRefusal) -> VMID {
        // Whatever token it brings: nobody knows it here, and anybody could make one up.
        guard !arbiter.isDraining else { throw .draining }
        let cap = AccountCap(policy, \.vmsMax, "vms_max", else: configuration.account.vmsMax)
        guard account.vms < cap.value else { throw .accountVMs(cap) }
        let admission: Admission
        do {
            admission = try arbiter.register(
                register.registration, name: "\(register.name)", account: account.id, now: now)
        } catch {
            throw .arbiter(error)
        }
        account.vms += 1
        refusals.forget(admission.vm.slot)
        vms.insert(
            VMRecord(
                vm: admission.vm, token: .random(), uuid: register.uuid, name: register.name, account: account,
                failureMode: register.failureMode, registration: register.registration, admission: admission,
                registeredAt: now))
        if let keeper, let record = vms[admission.vm] { keeper.keep(record) }
        arbiter.keep(account)
        return admission.vm
    }

    /// Makes the connection one of the VM's and tells it what the VM was granted.
    private func attach(
        _ connection: Connection, to vm: VMID, _ register: Register, tag: UInt64, isResumed: Bool
    ) {
        vms.update(vm) {
            $0.connections.append(connection.token)
            $0.lingersUntil = nil
        }
        connection.machine.registered(vm)
        store(connection, of: vm)
        serve(connection, promptly: !connection.budget.isExceeded)
        answer(register, tag: tag, of: vm, on: connection, isResumed: isResumed)
    }

    private func mayHaveDescriptor(_ connection: Connection) -> Bool {
        policies.policy(for: connection.peer)?.descriptors != .withheld
    }

    /// Tells a client what its VM was granted.
    func answer(
        _ register: Register, tag: UInt64, of vm: VMID, on connection: Connection, isResumed: Bool = false
    ) {
        guard let record = vms[vm] else { return }
        if register.wantsDescriptor, mayHaveDescriptor(connection), let descriptor = handOutDevice() {
            let reply = registered(record, carriesDescriptor: true, isResumed: isResumed)
            if send(.registered(reply), tag: tag, passing: descriptor, to: connection) { return }
            log(
                .resources, .error, of: connection.account,
                "\(record.title) got no descriptor of the device: too many lie unread at clients. Raise LimitNOFILE",
                record.fields + connection.fields + [LogField(.reason, "too many descriptors lie unread at clients")])
        }
        send(
            .registered(registered(record, carriesDescriptor: false, isResumed: isResumed)), tag: tag, to: connection)
    }

    private func registered(_ record: VMRecord, carriesDescriptor: Bool, isResumed: Bool) -> Registered {
        let asked = record.registration
        return Registered(
            token: record.token, epoch: epoch, reservation: record.admission.reservation, limit: asked.limit,
            weight: asked.weight, burst: asked.burst, guestWaitMax: record.admission.guestWaitMax,
            guestWaitReserved: record.admission.guestWaitReserved,
            entitlement: arbiter.entitlement(of: record.vm) ?? .zero, retryPolicy: asked.retryPolicy,
            failureMode: record.failureMode, carriesDescriptor: carriesDescriptor, isResumed: isResumed)
    }

    // MARK: Going

    /// The client says that its VM is gone: its other connections have no VM from now on either.
    func unregister(_ vm: VMID, now: Instant) {
        guard let record = vms[vm] else { return }
        arbiter.unregister(vm, now: now, into: &decisions)
        carryOutDecisions()
        // They change their place when they next say something: a VM may have thousands of connections.
        for token in record.connections {
            guard let connection = connections[token] else { continue }
            connection.machine.unregistered()
            unstore(connection)
        }
        remove(record, "it unregistered")
    }

    /// One of the VM's connections is gone. After the last, the VM stays for a while.
    func detach(_ token: EventToken, from vm: VMID, _ now: Instant) {
        let until = now + configuration.clients.linger
        var isLast = false
        vms.update(vm) {
            $0.connections.removeAll { $0 == token }
            isLast = $0.connections.isEmpty
            if isLast { $0.lingersUntil = until }
        }
        if isLast { keepHouse(by: until) }
    }

    func removeLingering(_ now: Instant) {
        var leaving: [VMRecord] = []
        vms.forEach { record in
            guard let until = record.lingersUntil else { return }
            if until <= now { leaving.append(record) } else { keepHouse(by: until) }
        }
        if leaving.count > DaemonLimits.leavingAtOnce { keepHouse(by: now) }
        for record in leaving.prefix(DaemonLimits.leavingAtOnce) {
            arbiter.unregister(record.vm, now: now, into: &decisions)
            carryOutDecisions()
            remove(record, "its last connection is gone")
        }
    }

    private func remove(_ record: VMRecord, _ reason: String) {
        closeSession(of: record.vm, .vmGone)
        vms.remove(record.vm)
        record.account.vms -= 1
        note(.vmGone(reason), of: VMLabel(record))
        arbiter.keep(record.account)
        log(
            .vmGone, .info, of: record.account, "\(record.title) is gone: \(reason)",
            record.fields + [LogField(.reason, reason)])
    }

    // MARK: Launch sessions, as far as the account's cap counts them

    func openSession(_ session: SessionID, of vm: VMID) {
        vms.update(vm) { $0.session = session }
        guard let account = vms[vm]?.account else { return }
        account.launches += 1
        arbiter.keep(account)
    }

    func closeSession(of vm: VMID, _ end: Change.LaunchEnd) {
        guard let record = vms[vm], record.session != nil else { return }
        vms.update(vm) { $0.session = nil }
        record.account.launches -= 1
        arbiter.keep(record.account)
        note(.launchEnded(end), of: VMLabel(record))
    }

    // MARK: The journal

    private func logRegistered(
        _ vm: VMID, _ connection: Connection, _ asked: Register, _ policy: PolicySettings?
    ) {
        guard let record = vms[vm] else { return }
        let reservation = record.admission.reservation
        counters.registrations += 1
        note(.vmRegistered(reservation: reservation), of: VMLabel(record))
        log(
            .vmRegistered, .info, of: record.account,
            "\(record.title) of \(connection.name) is registered with a reservation of \(RateText.write(reservation))"
                + clipped(record, asked, policy),
            record.fields + connection.fields + [LogField(.reservation, reservation.millihertz)])
    }

    /// What the policy took away, as the end of a sentence.
    private func clipped(_ record: VMRecord, _ asked: Register, _ policy: PolicySettings?) -> String {
        guard let policy else { return "" }
        let parts = ClippedParts(asked: asked, granted: record.registration, record.failureMode)
        return parts.isEmpty ? "" : "; policy '\(policy.name)' clipped \(parts)"
    }

    private func logRefused(_ register: Register, _ refusal: RegistrationRefusal, _ connection: Connection) {
        let reply = refusal.reply
        if let code = reply.code.known {
            counters.rejections.add(code)
            rejections.note(register, of: connection.account.key, code, reply.text, at: now)
            note(.registrationRefused(code, reply.text), of: VMLabel(register))
        }
        log(
            .registrationRefused, .notice, of: connection.account,
            "VM \"\(register.name)\" of \(connection.name) was not admitted: \(reply.text)",
            connection.fields + [
                LogField(.vmName, register.name), LogField(.vmUUID, register.uuid),
                LogField(.code, reply.code.rawValue),
            ])
    }
}

/// Why a VM was not admitted: by the Arbiter, by a cap of its account, or by a policy.
private enum RegistrationRefusal: Error {
    case denied(PolicySettings, AccountKey)
    case arbiter(AdmissionRefusal)
    case accountVMs(AccountCap)
    case policy(PolicyRefusal)
    case draining

    var reply: ErrorReply {
        switch self {
        case .denied(let policy, let account): ErrorReply(policy, denies: account)
        case .draining: ErrorReply(.draining)
        case .arbiter(let refusal): ErrorReply(refusal)
        case .accountVMs(let cap):
            ErrorReply(
                code: Extensible(.accountVMs),
                text:
                    "This account has \(cap.value) VMs, the most that \(cap.setting) allows. Unregister one, or have the"
                    + " cap raised.")
        case .policy(let refusal): refusal.reply
        }
    }
}

extension VMRecord {
    var fields: [LogField] { [LogField(.vmUUID, uuid), LogField(.vmName, name)] }
}

extension Token {
    /// 128 random bits of the kernel's: nobody can guess another VM's.
    static func random() -> Token {
        Token(high: .random(in: 1...UInt64.max), low: .random(in: 0...UInt64.max))
    }
}
