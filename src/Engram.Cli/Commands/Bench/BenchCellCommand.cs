using System.CommandLine;
using System.Text.Json;
using Engram.Cli.Experiments;
using Engram.Evaluation;
using Engram.Evaluation.Benchmarks;
using Engram.Learning;
using Engram.Persistence;

namespace Engram.Cli.Commands.Bench;

/// <summary>
/// <c>engram bench cell</c>, not shown in help: one cell in a process of its own, started by <see cref="BenchRun"/>. It stops
/// when its standard input is closed, as happens when its parent ends, however that came.
/// </summary>
internal static class BenchCellCommand
{
    /// <summary>The arguments that run a cell.</summary>
    public static IReadOnlyList<string> Arguments(BenchmarkCell cell, string folder, string data) =>
        ["bench", "cell", "--cell", JsonSerializer.Serialize(cell), "--out", folder, "--data", data];

    public static Command Build(CliHost host)
    {
        var cell = OptionOf.Text("--cell", "The cell, as JSON.", "JSON");
        var output = OptionOf.Text("--out", "Folder of the benchmark's cells.", "DIR");
        var data = OptionOf.Text("--data", "Where the data are.", "PATH");
        var command = new Command("cell", "Run one cell.") { cell, output, data, ErrorPolicy.Verbose() };
        command.Hidden = true;
        command.SetAction(parsed => Run(
            host, JsonSerializer.Deserialize<BenchmarkCell>(parsed.GetValue(cell)!)!, parsed.GetValue(output)!, parsed.GetValue(data)!));
        return command;
    }

    private static int Run(CliHost host, BenchmarkCell cell, string folder, string data)
    {
        using var child = new CellChild(host);
        TorchRuntime.Configure(1);
        var benchmark = BenchmarkList.Named(cell.Benchmark);
        var path = Path.Combine(folder, cell.Key);
        var stream = BenchPlan.Using(data, () => benchmark.StreamOf(cell, DataSets.Load(benchmark, data)));
        using var checkpoints = new ExperimentCheckpoints(path + ".checkpoint", clock: host.Clock);
        // Pictures are read as they are needed.
        var result = DataFolder.Reading(() => benchmark.Run(cell, stream, child, checkpoints, child.Stop));
        if (result is null) return ExitCode.Interrupted;
        AtomicFile.Write(path + ".json", CellResult.Of(cell, checkpoints.Seconds, result).ToJson());
        checkpoints.Clear();
        return ExitCode.Success;
    }
}
