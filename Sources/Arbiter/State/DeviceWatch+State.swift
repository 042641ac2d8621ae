extension DeviceWatch {
    func save(into words: inout [UInt64]) {
        words.put(state)
        words.put(optional: askedAt) { $0.put($1) }
        words.put(lastAsked)
        words.put(pause)
    }

    init(restoring state: inout StateReader) throws(StateProblem) {
        self.state = try state.choice(DeviceState.self)
        askedAt = try state.optional { (state) throws(StateProblem) in try state.moment() }
        lastAsked = try state.moment()
        pause = try state.duration()
    }
}
