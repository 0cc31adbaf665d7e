using System.Text;
using Engram.Cli.Experiments;
using Engram.Evaluation;
using Engram.Evaluation.Tuning;
using Engram.Persistence;
using Engram.Reporting.Tuning;

namespace Engram.Cli.Commands.Tune;

/// <summary>Carries out a search of <c>engram tune</c>: measures what is missing, side by side, and writes what it came to.</summary>
internal sealed class TuneRun(CliHost host, TuneSettings settings)
{
    private readonly Lock _lock = new();
    private readonly List<string> _failures = [];
    private readonly Dictionary<TrialCell, TrialCell.Measured?> _measured = [];
    private readonly List<TrialResult> _results = [];

    public int Run()
    {
        var search = Search();
        if (OutputFolder.WhyNotWritable(settings.Out) is { } reason)
            throw new UsageException($"--out: \"{settings.Out}\" cannot be written to ({reason}), expected a folder that can");
        var folder = Directory.CreateDirectory(Path.Combine(settings.Out, "trials")).FullName;
        using var view = new TuneView(host, settings, settings.Only is null ? search.Work : settings.Share, Number(search));
        var missing = Number(search);
        try
        {
            while (Next(search) is { Count: > 0 } trials)
            {
                var cells = trials.SelectMany(settings.Cells).Distinct().ToArray();
                foreach (var cell in cells) if (cell.ResultIn(folder) is { } earlier) Take(view, trials, cell, earlier, restored: true);
                Parallel.ForEachAsync(
                    cells.Where(cell => !_measured.ContainsKey(cell)).ToArray(),
                    new ParallelOptions { MaxDegreeOfParallelism = settings.Jobs, CancellationToken = host.CancellationToken },
                    async (cell, stop) => await Measure(cell, folder, trials, view, stop).ConfigureAwait(false)).GetAwaiter().GetResult();
                foreach (var trial in trials) _results.Add(ResultOf(trial)!);
                missing -= trials.Count;
            }
        }
        catch (OperationCanceledException) when (host.CancellationToken.IsCancellationRequested)
        {
            // What is measured is worth showing; the same command goes on with the rest.
        }
        view.Stop();
        foreach (var failure in _failures) host.Error.WriteLine($"engram: {failure}");
        Finish(view, missing);
        return host.CancellationToken.IsCancellationRequested ? ExitCode.Interrupted
            : _failures.Count > 0 ? ExitCode.Failure : ExitCode.Success;
    }

    private Search Search()
    {
        try
        {
            return settings.Section.Search(settings.Vary, settings.File.Seed);
        }
        catch (ArgumentException problem)
        {
            throw new UsageException($"{settings.Text.File}: tune: {problem.Message}", problem);
        }
    }

    private int Number(Search search) => settings.Only is null ? search.Trials : 1;

    private IReadOnlyList<Trial> Next(Search search)
    {
        var scores = _results.ToDictionary(result => result.Trial.Key, result => result.Mean(settings.Section.Objective));
        if (settings.Only is not { } only) return search.Next(scores);
        if (_results.Count > 0) return [];
        var trial = search.Next(new Dictionary<(int, double), double>()).FirstOrDefault(trial => trial.Number == only)
            ?? throw new UsageException($"--only: {only}, expected the number of a trial, 0 to {search.Trials - 1}");
        return [trial with { Share = settings.Share }];
    }

    private async ValueTask Measure(
        TrialCell cell, string folder, IReadOnlyList<Trial> trials, TuneView view, CancellationToken stop)
    {
        var name = TuneView.NameOf(trials.First(trial => settings.Cells(trial).Contains(cell)), cell);
        try
        {
            view.Progress(name, cell, 0);
            await CellProcess.Run(
                cell.Key, TrialCellCommand.Arguments(cell, folder, settings.Source, settings.Text.File), fraction => view.Progress(name, cell, fraction), stop).ConfigureAwait(false);
            lock (_lock) Take(view, trials, cell, cell.ResultIn(folder)!, restored: false);
        }
        catch (FailureException problem)
        {
            // Settings that fail stand last; the others are worth having all the same.
            lock (_lock)
            {
                _failures.Add(problem.Message);
                _measured[cell] = null;
            }
            view.GaveUp(name, cell, problem.Message);
        }
    }

