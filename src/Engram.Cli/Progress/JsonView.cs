using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Engram.Cli.Commands;
using Engram.Evaluation;

namespace Engram.Cli.Progress;

/// <summary>One JSON object a line: <c>start</c>, <c>progress</c> (at most one a second), <c>phase</c>, <c>strategy</c>,
/// <c>restored</c> (a strategy that had ended before the run was stopped), <c>results</c>.</summary>
internal sealed class JsonView(CliHost host) : RunView
{
    private static readonly TimeSpan s_every = TimeSpan.FromSeconds(1);

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    private readonly Remaining _remaining = new(host.Clock);
    private long _lastProgress = host.Clock.GetTimestamp();

    public override void Show(
        RunSettings settings, ExperimentDescription experiment, string folder, Action<IProgress<ExperimentProgress>> run)
    {
        Line(new { Event = "start", Experiment = settings.Name, settings.Command, Strategies = experiment.Strategies.Select(strategy => strategy.Name), Folder = Path.GetFullPath(folder) });
        run(new Relay(Report));
    }

    public override void Finish(RunResults results, IReadOnlyList<string> files, string resume) => Line(new
    {
        Event = "results",
        Files = files,
        Resume = results.Unfinished is null ? null : resume,
        Results = JsonNode.Parse(results.ToJson()),
    });

    private void Report(ExperimentProgress progress)
    {
        var (strategy, phase) = (progress.Strategy.Name, progress.PhaseName);
        switch (progress.Event)
        {
            case ExperimentEvent.PhaseMeasured:
                Line(new { Event = "phase", strategy, phase, progress.Fraction, progress.Measured });
                break;
            case ExperimentEvent.StrategyRestored:
                Line(new { Event = "restored", strategy, progress.Fraction, progress.Result });
                break;
            case ExperimentEvent.StrategyFinished:
                Line(new { Event = "strategy", strategy, progress.Fraction, progress.Result });
                break;
            case ExperimentEvent.Learning when host.Clock.GetElapsedTime(_lastProgress) >= s_every:
                _lastProgress = host.Clock.GetTimestamp();
                Line(new
                {
                    Event = "progress",
                    strategy,
                    phase,
                    progress.Fraction,
                    SecondsToGo = _remaining.After(progress.Fraction)?.TotalSeconds,
                    progress.Learning,
                });
                break;
        }
    }

    private void Line<T>(T value)
    {
        host.Out.WriteLine(JsonSerializer.Serialize(value, s_json));
        host.Out.Flush();
    }
}
