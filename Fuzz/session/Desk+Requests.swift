import Arbiter
import FuzzSupport
import VMMProtocol

@testable import spschedd

/// What a client asks, brought before the Arbiter as the daemon brings it.
extension Desk {
    func receive(_ record: [UInt8], from caller: Caller) {
        var tag: UInt64 = 0
        let action: ConnectionStateMachine.OnMessage
        do throws(WireError) {
            let header = try Header(decoding: record.span)
            tag = header.tag
            let message = try ClientMessage(decoding: record.span, header: header)
            action = caller.machine.received(message, tag: tag, now: now)
        } catch {
            action = caller.machine.receivedMalformed(error, now: now)
        }
        switch action {
        case .perform(let message, let vm): perform(message, tag, vm, caller)
        case .welcome(let features):
            send(
                .welcome(Welcome(features: features, epoch: 1, chunkPages: 32, deviceState: .init(.alive))), tag: tag,
                to: caller)
        case .register(let register): admit(register, tag, caller)
        case .refuse(let reply): send(.error(reply), tag: tag, to: caller)
        case .refuseAndClose(let reply, _):
            send(.error(reply), tag: tag, to: caller)
            caller.isDoomed = true
        case .ignore: break
        }
    }

    private func perform(_ message: ClientMessage, _ tag: UInt64, _ vm: VMID, _ caller: Caller) {
        do throws(RequestError) {
            try request(message, tag, vm, caller)
            carryOut()
        } catch {
            switch message {
            // They had their tag opened; it is closed by their reply.
            case .acquire, .releaseAndAcquire:
                expect(caller.machine.replied(tag: tag), "a refusal for what does not wait")
            default: break
            }
            carryOut()
            send(.error(ErrorReply(error)), tag: tag, to: caller)
        }
    }

    private func request(
        _ message: ClientMessage, _ tag: UInt64, _ vm: VMID, _ caller: Caller
    ) throws(RequestError) {
        let id = RequestID(origin: caller.origin, tag: tag)
        switch message {
        case .acquire(let acquire):
            guard open(tag, caller) else { return }
            try arbiter.acquire(
                acquire.kind, units: acquire.units, maxWait: acquire.maxWait, request: id, of: vm, now: now,
                into: &decisions)
        case .release(let release):
            try arbiter.release(release.turn, release.outcome, of: vm, now: now, into: &decisions)
            carryOut()
            if tag != 0 { send(.done, tag: tag, to: caller) }
        case .releaseAndAcquire(let release, let acquire):
            guard open(tag, caller) else { return }
            try arbiter.releaseAndAcquire(
                release.turn, release.outcome, acquire.kind, units: acquire.units, maxWait: acquire.maxWait,
                request: id, of: vm, now: now, into: &decisions)
        case .cancel(let cancelled):
            guard caller.machine.isOpen(tag: cancelled) else { return }
            arbiter.cancel(RequestID(origin: caller.origin, tag: cancelled), of: vm, now: now, into: &decisions)
        case .launchBegin(let plan): beginLaunch(plan, tag, vm, caller)
        case .launchEnd(let session, _):
            try arbiter.endLaunch(session, of: vm, now: now, into: &decisions)
            setSession(nil, of: vm)
            carryOut()
            send(.done, tag: tag, to: caller)
        case .unregister:
            unregister(vm)
            send(.done, tag: tag, to: caller)
        case .resyncState: break
        case .hello, .register: fail("the state machine has passed on \(message.type.name)")
        }
    }

    private func open(_ tag: UInt64, _ caller: Caller) -> Bool {
        if caller.machine.opened(tag: tag) { return true }
        send(.error(ErrorReply(.tooManyRequests)), tag: tag, to: caller)
        return false
    }

    private func beginLaunch(_ plan: LaunchPlan, _ tag: UInt64, _ vm: VMID, _ caller: Caller) {
        do throws(LaunchRefusal) {
            let session = try arbiter.beginLaunch(plan, of: vm, now: now)
            setSession(session, of: vm)
            send(.launchBegun(session, chunkPages: 32), tag: tag, to: caller)
        } catch {
            switch error {
            case .busy(let busy): send(.busy(Self.words(busy)), tag: tag, to: caller)
            case .error(let mistake): send(.error(ErrorReply(mistake)), tag: tag, to: caller)
            }
        }
    }

    private func setSession(_ session: SessionID?, of vm: VMID) {
        guard let index = vms.firstIndex(where: { $0.id == vm }) else { fail("a session of an unknown VM") }
        vms[index].session = session
    }

    // MARK: Registering

    private func admit(_ register: Register, _ tag: UInt64, _ caller: Caller) {
        if register.token != .none, let index = vms.firstIndex(where: { $0.token == register.token }) {
            guard vms[index].account == caller.account else {
                return send(.error(ErrorReply(.accessDenied)), tag: tag, to: caller)
            }
            return attach(caller, to: index, register, tag, isResumed: true)
        }
        do throws(AdmissionRefusal) {
            let admission = try arbiter.register(register.registration, account: caller.account, now: now)
            let number = UInt64(admission.vm.generation) << 32 | UInt64(admission.vm.slot)
            vms.append(
                VM(
                    id: admission.vm, token: Token(high: 2, low: number), account: caller.account, admission: admission)
            )
            attach(caller, to: vms.count - 1, register, tag, isResumed: false)
        } catch {
            send(.error(ErrorReply(error)), tag: tag, to: caller)
        }
        carryOut()
    }

    private func attach(_ caller: Caller, to index: Int, _ register: Register, _ tag: UInt64, isResumed: Bool) {
        vms[index].callers.append(caller.origin)
        vms[index].lingersUntil = nil
        let vm = vms[index]
        caller.machine.registered(vm.id)
        let asked = register.registration
        send(
            .registered(
                Registered(
                    token: vm.token, epoch: 1, reservation: vm.admission.reservation, limit: asked.limit,
                    weight: asked.weight, burst: asked.burst, guestWaitMax: vm.admission.guestWaitMax,
                    guestWaitReserved: vm.admission.guestWaitReserved,
                    entitlement: arbiter.entitlement(of: vm.id) ?? .zero, retryPolicy: asked.retryPolicy,
                    failureMode: register.failureMode, carriesDescriptor: false, isResumed: isResumed)),
            tag: tag, to: caller)
    }
}
