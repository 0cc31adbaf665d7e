using System.Globalization;
using Engram.Evaluation;
using Spectre.Console;

namespace Engram.Cli.Progress;

/// <summary>What a run came to: a table, what it means, and the files.</summary>
internal static class ResultView
{
    private const int MostGroups = 4;

    public static void Write(IAnsiConsole console, RunResults results, IReadOnlyList<string> files, string resume)
    {
        console.WriteLine();
        if (results.Strategies.Count > 0)
        {
            console.Write(results.SummaryMetrics is { } chosen ? Chosen(results, chosen) : Table(results));
            console.WriteLine();
        }
        foreach (var sentence in results.Meaning)
        {
            console.WriteLine(sentence);
            console.WriteLine();
        }
        if (results.Unfinished is { } unfinished)
            console.WriteLine($"Interrupted. Not finished: {string.Join(", ", unfinished)}. To go on: {resume}");
        console.WriteLine($"Ran for {Words.Time(results.Seconds)} and wrote:");
        foreach (var file in files) console.WriteLine($"  {Short(file)}");
    }

    private static Table Table(RunResults results)
    {
        var table = new Table().Border(TableBorder.Simple).Title("Accuracy on the test samples, %");
        table.AddColumn(new TableColumn("Strategy").NoWrap());
        var known = new List<string>();
        // A terminal has room for a few groups; the report has it for all.
        var each = results.Groups.Count <= MostGroups;
        foreach (var group in results.Groups)
        {
            known.AddRange(group.Classes.Except(known));
            if (each) table.AddColumn(Column($"All {known.Count}\nafter\n{Markup.Escape(group.Name)}"));
        }
        if (!each) table.AddColumn(Column("All\nat the\nend"));
        if (each) foreach (var group in results.Groups) table.AddColumn(Column($"{Markup.Escape(group.Name)}\nat the\nend"));
        table.AddColumn(Column("For-\ngot"));
        table.AddColumn(Column("Time"));
        var best = results.Strategies.Max(strategy => strategy.AccuracySoFar[^1]);
        foreach (var strategy in results.Strategies)
        {
            var cells = new List<string> { Markup.Escape(strategy.Title) };
            cells.AddRange((each ? strategy.AccuracySoFar : strategy.AccuracySoFar[^1..]).Select(Cell));
            if (strategy.AccuracySoFar[^1] == best) cells[^1] = $"[bold]{cells[^1]}[/]";
            if (each) cells.AddRange(strategy.Accuracy[^1].Select(Cell));
            cells.Add(Cell(strategy.Metrics[MetricNames.Forgetting]));
            cells.Add(Time(strategy));
            table.AddRow([.. cells]);
        }
        return table;
    }

    // Fractions as results.json has them: some metrics are no share of anything.
    private static Table Chosen(RunResults results, IReadOnlyList<string> metrics)
    {
        var table = new Table().Border(TableBorder.Simple).Title("Metrics on the test samples");
        table.AddColumn(new TableColumn("Strategy").NoWrap());
        foreach (var name in metrics) table.AddColumn(Column(Markup.Escape(Heading(name))));
        table.AddColumn(Column("Time"));
        foreach (var strategy in results.Strategies)
            table.AddRow([
                Markup.Escape(strategy.Title),
                .. metrics.Select(name => strategy.Metrics.GetValueOrDefault(name, double.NaN) is var value && double.IsNaN(value)
                    ? "-"
                    : value.ToString("0.0000", CultureInfo.InvariantCulture)),
                Time(strategy),
            ]);
        return table;
    }

    // finalAverageAccuracy on three lines: a terminal has room for many narrow columns.
    private static string Heading(string metric) => string.Concat(metric.Select(letter => char.IsUpper(letter) ? $"\n{letter}" : $"{letter}"));

    private static string Time(StrategyResult strategy) => Words.Time(strategy.Costs.Sum(cost => cost.TrainSeconds + cost.EvaluationSeconds));

    // The sign is in the title: nine columns must fit a terminal of 80.
    private static string Cell(double fraction) => Words.Percent(fraction).Replace(" %", "", StringComparison.Ordinal);

    private static TableColumn Column(string title) => new TableColumn(title).RightAligned().NoWrap().PadLeft(1).PadRight(0);

    private static string Short(string path)
    {
        var relative = Path.GetRelativePath(Directory.GetCurrentDirectory(), path);
        return relative.StartsWith("..", StringComparison.Ordinal) ? path : relative;
    }
}