    private void Take(TuneView view, IReadOnlyList<Trial> trials, TrialCell cell, TrialCell.Measured measured, bool restored)
    {
        _measured[cell] = measured;
        foreach (var trial in trials.Where(trial => settings.Cells(trial).Contains(cell)))
        {
            var whole = ResultOf(trial);
            view.Finished(trial, cell, whole, restored, measured.Seconds);
        }
    }

    // Null while a seed is missing.
    private TrialResult? ResultOf(Trial trial)
    {
        var cells = settings.Cells(trial);
        if (!cells.All(_measured.ContainsKey)) return null;
        TrialCell.Measured[] there = [.. cells.Select(cell => _measured[cell]).OfType<TrialCell.Measured>()];
        return new TrialResult(
            trial, there.Length == cells.Count ? [.. there.Select(cell => cell.Result)] : [TuneView.Failed], there.Sum(cell => cell.Seconds));
    }

    private void Finish(TuneView view, int missing)
    {
        if (_results.Count == 0)
        {
            view.Finish(null, [], missing);
            return;
        }
        var results = new TuningResults
        {
            Experiment = settings.File.Name,
            Strategy = settings.File.Strategies.First(strategy => strategy.Name == settings.Strategy).Title,
            Method = settings.Section.Method,
            Objective = settings.Section.Objective,
            Settings = settings.Readable,
            Command = settings.Command,
            Seconds = _results.Sum(result => result.Seconds),
            Environment = RunEnvironment.Describe(),
            Rows = TuningResults.RowsOf(_results, settings.Section.Objective, settings.CommandOf),
            Missing = missing,
        };
        List<string> files = [];
        if (settings.Only is null)
        {
            files.AddRange(TuningReport.Write(results, settings.Out));
            files.Add(ChosenFile.KeepTuned(settings));
            if (results.Chosen is { } chosen) files.Add(ChosenFile.Write(settings, chosen.Values, new Dictionary<string, IReadOnlyList<string>>(),
                $"{settings.Section.Objective} {100 * chosen.Score.Mean:0.00} % on validation samples"));
        }
        view.Finish(results, files, missing);
    }
}

/// <summary>The experiment's file with the values that a search chose, and as it was tuned.</summary>
internal static class ChosenFile
{
    /// <summary>Writes a copy of the file that was tuned, for the commands of the report.</summary>
    /// <returns>Its full path.</returns>
    public static string KeepTuned(TuneSettings settings) => Put(settings, RunFileSettings.CopyName, settings.Text.Text);

    /// <summary>Writes it beside the report; comments and order are those of the file that was tuned.</summary>
    /// <param name="settings">What was asked for.</param>
    /// <param name="values">Values that are the same in all experiences.</param>
    /// <param name="lists">Values by experience.</param>
    /// <param name="why">What the choice came to.</param>
    /// <returns>Its full path.</returns>
    public static string Write(
        TuneSettings settings, IReadOnlyDictionary<string, string> values, IReadOnlyDictionary<string, IReadOnlyList<string>> lists, string why)
    {
        var text = new StringBuilder($"# Chosen by {settings.Command}: {FormattableString.Invariant($"{why}")}\n");
        text.Append(settings.Plain.With(values).Text.TrimEnd()).Append('\n');
        if (lists.Count > 0) text.Append($"\n{ExperienceValues.Key}:\n");
        foreach (var (key, list) in lists) text.Append($"  {key}: [{string.Join(", ", list.Select(ExperimentText.Written))}]\n");
        // What is written must be readable: better no file than one that does not run.
        ExperimentFile.Parse(new ExperimentText(TuneSettings.ChosenName, text.ToString()));
        return Put(settings, TuneSettings.ChosenName, text.ToString());
    }

    private static string Put(TuneSettings settings, string name, string text)
    {
        var path = Path.GetFullPath(Path.Combine(settings.Out, name));
        AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)));
        return path;
    }
}
