using System.CommandLine;
using Engram.Evaluation.Benchmarks;

namespace Engram.Cli.Commands.Bench;

/// <summary><c>engram bench</c>: published protocols, their options, and what they must be.</summary>
internal static class BenchCommand
{
    private const string All = "all";

    public static Command Build(CliHost host)
    {
        var command = new Command("bench", "Run published protocols and hold our numbers against the papers'.") { ErrorPolicy.Verbose() };
        var list = new Command("list", "List the benchmarks, their scenarios and methods.") { ErrorPolicy.Verbose() };
        list.SetAction(_ => BenchListing.Write(host.Console));
        Examples.Of(list, "engram bench list");
        command.Subcommands.Add(list);
        foreach (var family in BenchmarkList.All.GroupBy(benchmark => benchmark.Family)) command.Subcommands.Add(Of([.. family], host));
        command.Subcommands.Add(BenchSpeedCommand.Build(host));
        command.Subcommands.Add(BenchCellCommand.Build(host));
        Examples.Of(command,
            "engram bench list",
            "engram bench speed",
            "engram bench split-mnist --scenario class --methods all --seeds 20",
            "engram bench split-mnist --scenario class --methods none,er --seeds 2 --iterations 50   a short look");
        return command;
    }

    private static Command Of(Benchmark[] family, CliHost host)
    {
        var (benchmark, names) = (family[0], family.SelectMany(Names).ToArray());
        var scenario = OptionOf.Text("--scenario", $"Scenario: {string.Join(", ", names)} or all [default: all]", "NAME");
        var methods = OptionOf.Text("--methods",
            $"Methods in order, or all those of the paper: {string.Join(", ", benchmark.Methods.Select(method => method.Name))}; "
            + "strategies of the library run too [default: all]", "a,b|all");
        var seeds = OptionOf.Number("--seeds", "How many seeds, from 0.", 5, 1, 10_000);
        var jobs = OptionOf.Number("--jobs", "Cells that run at once, one thread each.", Environment.ProcessorCount, 1, Environment.ProcessorCount);
        var output = OptionOf.Text("--out",
            $"Folder to write to; cells that it holds already are not run again [default: runs/bench-{string.Join(", runs/bench-", family.Select(one => one.Name))}]", "DIR");
        var data = OptionOf.Text("--data", $"Folder or archive with the data ({benchmark.DataName}) {DataFolder.Default}", "PATH");
        var iterations = OptionOf.Number("--iterations", "Steps per context instead of the protocol's, for a short look.", null, 1, 10_000_000);
        var perClass = OptionOf.Number("--per-class", "Samples of each class instead of all, for a short look.", null, 2, 10_000_000);
        var markdown = OptionOf.Text("--markdown", "File to write the table to as Markdown too; in one that is there, its section is replaced.", "FILE");
        var json = OptionOf.Switch("--json", "Write events and the table as lines of JSON, and nothing else, to standard output.");
        var command = new Command(benchmark.Family, $"{string.Join("; ", family.Select(one => one.Title))}: {benchmark.Source}.")
        {
            scenario, methods, seeds, jobs, output, data, iterations, perClass, markdown, json, ErrorPolicy.Verbose(),
        };
        command.SetAction(parsed =>
        {
            var asked = parsed.GetValue(scenario) ?? All;
            if (asked != All && !names.Contains(asked)) throw new UsageException($"--scenario: \"{asked}\", expected {string.Join(", ", names)} or all");
            Benchmark[] chosen = [.. family.Where(one => asked == All || Names(one).Contains(asked))];
            // What is wrong with one is told before hours are spent on another.
            BenchPlan[] plans = [.. BenchSettings.WithOwnMethods([.. chosen.Select(one => Settings(parsed, one))]).Select(BenchPlan.Of)];
            foreach (var plan in plans) OutputFolder.RequireWritable(plan.Settings.Out);
            var worst = ExitCode.Success;
            // One table after the other; each has a folder.
            foreach (var plan in plans)
            {
                worst = Math.Max(worst, new BenchRun(host, plan).Run());
                if (worst == ExitCode.Interrupted) break;
            }
            return worst;

            BenchSettings Settings(ParseResult parsed, Benchmark one) => new()
            {
                Benchmark = one,
                Scenarios = [.. one.Scenarios.Where(known => asked == All || one.NameOf(known) == asked)],
                Methods = parsed.GetValue(methods) is null or All
                    ? null
                    : parsed.GetValue(methods)!.Split(',', StringSplitOptions.TrimEntries),
                Seeds = (int)parsed.GetValue(seeds),
                Jobs = (int)parsed.GetValue(jobs),
                Out = parsed.GetValue(output) is not { } folder ? Path.Combine("runs", $"bench-{one.Name}")
                    : chosen.Length == 1 ? folder : Path.Combine(folder, one.Name),
                Data = parsed.GetValue(data),
                Iterations = parsed.GetResult(iterations) is null ? null : (int)parsed.GetValue(iterations),
                PerClass = parsed.GetResult(perClass) is null ? null : (int)parsed.GetValue(perClass),
                Markdown = parsed.GetValue(markdown),
                Json = parsed.GetValue(json),
            };
        });
        Examples.Of(command,
            $"engram bench {benchmark.Family}",
            $"engram bench {benchmark.Family} --scenario {names[^1]} --seeds 20",
            $"engram bench {benchmark.Family} --methods {benchmark.Methods[0].Name},er-ace --seeds 3");
        return command;
    }

    private static IEnumerable<string> Names(Benchmark benchmark) => benchmark.Scenarios.Select(benchmark.NameOf);
}
