using Engram.Evaluation;

namespace Engram.Reporting.Html;

/// <summary>The learning curves, drawn in SVG, with their legend and the numbers behind them.</summary>
internal static class CurvesSection
{
    public static Markup Render(RunResults results)
    {
        var axis = LearningAxis.Of(results);
        var ranked = StrategySummary.Ranked(results);
        return Markup.Of($"""
            <section id="curves">
            <h2>Accuracy while learning</h2>
            <figure class="curves">
            {CurvesDrawing.Render(axis, ranked)}
            <figcaption>
            <p>Accuracy over the test samples of all classes known at that time. Strategies by final accuracy:</p>
            <ol class="legend">{Markup.Each(ranked, LegendEntry)}</ol>
            </figcaption>
            </figure>
            <details>
            <summary>The numbers behind the curves</summary>
            {HeatTable.Scrolling("Accuracy after each experience", Table(axis, ranked))}
            </details>
            </section>
            """);
    }

    private static Markup LegendEntry(StrategySummary summary) => Markup.Of($"""
        <li class="s{summary.Style.Index}">
        <svg viewBox="0 0 44 16" width="44" height="16" aria-hidden="true"><path class="line" d="M0 8H44"{CurvesDrawing.Dashes(summary.Style)}/><g transform="translate(22 8)">{CurvesDrawing.Marker(summary.Style)}</g></svg>
        <span>{summary.Result.Title}</span> <b>{Quantity.PercentWithSign(summary.Final)}</b></li>

        """);

    private static Markup Table(LearningAxis axis, IReadOnlyList<StrategySummary> ranked) => Markup.Of($"""
        <table>
        <caption>Accuracy over all classes so far (%)</caption>
        <thead><tr><th scope="col">Strategy</th>{Markup.Each(axis.Ticks, tick =>
            Markup.Of($"<th scope=\"col\">after {tick.Group}<br><small>{tick.Number}</small></th>"))}</tr></thead>
        <tbody>{Markup.Each(ranked, summary => Row(summary, axis.Positions.Count))}</tbody>
        </table>
        """);

    private static Markup Row(StrategySummary summary, int experiences)
    {
        var values = summary.Result.AccuracySoFar;
        var cells = Markup.Each(Enumerable.Range(0, experiences), i =>
        {
            var value = i < values.Length ? values[i] : double.NaN;
            return HeatTable.Cell(value, Quantity.Percent(value));
        });
        return Markup.Of($"<tr><th scope=\"row\">{summary.Result.Title}</th>{cells}</tr>\n");
    }
}
