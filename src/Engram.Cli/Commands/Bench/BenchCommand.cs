using System.CommandLine;
using Engram.Evaluation.Benchmarks;
using Engram.Learning;

namespace Engram.Cli.Commands.Bench;

/// <summary><c>engram bench</c>: published protocols, their options, and what they must be.</summary>
internal static class BenchCommand
{
    public static Command Build(CliHost host)
    {
        var command = new Command("bench", "Run published protocols and hold our numbers against the papers'.") { ErrorPolicy.Verbose() };
        var list = new Command("list", "List the benchmarks, their scenarios and methods.") { ErrorPolicy.Verbose() };
        list.SetAction(_ => BenchListing.Write(host.Console));
        Examples.Of(list, "engram bench list");
        command.Subcommands.Add(list);
        foreach (var benchmark in BenchmarkList.All) command.Subcommands.Add(Of(benchmark, host));
        command.Subcommands.Add(BenchSpeedCommand.Build(host));
        command.Subcommands.Add(BenchCellCommand.Build(host));
        Examples.Of(command,
            "engram bench list",
            "engram bench speed",
            "engram bench split-mnist --scenario class --methods all --seeds 20",
            "engram bench split-mnist --scenario class --methods none,er --seeds 2 --iterations 50   a short look");
        return command;
    }

    private static Command Of(Benchmark benchmark, CliHost host)
    {
        var scenario = OptionOf.Text("--scenario",
            $"Scenario: {string.Join(", ", benchmark.Scenarios.Select(BenchmarkCell.NameOf))} or all [default: all]", "NAME");
        var methods = OptionOf.Text("--methods",
            $"Methods in order, or all those of the paper: {string.Join(", ", benchmark.Methods.Select(method => method.Name))}; "
            + "strategies of the library run too [default: all]", "a,b|all");
        var seeds = OptionOf.Number("--seeds", "How many seeds, from 0.", 5, 1, 10_000);
        var jobs = OptionOf.Number("--jobs", "Cells that run at once, one thread each.", Environment.ProcessorCount, 1, Environment.ProcessorCount);
        var output = OptionOf.Text("--out",
            $"Folder to write to; cells that it holds already are not run again [default: runs/bench-{benchmark.Name}]", "DIR");
        var data = OptionOf.Text("--data", $"Folder or archive with the data ({benchmark.DataName}) [default: found here or above]", "PATH");
        var iterations = OptionOf.Number("--iterations", "Steps per context instead of the protocol's, for a short look.", null, 1, 10_000_000);
        var perClass = OptionOf.Number("--per-class", "Samples of each class instead of all, for a short look.", null, 2, 10_000_000);
        var markdown = OptionOf.Text("--markdown", "File to write the table to as Markdown too; in one that is there, its section is replaced.", "FILE");
        var json = OptionOf.Switch("--json", "Write events and the table as lines of JSON, and nothing else, to standard output.");
        var command = new Command(benchmark.Name, $"{benchmark.Title}: {benchmark.Source}.")
        {
            scenario, methods, seeds, jobs, output, data, iterations, perClass, markdown, json, ErrorPolicy.Verbose(),
        };
        command.SetAction(parsed => new BenchRun(host, new BenchSettings
        {
            Benchmark = benchmark,
            Scenarios = Scenarios(benchmark, parsed.GetValue(scenario)),
            Methods = parsed.GetValue(methods) is null or "all"
                ? null
                : parsed.GetValue(methods)!.Split(',', StringSplitOptions.TrimEntries),
            Seeds = (int)parsed.GetValue(seeds),
            Jobs = (int)parsed.GetValue(jobs),
            Out = parsed.GetValue(output) ?? Path.Combine("runs", $"bench-{benchmark.Name}"),
            Data = parsed.GetValue(data),
            Iterations = parsed.GetResult(iterations) is null ? null : (int)parsed.GetValue(iterations),
            PerClass = parsed.GetResult(perClass) is null ? null : (int)parsed.GetValue(perClass),
            Markdown = parsed.GetValue(markdown),
            Json = parsed.GetValue(json),
        }).Run());
        Examples.Of(command,
            $"engram bench {benchmark.Name}",
            $"engram bench {benchmark.Name} --scenario {BenchmarkCell.NameOf(benchmark.Scenarios[^1])} --seeds 20",
            $"engram bench {benchmark.Name} --methods {benchmark.Methods[0].Name},er-ace --seeds 3");
        return command;
    }

    private static IReadOnlyList<Scenario> Scenarios(Benchmark benchmark, string? asked)
    {
        if (asked is null or "all") return benchmark.Scenarios;
        Scenario[] chosen = [.. benchmark.Scenarios.Where(scenario => BenchmarkCell.NameOf(scenario) == asked)];
        return chosen.Length > 0
            ? chosen
            : throw new UsageException(
                $"--scenario: \"{asked}\", expected {string.Join(", ", benchmark.Scenarios.Select(BenchmarkCell.NameOf))} or all");
    }
}
