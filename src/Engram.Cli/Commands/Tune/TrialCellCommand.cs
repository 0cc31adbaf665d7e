using System.CommandLine;
using Engram.Cli.Experiments;
using Engram.Evaluation;
using Engram.Evaluation.Tuning;
using Engram.Learning;
using Engram.Persistence;
using Engram.Retention;

namespace Engram.Cli.Commands.Tune;

/// <summary>
/// <c>engram tune cell</c>, not shown in help: one measurement in a process of its own, started by <see cref="TuneRun"/>. It reads
/// training samples only, and stops when its standard input is closed, as happens when its parent ends, however that came.
/// </summary>
internal static class TrialCellCommand
{
    /// <summary>The name of the command below <c>tune</c>; no experiment's file is called so.</summary>
    public const string Name = "cell";

    /// <summary>The arguments that measure a cell, written to a file for its child.</summary>
    /// <param name="cell">The cell.</param>
    /// <param name="folder">Where its file and result are.</param>
    /// <param name="data">Where the data are.</param>
    /// <param name="name">The user's file, for messages.</param>
    public static IReadOnlyList<string> Arguments(TrialCell cell, string folder, string data, string name)
    {
        var path = Path.Combine(folder, cell.Key + ".cell");
        AtomicFile.Write(path, cell.ToJson());
        return ["tune", Name, "--cell", path, "--data", data, "--file", name];
    }

    public static Command Build(CliHost host)
    {
        var cell = OptionOf.Text("--cell", "File of the cell.", "FILE");
        var data = OptionOf.Text("--data", "Where the data are.", "PATH");
        var file = OptionOf.Text("--file", "Name of the experiment's file, for messages.", "FILE");
        var command = new Command(Name, "Measure one trial.") { cell, data, file, ErrorPolicy.Verbose() };
        command.Hidden = true;
        command.SetAction(parsed => Run(host, parsed.GetValue(cell)!, parsed.GetValue(data)!, parsed.GetValue(file)!));
        return command;
    }

    /// <summary>The experiment of a file with one strategy only.</summary>
    /// <param name="file">The file.</param>
    /// <param name="strategy">Name of the strategy.</param>
    /// <param name="data">Where the data are.</param>
    public static ExperimentDescription Describe(ExperimentFile file, string strategy, string data) => new()
    {
        Name = file.Name,
        Strategies = [file.Strategies.First(known => known.Name == strategy)],
        Model = chosen => file.Model.Make(chosen, file.Data.ShapeIn(data)),
        ForwardTransfer = file.Evaluation.ForwardTransfer,
        Training = file.Training,
        Budget = new StrategyBudget(file.Memory),
        Settings = new Dictionary<string, string>(),
    };

    private static int Run(CliHost host, string path, string data, string name)
    {
        using var child = new CellChild(host);
        TorchRuntime.Configure(1);
        var (cell, folder) = (TrialCell.Read(path), Path.GetDirectoryName(Path.GetFullPath(path))!);
        var (file, samples) = Read(cell, data, name);
        using var checkpoints = new ExperimentCheckpoints(Path.Combine(folder, cell.Key + ".checkpoint"), clock: host.Clock);
        var result = TrialRun.Measure(samples, Describe(file, cell.Strategy, data), cell.Share, child, checkpoints, host.Clock, child.Stop);
        if (result is null) return ExitCode.Interrupted;
        AtomicFile.Write(cell.FileIn(folder), new TrialCell.Measured(checkpoints.Seconds, result).ToJson());
        checkpoints.Clear();
        File.Delete(path);
        return ExitCode.Success;
    }

    // Lines of a trial's text are not those of that file.
    private static (ExperimentFile File, TuningData Samples) Read(TrialCell cell, string data, string name)
    {
        try
        {
            var file = ExperimentFile.Parse(new ExperimentText(name, cell.Text), cell.Seed);
            return (file, file.LoadForTuning(file.FindData(data), cell.Validation));
        }
        catch (YamlProblem problem)
        {
            throw new UsageException($"{name}: {problem.Said}", problem);
        }
    }
}
