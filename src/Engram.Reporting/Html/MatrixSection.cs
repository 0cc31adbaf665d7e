using Engram.Evaluation;

namespace Engram.Reporting.Html;

/// <summary>The accuracy matrix of each strategy.</summary>
internal static class MatrixSection
{
    private const int MostSideBySide = 6;

    public static Markup Render(RunResults results) => Markup.Of($"""
        <section id="matrices">
        <h2>Accuracy on each group after each experience</h2>
        <p class="note">Read a column downwards to see how a group is kept while others are learnt. All values in %.</p>
        <div class="{(results.Groups.Count > MostSideBySide ? "stack" : "tiles")}">
        {Markup.Each(results.Strategies, strategy => Matrix(results.Groups, strategy))}
        </div>
        </section>
        """);

    private static Markup Matrix(IReadOnlyList<ClassGroup> groups, StrategyResult strategy)
    {
        var rows = Enumerable.Range(0, Math.Min(groups.Count, strategy.Accuracy.Length));
        return HeatTable.Scrolling($"Accuracy matrix of {strategy.Title}", Markup.Of($"""
            <table class="matrix">
            <caption>{strategy.Title}</caption>
            <thead><tr><th scope="col"><small>after ↓ tested on →</small></th>{Markup.Each(groups, group =>
                Markup.Of($"<th scope=\"col\">{group.Name}</th>"))}</tr></thead>
            <tbody>{Markup.Each(rows, i => Row(groups, strategy.Accuracy[i], i))}</tbody>
            </table>
            """));
    }

    private static Markup Row(IReadOnlyList<ClassGroup> groups, double[] accuracies, int row)
    {
        var cells = Markup.Each(Enumerable.Range(0, groups.Count), j =>
            j > row || j >= accuracies.Length
                ? Markup.Of($"<td class=\"none\"></td>")
                : HeatTable.Cell(accuracies[j], Quantity.Percent(accuracies[j])));
        return Markup.Of($"<tr><th scope=\"row\">{groups[row].Name}</th>{cells}</tr>\n");
    }
}
