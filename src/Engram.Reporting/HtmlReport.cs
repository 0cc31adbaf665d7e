using Engram.Evaluation;
using Engram.Reporting.Html;

namespace Engram.Reporting;

/// <summary>The report of a run: one HTML page that needs nothing else, on screen or on paper.</summary>
public static class HtmlReport
{
    private static readonly Markup s_style = new(ReadStyle());

    /// <summary>Renders the page. It loads nothing and runs no script; all labels are encoded.</summary>
    /// <param name="results">What was measured; strategies may have stopped early.</param>
    /// <exception cref="ArgumentException">The accuracies of a strategy form no matrix of fractions.</exception>
    public static string Render(RunResults results)
    {
        ArgumentNullException.ThrowIfNull(results);
        var summaries = StrategySummary.Of(results);
        return Markup.Of($"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta name="generator" content="Engram">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'">
            <link rel="icon" href="data:,">
            <title>{results.Experiment}: Engram report</title>
            <style>{s_style}</style>
            </head>
            <body>
            <header>
            <p class="kicker">Engram continual learning report</p>
            <h1>{results.Experiment}</h1>
            <p class="facts">{Facts(results)}</p>
            </header>
            <main>
            {SummarySection.Render(results, summaries)}
            {CurvesSection.Render(results)}
            {MatrixSection.Render(results)}
            {ClassSection.Render(results)}
            {ConfusionSection.Render(results)}
            {CostSection.Render(results, summaries)}
            {RunSection.Render(results)}
            </main>
            </body>
            </html>

            """).Text;
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

    private static string ReadStyle()
    {
        using var stream = typeof(HtmlReport).Assembly.GetManifestResourceStream("report.css")
            ?? throw new InvalidOperationException("report.css: the style is missing from this build");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd() + SeriesColours();
    }

    // One custom property per strategy style, for light pages and dark ones.
    private static string SeriesColours()
    {
        var rules = Palette.Styles.Select(s => $".s{s.Index}{{--c:light-dark({s.Light},{s.Dark})}}");
        return string.Join('\n', rules) + "\n";
    }
}
