using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Engram.Evaluation;
using Engram.Evaluation.Benchmarks;
using Spectre.Console;

namespace Engram.Cli.Commands;

/// <summary><c>engram compare</c>: runs side by side.</summary>
internal static class CompareCommand
{
    private const int MostColumns = 6;

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    public static Command Build(CliHost host)
    {
        var runs = new Argument<string[]>("RUN")
        {
            Description = "Folders of runs of one experiment that differ in the seed, or in which strategies they have.",
            HelpName = "RUN",
            Arity = ArgumentArity.OneOrMore,
        };
        var baseline = OptionOf.Text("--baseline", "Strategy that the others are held against, run by run [default: the first]", "NAME");
        var json = OptionOf.Switch("--json", "Write the comparison as JSON, and nothing else, to standard output.");
        var command = new Command("compare", "Show runs side by side: mean ± standard error, and differences run by run.")
        {
            runs, baseline, json, ErrorPolicy.Verbose(),
        };
        command.SetAction(parsed =>
        {
            var folders = parsed.GetValue(runs)!;
            // A run that counts twice would make standard errors too small.
            if (folders.GroupBy(folder => Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))).FirstOrDefault(same => same.Count() > 1) is { } twice)
                throw new UsageException($"RUN: \"{twice.First()}\" is named {twice.Count()} times, expected each run once");
            ComparedFolders.Check(folders);
            var comparison = Compare([.. folders.Select(RunFolder.Run)], parsed.GetValue(baseline));
            if (parsed.GetValue(json)) host.Out.WriteLine(JsonSerializer.Serialize(new { Runs = folders, Comparison = comparison }, s_json));
            else Write(host.Console, folders, comparison);
            return ExitCode.Success;
        });
        Examples.Of(command,
            "engram compare runs/seed-0 runs/seed-1 runs/seed-2",
            "engram compare runs/* --baseline naive --json");
        return command;
    }

    private static RunComparison Compare(RunResults[] runs, string? baseline)
    {
        try
        {
            return RunComparison.Of(runs, baseline);
        }
        catch (ArgumentException problem)
        {
            throw new UsageException(problem.Message, problem);
        }
    }

    private static void Write(IAnsiConsole console, string[] folders, RunComparison comparison)
    {
        var each = folders.Length <= MostColumns;
        var table = new Table().Border(TableBorder.Simple)
            .Title("Accuracy over all classes at the end, % ± standard error of the mean").AddColumn("Strategy");
        if (each) foreach (var number in Enumerable.Range(1, folders.Length)) table.AddColumn(Column($"run {number}"));
        foreach (var title in new[] { "mean", "forgot", $"difference to\n{Markup.Escape(comparison.Baseline)}" }) table.AddColumn(Column(title));
        foreach (var row in comparison.Rows)
            table.AddRow([Markup.Escape(row.Title),
                .. each ? row.PerRun.Select(value => double.IsNaN(value) ? "-" : value.ToString("0.0", CultureInfo.InvariantCulture)) : [],
                Text(row.Accuracy), Text(row.Forgetting),
                row.Difference is { } difference ? (difference.Mean >= 0 ? "+" : "") + Text(difference) : ""]);
        console.Write(table);
        if (!each) console.WriteLine($"More than {MostColumns} runs: each by itself is in --json only.");
        for (var i = 0; i < folders.Length; i++) console.WriteLine($"run {i + 1}: {folders[i]}");
    }

    private static string Text(MeasuredNumber number) =>
        number.Mean.ToString("0.0", CultureInfo.InvariantCulture)
        + (double.IsNaN(number.Sem) ? "" : $" ± {number.Sem.ToString("0.0", CultureInfo.InvariantCulture)}");

    private static TableColumn Column(string title) => new TableColumn(title).RightAligned();
}
