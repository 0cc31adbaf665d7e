using System.Globalization;
using Engram.Cli.Commands;
using Engram.Evaluation;

namespace Engram.Cli.Progress;

/// <summary>Lines for logs and pipes: one for each phase, and a sign of life every ten seconds.</summary>
internal sealed class PlainView(CliHost host) : RunView
{
    private static readonly TimeSpan s_signOfLife = TimeSpan.FromSeconds(10);

    private readonly Remaining _remaining = new(host.Clock);
    private long _lastLine = host.Clock.GetTimestamp();

    public override void Show(
        RunSettings settings, ExperimentDescription experiment, string folder, Action<IProgress<ExperimentProgress>> run)
    {
        var strategies = string.Join(", ", experiment.Strategies.Select(strategy => strategy.Name));
        Line($"{settings.Name}{(settings.Resumes ? " goes on" : "")}: {strategies}; seed {Text(experiment.Training.Seed)}, "
            + $"{RunSettings.Passes(experiment.Training)}, {Text(settings.Threads)} thread(s); writes to {folder}");
        run(new Relay(Report));
    }

    public override void Finish(RunResults results, IReadOnlyList<string> files, string resume) =>
        ResultView.Write(host.Console, results, files, resume);

    private void Report(ExperimentProgress progress)
    {
        var where = $"{progress.Strategy.Name,-12} {progress.PhaseName,-6}";
        if (progress.Event == ExperimentEvent.StrategyRestored)
            Line($"{progress.Strategy.Name,-12} {Words.Restored(progress)}");
        else if (progress.Event == ExperimentEvent.PhaseMeasured)
            Line($"{where} {Words.Of(progress)}");
        else if (progress.Learning is { } learning && host.Clock.GetElapsedTime(_lastLine) >= s_signOfLife)
            Line($"{where} {Words.Of(learning)}" + (_remaining.After(progress.Fraction) is { } time
                ? $"; {Words.Time(time)} to go"
                : ""));
    }

    private void Line(string text)
    {
        host.Out.WriteLine(text);
        host.Out.Flush();
        _lastLine = host.Clock.GetTimestamp();
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
