using System.Globalization;
using Engram.Cli.Commands;
using Engram.Evaluation;
using Spectre.Console;

namespace Engram.Cli.Progress;

/// <summary>A display that a terminal redraws: finished phases scroll up, the present one and the whole run below.</summary>
internal sealed class LiveView(CliHost host) : RunView
{
    private const int MostBar = 30;
    private const int NameWidth = 18;
    private const int EchoOfCtrlC = 3; // The terminal's own ^C must not wrap, or clearing would miss a line.

    private readonly Remaining _remaining = new(host.Clock);
    private readonly IAnsiConsole _console = host.Console;

    public override void Show(
        RunSettings settings, ExperimentDescription experiment, string folder, Action<IProgress<ExperimentProgress>> run)
    {
        _console.MarkupLineInterpolated(
            $"[bold]{settings.Name}[/]: {settings.Title}; seed {experiment.Training.Seed}, {RunSettings.Passes(experiment.Training)}, {settings.Threads} thread(s)");
        _console.MarkupLineInterpolated($"[dim]writes to {folder}; Ctrl-C stops, and {RunCommand.ToResume(folder)} goes on[/]");
        _console.WriteLine();
        _console.Live(new Markup("[dim]starting ...[/]")).AutoClear(true)
            .Start(live => run(new Relay(progress => Report(live, progress))));
    }

    public override void Finish(RunResults results, IReadOnlyList<string> files, string resume) =>
        ResultView.Write(_console, results, files, resume);

    private void Report(LiveDisplayContext live, ExperimentProgress progress)
    {
        if (progress.Event == ExperimentEvent.PhaseMeasured)
            Settle(progress, $"{progress.PhaseName,-6} {Words.Of(progress)}");
        else if (progress.Event == ExperimentEvent.StrategyRestored)
            Settle(progress, Words.Restored(progress));
        else
            live.UpdateTarget(Now(progress));
    }

    // The line takes the place of a bar, which may have been longer: the rest of it is wiped.
    private void Settle(ExperimentProgress progress, string words)
    {
        var room = _console.Profile.Width - "✓ ".Length - $"{progress.Strategy.Name,-12} ".Length - 1;
        _console.MarkupLineInterpolated(
            CultureInfo.InvariantCulture, $"[green]✓[/] [bold]{progress.Strategy.Name,-12}[/] {words.PadRight(Math.Max(room, 0))}");
    }

    private Rows Now(ExperimentProgress progress)
    {
        var doing = progress.Event == ExperimentEvent.Testing ? "testing"
            : progress.Learning is { } learning ? Words.Of(learning)
            : "building the model";
        var within = progress.Learning is { } at ? (double)at.Step / at.Steps
            : progress.Event == ExperimentEvent.StrategyStarted ? 0 : 1;
        var time = _remaining.After(progress.Fraction) is { } left
            ? $"{Words.Time(left)} to go"
            : "estimating the time";
        return new Rows(
            Line($"{progress.Strategy.Name} {progress.PhaseName}", within, doing),
            Line($"run {progress.StrategyIndex + 1} of {progress.Strategies}", progress.Fraction, time));
    }

    // One line each, cut rather than wrapped: a display that changes its height leaves remains on the screen.
    private Markup Line(string what, double fraction, string words)
    {
        var bar = Math.Clamp(_console.Profile.Width / 4, 8, MostBar);
        var full = (int)Math.Round(Math.Clamp(fraction, 0, 1) * bar);
        var percent = (100 * fraction).ToString("0", CultureInfo.InvariantCulture).PadLeft(3);
        var room = Math.Max(_console.Profile.Width - NameWidth - bar - " 100 %   ".Length - EchoOfCtrlC, 0);
        if (words.Length > room) words = room == 0 ? "" : words[..(room - 1)] + "…";
        return new Markup(
            $"[bold]{Markup.Escape(what.PadRight(NameWidth))}[/] [blue]{new string('━', full)}[/]"
            + $"[dim]{new string('─', bar - full)}[/] {percent} %  [dim]{Markup.Escape(words)}[/]");
    }
}
