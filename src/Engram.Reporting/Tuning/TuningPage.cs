using System.Globalization;
using Engram.Evaluation.Tuning;
using Engram.Reporting.Html;

namespace Engram.Reporting.Tuning;

/// <summary>A search as one HTML page that needs nothing else.</summary>
public static class TuningPage
{
    /// <summary>Renders the page. It loads nothing and runs no script; all labels are encoded.</summary>
    /// <param name="results">What was measured.</param>
    /// <param name="picture">The trade-off as PNG; it becomes part of the page.</param>
    public static string Render(TuningResults results, byte[] picture)
    {
        ArgumentNullException.ThrowIfNull(results);
        ArgumentNullException.ThrowIfNull(picture);
        string[] keys = [.. results.Rows.SelectMany(row => row.Values.Keys).Distinct()];
        return HtmlPage.Of(
            $"{results.Experiment}: {results.Strategy}", "Engram tuning",
            Markup.Of($"""
                <span><b>{results.Rows.Count}</b> measurements</span>
                <span><b>{results.Method}</b> search</span>
                <span><b>{Quantity.Duration(results.Seconds)}</b> of computation</span>
                """),
            Markup.Of($"""
                <section id="chosen">
                <h2>What was chosen</h2>
                {Chosen(results)}
                <p class="note">All accuracies are on validation samples, set aside from the training samples. No test sample was read.</p>
                </section>
                <section id="trade-off">
                <h2>Old against new</h2>
                <img alt="Accuracy on old experiences against accuracy on new ones, a point per measurement" style="max-width:100%" src="data:image/png;base64,{new Markup(Convert.ToBase64String(picture))}">
                </section>
                <section id="measurements">
                <h2>Measurements</h2>
                {HeatTable.Scrolling("Measurements", Table(results, keys))}
                </section>
                <section id="run">
                <h2>How to reproduce it</h2>
                <pre tabindex="0" aria-label="Command"><code>{results.Command}</code></pre>
                <div class="tiles">
                {RunSection.Table("Settings", results.Settings)}
                {RunSection.Table("Environment", results.Environment)}
                </div>
                </section>
                """));
    }

    private static Markup Chosen(TuningResults results)
    {
        TuningRow[] chosen = [.. results.Rows.Where(row => row.IsChosen)];
        var missing = results.Missing == 0
            ? Markup.None
            : Markup.Of($"<p>The search was stopped: {results.Missing} measurements are missing.</p>");
        return chosen.Length == 0
            ? Markup.Of($"<p>Nothing yet.</p>{missing}")
            : Markup.Of($"<ul>{Markup.Each(chosen, row => Markup.Of($"<li>{Values(row)}</li>"))}</ul>{missing}");
    }

    private static string Values(TuningRow row) => string.Join(", ", row.Values.Select(pair => $"{pair.Key} = {pair.Value}"));

    private static Markup Table(TuningResults results, string[] keys) => Markup.Of($"""
        <table>
        <caption>{results.Objective} and what it is made of, in %; the best first</caption>
        <thead><tr><th scope="col">No.</th>{Markup.Each(keys, key => Markup.Of($"<th scope=\"col\">{key}</th>"))}
        <th scope="col">Share of<br>samples</th><th scope="col">{results.Objective}</th><th scope="col">New</th><th scope="col">Old</th>
        <th scope="col">Forgetting<br>(points)</th><th scope="col">Time</th><th scope="col" class="text">Command</th></tr></thead>
        <tbody>{Markup.Each(results.Rows, row => Row(row, keys))}</tbody>
        </table>
        """);

    private static Markup Row(TuningRow row, string[] keys) => Markup.Of($"""
        <tr><th scope="row">{row.Number}{(row.IsChosen ? " (chosen)" : "")}</th>{Markup.Each(keys, key =>
            Markup.Of($"<td>{row.Values.GetValueOrDefault(key)}</td>"))}
        <td>{row.Share.ToString("0.###", CultureInfo.InvariantCulture)}</td><td>{Score(row)}</td>
        {HeatTable.Cell(row.New, Quantity.Percent(row.New))}{HeatTable.Cell(row.Old, Quantity.Percent(row.Old))}
        <td>{Quantity.Fixed(100 * row.Forgetting, 1)}</td><td>{Quantity.Duration(row.Seconds)}</td><td class="text"><code>{row.Command}</code></td></tr>

        """);

    private static string Score(TuningRow row) => row.Failure is { } why
        ? $"failed: {why}"
        : Quantity.Percent(row.Score.Mean, 2) + (double.IsNaN(row.Score.Sem) ? "" : $" ± {Quantity.Percent(row.Score.Sem, 2)}");
}
