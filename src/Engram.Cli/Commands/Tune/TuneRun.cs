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
    private readonly Dictionary<TrialCell, Outcome> _outcomes = [];
    private readonly Dictionary<(int Number, double Share), TrialResult> _results = [];

    public int Run()
    {
        var search = Search();
        CheckData();
        OutputFolder.RequireWritable(settings.Out);
        var folder = Directory.CreateDirectory(Path.Combine(settings.Out, "trials")).FullName;
        using var view = new TuneView(host, settings, settings.Only is null ? search.Work : settings.Share, Number(search));
        try
        {
            while (!AllFailed && Next(search) is { Count: > 0 } trials)
            {
                var cells = trials.SelectMany(settings.Cells).Distinct().ToArray();
                foreach (var cell in cells) if (cell.ResultIn(folder) is { } earlier) Take(view, trials, cell, new(earlier, null), restored: true);
                Parallel.ForEachAsync(
                    cells.Where(cell => !_outcomes.ContainsKey(cell)).ToArray(),
                    new ParallelOptions { MaxDegreeOfParallelism = settings.Jobs, CancellationToken = host.CancellationToken },
                    async (cell, stop) => await Measure(cell, folder, trials, view, stop).ConfigureAwait(false)).GetAwaiter().GetResult();
            }
        }
        catch (OperationCanceledException) when (host.CancellationToken.IsCancellationRequested)
        {
            // What is measured is worth showing; the same command goes on with the rest.
        }
        view.Stop();
        var interrupted = host.CancellationToken.IsCancellationRequested;
        if (AllFailed && !interrupted) throw Nothing();
        var failed = _results.Values.Where(result => result.Failure is not null).ToArray();
        foreach (var same in failed.GroupBy(result => result.Failure!))
            host.Error.WriteLine($"engram: {Names(same)}: {same.Key}");
        Finish(view, Number(search) - _results.Count);
        return interrupted ? ExitCode.Interrupted : failed.Length > 0 ? ExitCode.Failure : ExitCode.Success;
    }

    // What the data refuse of the file itself is told with its line; what a trial replaces there, by the trial.
    private void CheckData()
    {
        if (settings.Vary.Any(dimension => dimension.Key.Split('.')[0] is "data" or "stream")) return;
        settings.File.LoadForTuning(settings.Source, settings.Section.Validation);
    }

    private bool AllFailed => _results.Count > 0 && _results.Values.All(result => result.Failure is not null);

    // What is wrong with every setting is wrong with the file or the data: that is told once.
    private Exception Nothing()
    {
        var first = _results.Values.MinBy(result => result.Trial.Number)!.Failure!;
        var message = _results.Count == 1 || _results.Values.All(result => result.Failure == first) ? first : $"all {_results.Count} trials failed, the first for: {first}";
        return _outcomes.Values.All(outcome => outcome.Problem is null or UsageException) ? new UsageException(message) : new FailureException(message);
    }

    private static string Names(IEnumerable<TrialResult> trials)
    {
        int[] numbers = [.. trials.Select(result => result.Trial.Number).Distinct().Order()];
        return $"{(numbers.Length > 1 ? "trials" : "trial")} {string.Join(", ", numbers)} failed";
    }

    private Search Search()
    {
        try
        {
            return settings.Section.Search(settings.Vary, settings.File.Seed);
        }
        catch (ArgumentException problem)
        {
            throw settings.Text.Top.Section("tune")!.Refused(problem);
        }
    }

    private int Number(Search search) => settings.Only is null ? search.Trials : 1;

    private IReadOnlyList<Trial> Next(Search search)
    {
        var scores = _results.ToDictionary(pair => pair.Key, pair => pair.Value.Mean(settings.Section.Objective));
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
                name, TrialCellCommand.Arguments(cell, folder, settings.Source, settings.Text.File), fraction => view.Progress(name, cell, fraction), stop).ConfigureAwait(false);
            lock (_lock) Take(view, trials, cell, new(cell.ResultIn(folder)!, null), restored: false);
        }
        catch (Exception problem) when (problem is FailureException or UsageException)
        {
            // Settings that fail, or that the data refuse, stand last; the others are worth having all the same.
            lock (_lock) Take(view, trials, cell, new(null, problem), restored: false);
        }
    }

    private void Take(TuneView view, IReadOnlyList<Trial> trials, TrialCell cell, Outcome outcome, bool restored)
    {
        _outcomes[cell] = outcome;
        foreach (var trial in trials.Where(trial => settings.Cells(trial).Contains(cell)))
        {
            var whole = ResultOf(trial);
            if (whole is not null) _results[trial.Key] = whole;
            if (outcome.Measured is { } measured) view.Finished(trial, cell, whole, restored, measured.Seconds);
            else view.GaveUp(trial, cell, whole, outcome.Problem!.Message);
        }
    }

    // Null while a seed is missing.
    private TrialResult? ResultOf(Trial trial)
    {
        var cells = settings.Cells(trial);
        if (!cells.All(_outcomes.ContainsKey)) return null;
        TrialCell.Measured[] there = [.. cells.Select(cell => _outcomes[cell].Measured).OfType<TrialCell.Measured>()];
        return new TrialResult(
            trial, there.Length == cells.Count ? [.. there.Select(cell => cell.Result)] : [TuneView.Failed], there.Sum(cell => cell.Seconds))
        {
            Failure = cells.Select(cell => _outcomes[cell].Problem?.Message).FirstOrDefault(message => message is not null),
        };
    }

    private void Finish(TuneView view, int missing)
    {
        if (_results.Count == 0 || AllFailed)
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
            Seconds = _results.Values.Sum(result => result.Seconds),
            Environment = RunEnvironment.Describe(),
            Rows = TuningResults.RowsOf(_results.Values, settings.Section.Objective, settings.CommandOf),
            Missing = missing,
        };
        List<string> files = [];
        if (settings.Only is null)
        {
            files.AddRange(TuningReport.Write(results, settings.Out));
            files.Add(ChosenFile.KeepTuned(settings));
            if (results.Chosen is { } chosen) files.Add(ChosenFile.Write(settings, chosen.Values, new Dictionary<string, IReadOnlyList<string>>(),
                $"{settings.Section.Objective} {100 * chosen.Score.Mean:0.00} % on validation samples{(missing == 0 ? "" : $", {missing} measurements missing")}"));
        }
        view.Finish(results, files, missing);
    }

    // What a cell came to: one of the two.
    private sealed record Outcome(TrialCell.Measured? Measured, Exception? Problem);
}

/// <summary>The experiment's file with the values that a search chose, and as it was tuned.</summary>
internal static class ChosenFile
{
    /// <summary>Writes a copy of the file as it was tuned: that which the commands name may change.</summary>
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

    private static string Put(TuneSettings settings, string name, string text) => AtomicFile.Write(Path.Combine(settings.Out, name), text);
}
