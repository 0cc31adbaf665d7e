using Engram.Cli.Progress;
using Engram.Evaluation.Benchmarks;
using Engram.Learning;
using Engram.Reporting.Benchmarks;
using Spectre.Console;

namespace Engram.Cli.Commands.Bench;

/// <summary>A benchmark's table on a terminal: ours, the paper's, and how they stand.</summary>
internal static class BenchTableView
{
    public static void Write(IAnsiConsole console, BenchmarkTable table)
    {
        console.WriteLine();
        foreach (var scenario in table.Entries.GroupBy(entry => entry.Scenario)) Write(console, table, scenario);
        console.WriteLine(table.IsShort
            ? "The protocol was shortened: these numbers say nothing about the paper's."
            : "agrees, above, below: by two standard errors of the difference; a published number without ± counts as exact.");
        console.WriteLine();
    }

    private static void Write(IAnsiConsole console, BenchmarkTable table, IGrouping<Scenario, BenchmarkEntry> entries)
    {
        var grid = new Table().Border(TableBorder.Simple)
            .Title($"{table.Title}, {BenchmarkNumbers.Title(table, entries.Key)}: accuracy, % ± standard error")
            .AddColumn("method")
            .AddColumn(new TableColumn("ours").RightAligned())
            .AddColumn(new TableColumn("published").RightAligned())
            .AddColumn("")
            .AddColumn(new TableColumn("BWT, points").RightAligned())
            .AddColumn(new TableColumn("seeds").RightAligned())
            .AddColumn(new TableColumn("time each").RightAligned());
        foreach (var entry in entries)
            grid.AddRow(
                Markup.Escape(entry.Title), BenchmarkNumbers.Of(entry.Measured), BenchmarkNumbers.Of(entry.Published), Mark(entry.Verdict),
                BenchmarkNumbers.Of(entry.Transfer),
                BenchmarkNumbers.Seeds(entry), Words.Time(entry.SecondsPerSeed));
        console.Write(grid);
    }

    private static string Mark(Verdict verdict) => verdict switch
    {
        Verdict.Agrees => "[green]agrees[/]",
        Verdict.Above => "[blue]above[/]",
        Verdict.Below => "[red]below[/]",
        _ => "",
    };
}
