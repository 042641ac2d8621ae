/// The report's style sheet.
enum ReportStyle {
    /// Policies' colours are told apart by colour-blind readers too (after Okabe and Ito), on light and on dark.
    static let css = """
        :root {
          --page: #ffffff; --ink: #1c2024; --soft: #5b6570; --line: #dfe3e8; --guest: #aeb6bf; --odd: #c9cfd6;
          --mutex: #c4500a; --ratelimit: #a0740a; --spschedd: #0068b0; --expected: #b7d3ea;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --page: #14171a; --ink: #e8eaed; --soft: #9aa4ae; --line: #2c3238; --guest: #616b76; --odd: #4b545d;
            --mutex: #ff8a4c; --ratelimit: #f0bc4e; --spschedd: #62b6f7; --expected: #27506f;
          }
        }
        body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
        main { max-width: 960px; margin: 0 auto; padding: 32px 20px 64px; }
        h1 { font-size: 28px; line-height: 1.2; margin: 0 0 12px; }
        h2 { font-size: 20px; margin: 48px 0 4px; }
        p { margin: 0 0 12px; max-width: 76ch; }
        section > p { color: var(--soft); }
        .lead { font-size: 18px; }
        svg { display: block; width: 100%; height: auto; margin-top: 12px; }
        svg text { font-family: system-ui, sans-serif; fill: var(--ink); }
        .label { font-size: 13px; }
        .tick { font-size: 12px; }
        svg .tick { fill: var(--soft); }
        .name { font-size: 14px; font-weight: 600; }
        .grid { stroke: var(--line); stroke-width: 1; }
        .mark { stroke: var(--ink); stroke-width: 1; stroke-dasharray: 3 3; }
        .curve { fill: none; stroke-width: 2.5; }
        .tail { stroke-width: 2; opacity: 0.55; }
        .arrow { fill: none; stroke-width: 2; }
        .open { fill: var(--page); stroke-width: 2; }
        .guest { fill: var(--guest); }
        .guest.odd { fill: var(--odd); }
        .expected { fill: var(--expected); }
        .got { fill: var(--spschedd); }
        polyline.mutex, line.mutex, .open.mutex { stroke: var(--mutex); }
        polyline.ratelimit, line.ratelimit, .open.ratelimit { stroke: var(--ratelimit); }
        polyline.spschedd, line.spschedd, .open.spschedd { stroke: var(--spschedd); }
        .full.mutex, .launch.mutex, svg .name.mutex { fill: var(--mutex); }
        .full.ratelimit, .launch.ratelimit, svg .name.ratelimit { fill: var(--ratelimit); }
        .full.spschedd, .launch.spschedd, svg .name.spschedd { fill: var(--spschedd); }
        th.mutex { color: var(--mutex); } th.ratelimit { color: var(--ratelimit); }
        th.spschedd { color: var(--spschedd); }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; font-size: 14px; width: 100%; font-variant-numeric: tabular-nums; }
        th, td { text-align: right; padding: 6px 8px; border-bottom: 1px solid var(--line); white-space: nowrap; }
        thead th { white-space: normal; vertical-align: bottom; color: var(--soft); font-weight: 500; }
        th:first-child { text-align: left; }
        """
}
