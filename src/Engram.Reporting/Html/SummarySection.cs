using Engram.Evaluation;

namespace Engram.Reporting.Html;

/// <summary>What the run means, in sentences and in one table.</summary>
internal static class SummarySection
{
    // More would push the costs off the page; the last rows of the matrices have them all.
    private const int MostGroups = 8;

    private static readonly Markup s_note = Markup.Of($"""
        Final accuracy is over the test samples of all classes. Forgetting is the mean drop of earlier
        groups from their best accuracy (Chaudhry et al. 2018); backward transfer compares the end with the moment each
        group was learnt (Lopez-Paz and Ranzato 2017). Both are in percentage points.
        """);

    private static readonly Markup s_chosenNote = Markup.Of($"The metrics are those that the experiment chose, as fractions; all are below.");

    public static Markup Render(RunResults results, IReadOnlyList<StrategySummary> summaries) => Markup.Of($"""
        <section id="summary">
        {Meaning(results.Meaning)}
        <h2>Summary</h2>
        {HeatTable.Scrolling("Summary table", results.SummaryMetrics is { } chosen ? Chosen(chosen, summaries) : Table(results, summaries))}
        <p class="note">{(results.SummaryMetrics is null ? s_note : s_chosenNote)} Memory is what the strategy keeps
        besides the model.</p>
        {Metrics(results)}
        </section>
        """);

    private static Markup Meaning(IReadOnlyList<string> sentences) => sentences.Count == 0
        ? Markup.None
        : Markup.Of($"""
            <div class="meaning">
            <h2>What it means</h2>
            <ul>{Markup.Each(sentences, sentence => Markup.Of($"<li>{sentence}</li>"))}</ul>
            </div>
            """);

    private static Markup Table(RunResults results, IReadOnlyList<StrategySummary> summaries)
    {
        IReadOnlyList<ClassGroup> groups = results.Groups.Count > MostGroups ? [] : results.Groups;
        var finals = summaries.Select(s => s.Final).Where(double.IsFinite).OrderDescending().ToArray();
        // Nobody is best among equals, nor alone.
        var best = finals.Length > 1 && finals[0] > finals[1] ? finals[0] : double.PositiveInfinity;
        return Markup.Of($"""
            <table class="wide">
            <caption>What each strategy reached after the last experience, and what it cost</caption>
            <thead>
            <tr><th scope="col" rowspan="2">Strategy</th><th scope="col" rowspan="2">Final<br>accuracy<br>(%)</th>
            {GroupsHeading(groups.Count)}<th scope="col" rowspan="2">Forgetting<br>(points)</th>
            <th scope="col" rowspan="2">Backward<br>transfer<br>(points)</th><th scope="col" rowspan="2">Training<br>time</th>
            <th scope="col" rowspan="2">Samples<br>per second</th><th scope="col" rowspan="2">Memory</th></tr>
            <tr>{Markup.Each(groups, group => Markup.Of($"<th scope=\"col\">{group.Name}</th>"))}</tr>
            </thead>
            <tbody>
            {Markup.Each(summaries, summary => Row(summary, groups.Count, best))}
            </tbody>
            </table>
            """);
    }

    private static Markup Chosen(IReadOnlyList<string> metrics, IReadOnlyList<StrategySummary> summaries) => Markup.Of($"""
        <table class="wide">
        <caption>What each strategy reached after the last experience, and what it cost</caption>
        <thead>
        <tr><th scope="col">Strategy</th>{Markup.Each(metrics, name => Markup.Of($"<th scope=\"col\">{name}</th>"))}
        <th scope="col">Training<br>time</th><th scope="col">Samples<br>per second</th><th scope="col">Memory</th></tr>
        </thead>
        <tbody>
        {Markup.Each(summaries, summary => Markup.Of($"""
            <tr>{Name(summary)}{Markup.Each(metrics, name => Metric(summary.Result, name))}
            {Costs(summary)}</tr>

            """))}
        </tbody>
        </table>
        """);

    private static Markup GroupsHeading(int groups) => groups == 0
        ? Markup.None
        : Markup.Of($"""<th scope="colgroup" colspan="{groups}">Accuracy at the end, by group (%)</th>""");

    private static Markup Row(StrategySummary summary, int groups, double best) => Markup.Of($"""
        <tr>{Name(summary)}
        <td class="{(summary.Final >= best ? "final best" : "final")}">{Quantity.Percent(summary.Final)}</td>
        {Markup.Each(summary.GroupsAtEnd.Take(groups), accuracy => HeatTable.Cell(accuracy, Quantity.Percent(accuracy)))}
        <td>{Quantity.Fixed(100 * summary.Forgetting, 1)}</td><td>{Quantity.Points(summary.BackwardTransfer)}</td>
        {Costs(summary)}</tr>

        """);

    private static Markup Name(StrategySummary summary) => Markup.Of(
        $"<th scope=\"row\"><span class=\"key s{summary.Style.Index}\" aria-hidden=\"true\"></span>{summary.Result.Title}</th>");

    private static Markup Costs(StrategySummary summary) => Markup.Of($"""
        <td>{Quantity.Duration(summary.TrainSeconds)}</td><td>{Quantity.Count(summary.SamplesPerSecond)}</td>
        <td>{Quantity.Bytes(summary.Result.MemoryBytes)}</td>
        """);

    private static Markup Metrics(RunResults results)
    {
        string[] names = [.. results.Strategies.SelectMany(s => s.Metrics.Keys).Distinct()];
        if (names.Length == 0) return Markup.None;
        return Markup.Of($"""
            <details>
            <summary>All metrics</summary>
            {HeatTable.Scrolling("All metrics", Markup.Of($"""
                <table>
                <caption>Metrics as recorded: fractions, not percent</caption>
                <thead><tr><th scope="col">Metric</th>{Markup.Each(results.Strategies, StrategyHeading)}</tr></thead>
                <tbody>{Markup.Each(names, name => MetricRow(results.Strategies, name))}</tbody>
                </table>
                """))}
            </details>
            """);
    }

    private static Markup StrategyHeading(StrategyResult strategy) =>
        Markup.Of($"<th scope=\"col\">{strategy.Title}</th>");

    private static Markup MetricRow(IReadOnlyList<StrategyResult> strategies, string name)
    {
        var cells = Markup.Each(strategies, strategy => Metric(strategy, name));
        return Markup.Of($"<tr><th scope=\"row\">{name}</th>{cells}</tr>\n");
    }

    private static Markup Metric(StrategyResult strategy, string name) =>
        Markup.Of($"<td>{Quantity.Fixed(strategy.Metrics.GetValueOrDefault(name, double.NaN), 4)}</td>");
}
