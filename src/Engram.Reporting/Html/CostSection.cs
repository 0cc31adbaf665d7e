using Engram.Evaluation;

namespace Engram.Reporting.Html;

/// <summary>What each strategy cost, experience by experience.</summary>
internal static class CostSection
{
    public static Markup Render(RunResults results, IReadOnlyList<StrategySummary> summaries) => Markup.Of($"""
        <section id="costs">
        <h2>Cost of each experience</h2>
        {HeatTable.Scrolling("Cost of each experience", Markup.Of($"""
            <table>
            <caption>New samples, time and final training loss; replayed samples are not counted</caption>
            <thead><tr><th scope="col">Strategy</th><th scope="col">Experience</th><th scope="col">Samples</th>
            <th scope="col">Training<br>(s)</th><th scope="col">Samples<br>per second</th><th scope="col">Testing<br>(s)</th>
            <th scope="col">Final<br>loss</th></tr></thead>
            {Markup.Each(summaries, summary => Strategy(results.Groups, summary.Result))}
            </table>
            """))}
        {Totals(summaries)}
        </section>
        """);

    private static Markup Totals(IReadOnlyList<StrategySummary> summaries) => summaries.All(summary => summary.Result.Cost is null)
        ? Markup.None
        : HeatTable.Scrolling("Cost in all", Markup.Of($"""
            <table>
            <caption>In all; multiply-adds are of the model's forward pass of one sample, memory peaks are the process's</caption>
            <thead><tr><th scope="col">Strategy</th><th scope="col">Parameters</th><th scope="col">Multiply-adds</th>
            <th scope="col">Samples<br>stored</th><th scope="col">Memory<br>per class</th><th scope="col">Training</th>
            <th scope="col">Prediction<br>(µs a sample)</th><th scope="col">Peak<br>memory</th></tr></thead>
            <tbody>{Markup.Each(summaries, summary => summary.Result.Cost is { } cost ? Total(summary.Result.Title, cost) : Markup.None)}</tbody>
            </table>
            """));

    private static Markup Total(string title, StrategyCost cost) => Markup.Of($"""
        <tr><th scope="row">{title}</th><td>{Quantity.Count(cost.Parameters)}</td><td>{Quantity.Count(cost.MultiplyAdds)}</td>
        <td>{Quantity.Count(cost.SamplesStored)}</td><td>{Quantity.Bytes((long)cost.BytesPerClass)}</td><td>{Quantity.Duration(cost.TrainSeconds)}</td>
        <td>{Quantity.Fixed(1e6 * cost.PredictSeconds, 1)}</td><td>{Quantity.Bytes(cost.PeakMemoryBytes)}</td></tr>

        """);

    private static Markup Strategy(IReadOnlyList<ClassGroup> groups, StrategyResult strategy)
    {
        if (strategy.Costs.Count == 0) return Markup.None;
        var heading = Markup.Of($"<th scope=\"rowgroup\" rowspan=\"{strategy.Costs.Count}\">{strategy.Title}</th>");
        return Markup.Of($"""
            <tbody>{Markup.Each(Enumerable.Range(0, strategy.Costs.Count), i =>
                Row(i == 0 ? heading : Markup.None, i < groups.Count ? groups[i].Name : $"#{i}", strategy.Costs[i]))}</tbody>
            """);
    }

    private static Markup Row(Markup heading, string group, ExperienceCost cost) => Markup.Of($"""
        <tr>{heading}<td class="text">{group}</td><td>{Quantity.Count(cost.Samples)}</td>
        <td>{Quantity.Fixed(cost.TrainSeconds, 2)}</td><td>{Quantity.Count(Rate(cost))}</td>
        <td>{Quantity.Fixed(cost.EvaluationSeconds, 2)}</td><td>{Quantity.Fixed(cost.FinalLoss, 4)}</td></tr>

        """);

    private static double Rate(ExperienceCost cost) =>
        cost.TrainSeconds > 0 ? cost.Samples / cost.TrainSeconds : double.NaN;
}
