using Engram.Evaluation;

namespace Engram.Reporting.Html;

/// <summary>Per class: accuracy at the end, and what it was when the class had just been learnt.</summary>
internal static class ClassSection
{
    public static Markup Render(RunResults results)
    {
        var classes = LearntClass.Of(results);
        if (classes.Count == 0 || results.Strategies.Count == 0) return Markup.None;
        return Markup.Of($"""
            <section id="classes">
            <h2>What is kept of each class</h2>
            {HeatTable.Scrolling("Retention by class", Markup.Of($"""
                <table class="centred">
                <caption>Accuracy at the end (%); small: right after the class was learnt</caption>
                <thead><tr><th scope="col">Class</th><th scope="col">Group</th>{Markup.Each(results.Strategies, strategy =>
                    Markup.Of($"<th scope=\"col\">{strategy.Title}</th>"))}</tr></thead>
                <tbody>{Markup.Each(Enumerable.Range(0, classes.Count), id => Row(results, classes[id], id))}</tbody>
                </table>
                """))}
            </section>
            """);
    }

    private static Markup Row(RunResults results, LearntClass learnt, int id)
    {
        var cells = Markup.Each(results.Strategies, strategy =>
        {
            var perClass = strategy.AccuracyPerClass;
            var learning = At(perClass, learnt.Group, id);
            var end = At(perClass, perClass.Length - 1, id);
            return HeatTable.Cell(end, Markup.Of(
                $"{Quantity.Percent(end)}<small class=\"was\"><span class=\"away\">, after learning </span>{Quantity.Percent(learning)}</small>"));
        });
        return Markup.Of(
            $"<tr><th scope=\"row\">{learnt.Label}</th><td class=\"text\">{results.Groups[learnt.Group].Name}</td>{cells}</tr>\n");
    }

    private static double At(double[][] perClass, int experience, int id) =>
        experience >= 0 && experience < perClass.Length && id < perClass[experience].Length
            ? perClass[experience][id]
            : double.NaN;
}
