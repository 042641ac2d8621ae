extension Turn {
    func save(into words: inout [UInt64]) {
        words.append(id.number)
        words.put(vm)
        words.put(kind)
        words.put(units)
        words.put(optional: session) { $0.append($1.number) }
        words.append(origin)
        words.put(grantedAt)
        words.put(predicted)
        words.put(lease)
        words.put(optional: guestPart) { $0.put($1) }
        words.put(flags: isProxy)
        words.put(optional: overdueSince) { $0.put($1) }
    }

    init(restoring state: inout StateReader) throws(StateProblem) {
        let id = TurnID(number: try state.word())
        let vm = try state.vm()
        let kind = try state.choice(CommandKind.self)
        let units = try state.unsigned32()
        let session = try state.optional { (state) throws(StateProblem) in SessionID(number: try state.word()) }
        self.init(
            id: id, vm: vm, kind: kind, units: units, session: session, origin: try state.word(),
            grantedAt: try state.moment(), predicted: try state.work(), lease: try state.work(),
            guestPart: try state.optional { (state) throws(StateProblem) in try state.choice(GuestPart.self) })
        isProxy = try state.flags(1)[0]
        overdueSince = try state.optional { (state) throws(StateProblem) in try state.moment() }
    }
}
