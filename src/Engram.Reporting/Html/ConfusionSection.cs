using Engram.Evaluation;

namespace Engram.Reporting.Html;

/// <summary>What each strategy takes for what: a confusion matrix, or the worst pairs where it would be too large.</summary>
internal static class ConfusionSection
{
    private const int MostClasses = 40;
    private const int MostPairs = 25;

    public static Markup Render(RunResults results)
    {
        string[] labels = [.. LearntClass.Of(results).Select(c => c.Label)];
        var measured = results.Strategies.Where(s => s.Confusion.Length > 0).ToArray();
        if (measured.Length == 0) return Markup.None;
        var best = measured.MaxBy(s => s.AccuracySoFar.LastOrDefault());
        return Markup.Of($"""
            <section id="confusion">
            <h2>Confusions at the end</h2>
            <p class="note">Test samples by true and predicted class. Colour is the share of the true class, so a row adds
            up to 100 %; the diagonal is correct.</p>
            {Markup.Each(measured, strategy => Markup.Of($"""
                <details{(strategy == best ? new Markup(" open") : Markup.None)}>
                <summary>{strategy.Title}</summary>
                {(strategy.Confusion.Length > MostClasses ? Pairs(strategy, labels) : Matrix(strategy, labels))}
                </details>
                """))}
            </section>
            """);
    }

    private static Markup Matrix(StrategyResult strategy, string[] labels) =>
        HeatTable.Scrolling($"Confusion matrix of {strategy.Title}", Markup.Of($"""
            <table class="matrix confusion">
            <caption>Confusion matrix of {strategy.Title} (samples)</caption>
            <thead><tr><th scope="col"><small>true ↓ predicted →</small></th>{Markup.Each(
                Enumerable.Range(0, strategy.Confusion.Length), k => Markup.Of($"<th scope=\"col\">{Label(labels, k)}</th>"))}</tr></thead>
            <tbody>{Markup.Each(Enumerable.Range(0, strategy.Confusion.Length), k => Row(strategy.Confusion[k], Label(labels, k)))}</tbody>
            </table>
            """));

    private static Markup Row(int[] counts, string label)
    {
        var total = counts.Sum(count => (long)count);
        var cells = Markup.Each(counts, count =>
            HeatTable.Cell(total == 0 ? double.NaN : count / (double)total, Quantity.Count(count)));
        return Markup.Of($"<tr><th scope=\"row\">{label}</th>{cells}</tr>\n");
    }

    private static Markup Pairs(StrategyResult strategy, string[] labels)
    {
        var pairs = strategy.Confusion
            .SelectMany((row, k) =>
            {
                var total = row.Sum(count => (long)count);
                return row.Select((count, p) => (True: k, Predicted: p, Count: count, Total: total));
            })
            .Where(pair => pair.True != pair.Predicted && pair.Count > 0)
            .OrderByDescending(pair => pair.Count)
            .Take(MostPairs);
        return Markup.Of($"""
            <table>
            <caption>The most frequent of the confusions among {strategy.Confusion.Length} classes</caption>
            <thead><tr><th scope="col">True class</th><th scope="col">Taken for</th><th scope="col">Samples</th><th scope="col">Share of the true class (%)</th></tr></thead>
            <tbody>{Markup.Each(pairs, pair => Markup.Of($"""
                <tr><th scope="row">{Label(labels, pair.True)}</th><td class="text">{Label(labels, pair.Predicted)}</td><td>{Quantity.Count(pair.Count)}</td>{HeatTable.Cell(pair.Count / (double)pair.Total, Quantity.Percent(pair.Count / (double)pair.Total))}</tr>
                """))}</tbody>
            </table>
            """);
    }

    private static string Label(string[] labels, int id) => id < labels.Length ? labels[id] : $"#{id}";
}
