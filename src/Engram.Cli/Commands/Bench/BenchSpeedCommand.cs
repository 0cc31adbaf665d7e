using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Engram.Data;
using Engram.Evaluation;
using Engram.Evaluation.Speed;
using Engram.Learning;
using Spectre.Console;

namespace Engram.Cli.Commands.Bench;

/// <summary><c>engram bench speed</c>: how fast this machine trains and predicts, against loops measured beside it.</summary>
internal static class BenchSpeedCommand
{
    private const string Start = "start";

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    private static readonly IReadOnlyList<string> s_parts = [.. SpeedBenchmark.Parts, Start];

    public static Command Build(CliHost host)
    {
        var parts = OptionOf.Text("--parts", $"What to measure, of {string.Join(", ", s_parts)} [default: all]", "a,b");
        var full = OptionOf.Switch("--full", "The sizes of the published table: some minutes and 2 GB of memory, instead of a short look.");
        var threads = OptionOf.Number("--threads", "Threads of computation.", Environment.ProcessorCount, 1, 1024);
        var data = OptionOf.Text("--data", $"Folder with the four MNIST files {DataFolder.Default}", "DIR");
        var json = OptionOf.Switch("--json", "Write one JSON object a line instead of the table.");
        var command = new Command("speed", "Measure training, prediction and memory on this machine.")
        {
            parts, full, threads, data, json, ErrorPolicy.Verbose(),
        };
        command.SetAction(parsed =>
        {
            var chosen = Chosen(parsed.GetValue(parts));
            var folder = DataFolder.Mnist(parsed.GetValue(data));
            TorchRuntime.Configure((int)parsed.GetValue(threads));
            var benchmark = new SpeedBenchmark(Mnist.Load(folder).Train, parsed.GetValue(full));
            var rows = chosen.SelectMany(part => part == Start ? StartTimes.Run(folder) : benchmark.Run(part));
            if (parsed.GetValue(json)) WriteJson(host, rows);
            else WriteTable(host, rows);
            return ExitCode.Success;
        });
        Examples.Of(command, "engram bench speed", "engram bench speed --parts training,prediction", "engram bench speed --full --json");
        return command;
    }

    private static string[] Chosen(string? asked)
    {
        if (asked is null) return [.. s_parts];
        var chosen = asked.Split(',', StringSplitOptions.TrimEntries);
        return chosen.FirstOrDefault(part => !s_parts.Contains(part)) is { } unknown
            ? throw new UsageException($"--parts: \"{unknown}\", expected some of {string.Join(", ", s_parts)}")
            : chosen;
    }

    private static void WriteJson(CliHost host, IEnumerable<SpeedRow> rows)
    {
        Line(new { Event = "machine", Machine = RunEnvironment.Describe() });
        foreach (var row in rows)
        {
            Line(new { Event = "speed", row.Work, row.Measured, row.Unit, row.Goal, row.AtLeast, row.IsMet, row.Note });
            host.CancellationToken.ThrowIfCancellationRequested();
        }

        void Line<T>(T value)
        {
            host.Out.WriteLine(JsonSerializer.Serialize(value, s_json));
            host.Out.Flush();
        }
    }

    // Line by line, since the whole takes minutes.
    private static void WriteTable(CliHost host, IEnumerable<SpeedRow> rows)
    {
        var console = host.Console;
        foreach (var (name, value) in RunEnvironment.Describe()) console.WriteLine($"{name}: {value}");
        console.WriteLine();
        foreach (var row in rows)
        {
            console.Markup(row.IsMet ? "[green]met   [/]" : "[red]missed[/]");
            console.WriteLine($" {Number(row.Measured),9} {row.Unit} (goal {(row.AtLeast ? "at least" : "at most")} {Number(row.Goal)}): {row.Work}");
            if (row.Note.Length > 0) console.WriteLine($"                 {row.Note}");
            host.CancellationToken.ThrowIfCancellationRequested();
        }
        console.WriteLine("Two sides ran in turns; the number is the median of the rounds. Other programs change it.");
    }

    private static string Number(double value) => value.ToString(value < 100 ? "0.00" : "#,0", CultureInfo.InvariantCulture);
}
