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
        </section>
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
