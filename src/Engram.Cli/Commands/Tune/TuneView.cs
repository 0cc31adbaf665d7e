using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json.Nodes;
using Engram.Cli.Progress;
using Engram.Evaluation;
using Engram.Evaluation.Tuning;
using Spectre.Console;

namespace Engram.Cli.Commands.Tune;

/// <summary>What a user sees of a search: lines, a live display on a terminal, or lines of JSON.</summary>
internal sealed class TuneView : IDisposable
{
    private const int MostRows = 10;

    private readonly CliHost _host;
    private readonly TuneSettings _settings;
    private readonly RunningCells _running;
    private readonly int _trials;
    private int _done;
    private int _failed;

    /// <summary>Begins to show.</summary>
    /// <param name="host">Where.</param>
    /// <param name="settings">What was asked for.</param>
    /// <param name="work">All work, in trials on everything.</param>
    /// <param name="trials">How many trials there are.</param>
    /// <param name="quiet">Whether the beginning was told already.</param>
    public TuneView(CliHost host, TuneSettings settings, double work, int trials, bool quiet = false)
    {
        (_host, _settings, _trials) = (host, settings, trials);
        if (!quiet) Begin();
        _running = new RunningCells(
            host, quiet ? RunningCells.Form.None : settings.Json ? RunningCells.Form.Json : RunningCells.Form.Text, work * settings.Seeds.Count, 0,
            () => $"{_done} of {_trials} trials{(_failed == 0 ? "" : $", {_failed} failed")}");
    }

    /// <summary>What stands for the result of settings whose training failed.</summary>
    public static StrategyResult Failed { get; } = new()
    {
        Name = "failed",
        Title = "failed",
        Accuracy = [[]],
        AccuracySoFar = [],
        AccuracyPerClass = [],
        Confusion = [],
        Metrics = new Dictionary<string, double>(),
        Costs = [],
        MemoryBytes = 0,
    };

    public static string NameOf(Trial trial, TrialCell cell) => string.Create(
        CultureInfo.InvariantCulture, $"trial {trial.Number}{(trial.Share < 1 ? $" on {trial.Share:0.##}" : "")}, seed {cell.Seed}");

    public void Progress(string name, TrialCell cell, double fraction) => _running.Progress(name, cell.Share, fraction);

    /// <summary>A cell has been measured, now or before; the trial too where no seed is missing.</summary>
    public void Finished(Trial trial, TrialCell cell, TrialResult? whole, bool restored, double seconds)
    {
        Action<string, double, Action<TimeSpan?>> end = restored ? _running.SetAside : _running.Finished;
        end(NameOf(trial, cell), cell.Share, toGo =>
        {
            if (!Counted(whole)) return;
            var score = whole.Mean(_settings.Section.Objective);
            if (_settings.Json)
                JsonLine.Write(_host.Out, new
                {
                    Event = "trial",
                    trial.Number,
                    trial.Share,
                    trial.Values,
                    Score = score,
                    whole.New,
                    whole.Old,
                    Restored = restored,
                    whole.Seconds,
                    Done = _done,
                    Trials = _trials,
                    SecondsToGo = toGo?.TotalSeconds,
                });
            else
                _host.Out.WriteLine(
                    $"trial {trial.Number,-4}{(trial.Share < 1 ? $" on {trial.Share.ToString("0.##", CultureInfo.InvariantCulture),-4}" : "")} "
                    + $"{Words.Percent(score),7} (new {Words.Percent(whole.New)}, old {Words.Percent(whole.Old)})  {trial.Text}  "
                    + $"{(restored ? "measured before" : Words.Time(seconds))}   {_done} of {_trials}{RunningCells.ToGo(toGo)}");
            _host.Out.Flush();
        });
    }

    /// <summary>A cell came to nothing; the others go on.</summary>
    public void GaveUp(Trial trial, TrialCell cell, TrialResult? whole, string why) => _running.SetAside(NameOf(trial, cell), cell.Share, _ =>
    {
        Counted(whole);
        var name = NameOf(trial, cell);
        if (_settings.Json) JsonLine.Write(_host.Out, new { Event = "failed", Name = name, Why = why });
        else _host.Out.WriteLine($"{name}   failed");
        _host.Out.Flush();
    });

    public void Stop() => _running.Stop();

    public void Finish(TuningResults? results, IReadOnlyList<string> files, int missing)
    {
        if (_settings.Json)
        {
            JsonLine.Write(_host.Out, new
            {
                Event = "result",
                Missing = missing,
                Files = files,
                Results = results is null ? null : JsonNode.Parse(results.ToJson()),
            });
            return;
        }
        if (results is not null) Table(_host.Console, results);
        if (missing > 0) _host.Out.WriteLine($"{missing} measurement(s) are missing; the same command goes on with them.");
        if (files.Count > 0) _host.Out.WriteLine("Wrote:");
        foreach (var file in files) _host.Out.WriteLine($"  {file}");
    }

    public void Dispose() => _running.Dispose();

    // Whether a trial is whole, and was measured.
    private bool Counted([NotNullWhen(true)] TrialResult? whole)
    {
        if (whole is null) return false;
        if (whole.Failure is null) _done++;
        else _failed++;
        return whole.Failure is null;
    }

    private void Begin()
    {
        if (_settings.Json)
            JsonLine.Write(_host.Out, new
            {
                Event = "start",
                Experiment = _settings.File.Name,
                _settings.Strategy,
                _settings.Section.Method,
                _settings.Command,
                Trials = _trials,
                Seeds = _settings.Seeds.Count,
            });
        else
            _host.Out.WriteLine(
                $"{_settings.File.Name}, {_settings.Strategy}: {_settings.Section.Method} search, {_trials} trial(s) with {_settings.Seeds.Count} seed(s) each; "
                + $"{_settings.Jobs} at once; in {_settings.Out}");
    }

    private static void Table(IAnsiConsole console, TuningResults results)
    {
        var table = new Table().Border(TableBorder.Simple).Title("Accuracy on validation samples, %");
        foreach (var title in new[] { "No.", "values" }) table.AddColumn(title);
        foreach (var title in new[] { "score", "new", "old", "" }) table.AddColumn(new TableColumn(title).RightAligned().NoWrap());
        var rows = results.Choices is null ? results.Rows.Take(MostRows) : results.Rows.Where(row => row.IsChosen);
        foreach (var row in rows)
            table.AddRow(
                row.Number.ToString(CultureInfo.InvariantCulture),
                Markup.Escape(string.Join(", ", row.Values.Select(pair => $"{pair.Key} {pair.Value}"))
                    + (row.Share < 1 ? string.Create(CultureInfo.InvariantCulture, $" (on {row.Share:0.##})") : "")),
                Words.Percent(row.Score.Mean), Words.Percent(row.New), Words.Percent(row.Old), row.IsChosen ? "chosen" : row.Failure is null ? "" : "failed");
        console.Write(table);
    }
}
