import Arbiter

/// Plays the whole plan, scene after scene.
struct Show {
    private let plan: DemoPlan

    init(_ plan: DemoPlan) { self.plan = plan }

    func play() throws(DemoError) -> ShowOutcome {
        let signals = try SignalSource()
        let directory = try RuntimeDirectory()
        let scenes = plan.cells + [plan.budget].compactMap(\.self)
        var progress = Progress(scenes: scenes.count)
        var outcome = ShowOutcome(plan: plan)
        for (index, scene) in scenes.enumerated() {
            let place = try directory.makeScene(index + 1)
            let run = try SceneRun(scene, in: place, signals: signals, progress: progress)
            let record = try run.play()
            progress.advance()
            if index < plan.cells.count {
                outcome.results.runs.append(RunResult(record))
                outcome.records.append(record)
            } else {
                outcome.results.budget = Budget.results(of: record)
            }
        }
        return outcome
    }
}

/// What a show leaves: its results, and the records that the plots are drawn from.
struct ShowOutcome: Sendable {
    let plan: DemoPlan
    var results = DemoResults()
    var records: [SceneRecord] = []
}
