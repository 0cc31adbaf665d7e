using Engram.Evaluation;
using Engram.Reporting.Html;

namespace Engram.Reporting;

/// <summary>The report of a run: one HTML page that needs nothing else, on screen or on paper.</summary>
public static class HtmlReport
{
    /// <summary>Renders the page. It loads nothing and runs no script; all labels are encoded.</summary>
    /// <param name="results">What was measured; strategies may have stopped early.</param>
    /// <exception cref="ArgumentException">The accuracies of a strategy form no matrix of fractions.</exception>
    public static string Render(RunResults results)
    {
        ArgumentNullException.ThrowIfNull(results);
        var summaries = StrategySummary.Of(results);
        return HtmlPage.Of(results.Experiment, "Engram continual learning report", Facts(results), Markup.Of($"""
            {SummarySection.Render(results, summaries)}
            {CurvesSection.Render(results)}
            {MatrixSection.Render(results)}
            {ClassSection.Render(results)}
            {ConfusionSection.Render(results)}
            {CostSection.Render(results, summaries)}
            {RunSection.Render(results)}
            """));
    }

    private static Markup Facts(RunResults results)
    {
        var classes = LearntClass.Of(results).Count;
        return Markup.Of($"""
            <span><b>{Quantity.Moment(results.Started)}</b> started</span>
            <span><b>{Quantity.Duration(results.Seconds)}</b> in all</span>
            <span><b>{classes}</b> {(classes == 1 ? "class" : "classes")}</span>
            <span><b>{results.Groups.Count}</b> {(results.Groups.Count == 1 ? "experience" : "experiences")}</span>
            <span><b>{results.Strategies.Count}</b> {(results.Strategies.Count == 1 ? "strategy" : "strategies")}</span>
            """);
    }
}
