using System.Globalization;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;

namespace Engram.Evaluation;

/// <summary>An experiment as it is run and recorded: what learns, how, and what a reader is told of it.</summary>
public sealed record ExperimentDescription
{
    /// <summary>What to call it.</summary>
    public required string Name { get; init; }

    /// <summary>What is compared, in order.</summary>
    public required IReadOnlyList<Strategy> Strategies { get; init; }

    /// <summary>Builds the model for a strategy, with the head that it asks for.</summary>
    public required Func<Strategy, ContinualModel> Model { get; init; }

    /// <summary>How every strategy trains.</summary>
    public required LearnerOptions Training { get; init; }

    /// <summary>What the strategies may use.</summary>
    /// <value>Default 1,000 samples.</value>
    public StrategyBudget Budget { get; init; } = new();

    /// <summary>How the experience at a position is learnt where they differ; null for all alike.</summary>
    public ExperienceVariants? Variant { get; init; }

    /// <summary>Whether every experience is predicted before it is learnt, see <see cref="Experiment.Prequential"/>.</summary>
    /// <value>Default false.</value>
    public bool Prequential { get; init; }

    /// <summary>Samples learnt after which accuracy is measured between the tests too, see <see cref="Experiment.AnytimeEvery"/>.</summary>
    /// <value>Default null: where tests are due alone.</value>
    public int? AnytimeEvery { get; init; }

    /// <summary>Whether forward transfer is measured, see <see cref="Experiment.ForwardTransfer"/>.</summary>
    /// <value>Default true.</value>
    public bool ForwardTransfer { get; init; } = true;

    /// <summary>The metrics that summaries show, see <see cref="RunResults.SummaryMetrics"/>.</summary>
    /// <value>Default null: accuracy at the end, in all and by group, and forgetting.</value>
    public IReadOnlyList<string>? SummaryMetrics { get; init; }

    /// <summary>The settings as a reader wants them: name and value.</summary>
    public required IReadOnlyDictionary<string, string> Settings { get; init; }

    /// <summary>Sees a strategy's learner after each experience, see <see cref="Experiment.Experienced"/>.</summary>
    public Action<Strategy, int, Learner>? Experienced { get; init; }

    /// <summary>Says what the results mean; null for where each strategy ended.</summary>
    public Func<IReadOnlyList<ClassGroup>, IReadOnlyList<StrategyResult>, IReadOnlyList<string>>? Meaning { get; init; }

    /// <summary>Runs all strategies.</summary>
    /// <param name="stream">What is learnt and tested.</param>
    /// <param name="command">The command that reproduces this run, for the record.</param>
    /// <param name="progress">Told on the calling thread, several times a second.</param>
    /// <param name="learnt">Receives each strategy's result and learner when it has ended; the learner is disposed after.</param>
    /// <param name="checkpoints">Where the run keeps its place, and goes on from; null for nowhere.</param>
    /// <param name="clock">For timings; null for the system's.</param>
    /// <param name="cancellationToken">Stops after the step in progress.</param>
    /// <returns>Everything measured; after a cancellation, that of the strategies that came to their end.</returns>
    /// <exception cref="ArgumentException">A strategy is not made for the scenario, or an option is out of range.</exception>
    /// <exception cref="DamagedCheckpointException">The place cannot be gone on from.</exception>
    public RunResults Run(
        ExperienceStream stream, string command, IProgress<ExperimentProgress>? progress = null,
        Action<StrategyResult, Learner>? learnt = null, ExperimentCheckpoints? checkpoints = null, TimeProvider? clock = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(command);
        clock ??= TimeProvider.System;
        var (started, began) = (clock.GetLocalNow(), clock.GetTimestamp());
        var finished = new Experiment(stream, Model, Training, Budget, clock)
        {
            Experienced = Experienced,
            Variant = Variant,
            Prequential = Prequential,
            AnytimeEvery = AnytimeEvery,
            ForwardTransfer = ForwardTransfer,
        }.Run(Strategies, progress, learnt, checkpoints, cancellationToken);
        var unfinished = Strategies.Skip(finished.Count).Select(strategy => strategy.Name).ToArray();
        var groups = Groups(stream);
        return new RunResults
        {
            SchemaVersion = RunResults.CurrentSchemaVersion,
            Experiment = Name,
            Started = checkpoints?.Started ?? started,
            Seconds = checkpoints?.Seconds ?? clock.GetElapsedTime(began).TotalSeconds,
            Command = command,
            Settings = Settings,
            Environment = RunEnvironment.Describe(),
            Groups = groups,
            Strategies = WithIntransigence(finished),
            Meaning = (Meaning ?? WhereEachEnded)(groups, finished),
            Unfinished = unfinished.Length == 0 ? null : unfinished,
            SummaryMetrics = SummaryMetrics,
        };
    }

    // a*_k is what joint training has on experience k after it learnt all up to k; where it ran, the others are held against it.
    private static IReadOnlyList<StrategyResult> WithIntransigence(IReadOnlyList<StrategyResult> finished)
    {
        if (finished.FirstOrDefault(strategy => strategy.Name == "joint") is not { } joint) return finished;
        double[] reference = [.. joint.Accuracy.Select((row, k) => row[k])];
        return [.. finished.Select(strategy =>
        {
            var matrix = new AccuracyMatrix();
            foreach (var row in strategy.Accuracy) matrix.Add(row);
            return strategy with
            {
                Metrics = new Dictionary<string, double>(strategy.Metrics) { [MetricNames.Intransigence] = matrix.Intransigence(reference) },
            };
        })];
    }

    // Long streams are measured group by group, and told so.
    private static ClassGroup[] Groups(ExperienceStream stream) => stream.Tests.Count == stream.Experiences.Count
        ? [.. stream.Experiences.Select(experience => new ClassGroup(experience.Name, [.. experience.Classes.Select(label => label.Name)]))]
        : [.. stream.Tests.Select(test => new ClassGroup(test.Name, [.. test.Classes.Select(label => label.Name)]))];

    private static string[] WhereEachEnded(IReadOnlyList<ClassGroup> groups, IReadOnlyList<StrategyResult> strategies) =>
        [.. strategies.Where(strategy => strategy.AccuracySoFar.Length > 0).Select(strategy => string.Create(
            CultureInfo.InvariantCulture,
            $"{strategy.Title} ended at {100 * strategy.AccuracySoFar[^1]:0.0} % on all classes, and forgot {100 * strategy.Metrics[MetricNames.Forgetting]:0.0} %."))];
}
