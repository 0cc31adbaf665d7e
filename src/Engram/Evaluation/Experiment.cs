using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;

namespace Engram.Evaluation;

/// <summary>Runs strategies over one stream, each with a learner of its own, and measures wherever the stream asks for it.</summary>
/// <param name="stream">What is learnt, and the test sets that measure it.</param>
/// <param name="model">Builds the model for a strategy, with the head that it asks for.</param>
/// <param name="options">How to train; the same for all strategies.</param>
/// <param name="budget">What the strategies may use; null for the default.</param>
/// <param name="clock">For timings; null for the system's.</param>
public sealed class Experiment(
    ExperienceStream stream, Func<Strategy, ContinualModel> model, LearnerOptions options,
    StrategyBudget? budget = null, TimeProvider? clock = null)
{
    private readonly StrategyBudget _budget = budget ?? new StrategyBudget();
    private readonly TimeProvider _clock = clock ?? TimeProvider.System;

    /// <summary>Sees a strategy's learner when it has learnt an experience, given by its place from 0; may look, not change.</summary>
    /// <value>Default none. Called again for the experience that a stopped run had not recorded as learnt.</value>
    public Action<Strategy, int, Learner>? Experienced { get; init; }

    /// <summary>How the experience at a position is learnt where they differ; null for all alike.</summary>
    public ExperienceVariants? Variant { get; init; }

    /// <summary>Whether every experience is predicted before it is learnt, see <see cref="OnlineAccuracy.Prequential"/>.</summary>
    /// <value>Default false: it costs a prediction of every training sample.</value>
    public bool Prequential { get; init; }

    /// <summary>
    /// Samples learnt after which accuracy is measured between the tests too, for anytime accuracy; null for the tests alone. Measured
    /// between experiences, so that it is for online streams, whose tests are due where a group ends.
    /// </summary>
    /// <value>Default null; 1 or more. Each time costs a prediction of the test samples of all groups begun so far.</value>
    public int? AnytimeEvery { get; init; }

    /// <summary>Whether the next experience is tested before it is learnt where that says something: in domain-incremental streams.</summary>
    /// <value>Default true; false saves the time, and <c>forwardTransfer</c> is not measured.</value>
    public bool ForwardTransfer { get; init; } = true;

    /// <summary>Runs the strategies one after another.</summary>
    /// <param name="strategies">Which, in order.</param>
    /// <param name="progress">Told on the calling thread, several times a second.</param>
    /// <param name="learnt">Receives each strategy's result and learner when it has ended; the learner is disposed after.</param>
    /// <param name="checkpoints">Where the run keeps its place, and goes on from; null for nowhere.</param>
    /// <param name="cancellationToken">Stops after the step in progress; what <paramref name="learnt"/> received stays.</param>
    /// <returns>The results in the same order; after a cancellation only of the strategies that came to their end.</returns>
    /// <exception cref="ArgumentException">A strategy is not made for the scenario, or an option is out of range.</exception>
    /// <exception cref="DamagedCheckpointException">The place cannot be gone on from.</exception>
    public IReadOnlyList<StrategyResult> Run(
        IReadOnlyList<Strategy> strategies, IProgress<ExperimentProgress>? progress = null,
        Action<StrategyResult, Learner>? learnt = null, ExperimentCheckpoints? checkpoints = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(strategies);
        options.Validate();
        if (AnytimeEvery < 1) throw new ArgumentException($"AnytimeEvery: {AnytimeEvery}, expected 1 or more");
        foreach (var strategy in strategies)
            if (!strategy.Scenarios.Contains(options.Scenario))
                throw new ArgumentException(
                    $"strategies: {strategy.Name} is not made for {options.Scenario}, "
                    + $"expected one of {string.Join(", ", strategy.Scenarios)}", nameof(strategies));
        var plan = new ExperimentPlan(stream, strategies, _budget, options);
        var results = new List<StrategyResult>();
        foreach (var strategy in strategies)
        {
            if (cancellationToken.IsCancellationRequested) break;
            ExperimentProgress Now(ExperimentEvent what, int phase, double within) =>
                new(what, strategy, results.Count, strategies.Count, phase, stream.Experiences.Count,
                    stream.Experiences[phase].Name, plan.Fraction(results.Count, phase, within));

            if (checkpoints?.ResultOf(strategy.Name) is { } earlier)
            {
                progress?.Report(Now(ExperimentEvent.StrategyRestored, stream.Experiences.Count - 1, 1) with { Result = earlier });
                results.Add(earlier);
                continue;
            }
            using var learning = new VariedLearner(strategy, () => model(strategy), options, _budget, Variant, _clock);
            var measurements = learning.Start(checkpoints);
            if (PredictsAhead) measurements.Untrained ??= Untrained(strategy);
            var experiences = stream.Experiences.Count;
            progress?.Report(Now(ExperimentEvent.StrategyStarted, Math.Min(measurements.Position, experiences - 1), 0));
            try
            {
                // A run that was stopped while it tested has learnt already.
                while (measurements.Position < experiences || Due(measurements) > measurements.Tested)
                {
                    if (Due(measurements) > measurements.Tested) Test(learning.Learner, measurements, Now, progress, cancellationToken);
                    else if (measurements.SinceAccuracy >= AnytimeEvery) measurements.AddPoint(AccuracyNow(learning.Learner, measurements, cancellationToken));
                    else
                    {
                        if (Prequential) measurements.Preview(learning.Learner, stream.Experiences[measurements.Position]);
                        Learn(learning.At(measurements.Position), measurements, Now, progress,
                            () => checkpoints?.SaveIfDue(strategy.Name, learning.Learner, measurements), cancellationToken);
                        Experienced?.Invoke(strategy, measurements.Position - 1, learning.Learner);
                    }
                    checkpoints?.SaveAfterExperience(strategy.Name, learning.Learner, measurements);
                }
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                checkpoints?.Save(strategy.Name, learning.Learner, measurements);
                break;
            }
            var result = measurements.Result(
                strategy.Name, strategy.Title, learning.Learner);
            learnt?.Invoke(result, learning.Learner);
            checkpoints?.Finish(result);
            progress?.Report(Now(ExperimentEvent.StrategyFinished, stream.Experiences.Count - 1, 1) with { Result = result });
            results.Add(result);
        }
        return results;
    }

    // Only where the same classes come again is there something to predict the next experience with.
    private bool PredictsAhead => ForwardTransfer && options.Scenario == Scenario.DomainIncremental && stream.Tests.Count > 1;

    private double[] Untrained(Strategy strategy)
    {
        using var learner = new Learner(() => model(strategy), options);
        foreach (var label in stream.Experiences.SelectMany(experience => experience.Classes)) learner.Context.Classes.Register(label);
        learner.Context.Model.Head.Grow(learner.Context.Classes.Count - learner.Context.Model.Head.ClassCount);
        learner.Context.Arena.Rebuild();
        return [.. stream.Tests.Select(test => Evaluator.Accuracy(learner, test))];
    }

    private const double TestShare = 0.1; // of a phase's time, for progress only

    // Test sets whose classes have been learnt by now.
    private int Due(StrategyMeasurements measurements) =>
        stream.MeasuredAfter.TakeWhile(position => position < measurements.Position).Count();

    // Over the classes that came by now, of the groups that ended and of the one that is under way.
    private double AccuracyNow(Learner learner, StrategyMeasurements measurements, CancellationToken cancellationToken)
    {
        (int True, int Predicted)[] known =
        [
            .. stream.Tests.Take(Due(measurements) + 1).Select(test => Evaluator.Predict(learner, test, cancellationToken))
                .SelectMany(test => test.True.Zip(test.Predicted)).Where(sample => sample.First >= 0),
        ];
        return known.Length == 0 ? 0 : known.Count(sample => sample.True == sample.Predicted) / (double)known.Length;
    }

    private void Learn(
        Learner learner, StrategyMeasurements measurements, Func<ExperimentEvent, int, double, ExperimentProgress> now,
        IProgress<ExperimentProgress>? progress, Action saveIfDue, CancellationToken cancellationToken)
    {
        var phase = measurements.Position;
        var inner = new Relay(report =>
        {
            progress?.Report(
                now(ExperimentEvent.Learning, phase, (1 - TestShare) * report.Step / report.Steps) with { Learning = report });
            saveIfDue();
        });
        measurements.Add(learner.Learn(stream.Experiences[phase], inner, cancellationToken));
    }

    private void Test(
        Learner learner, StrategyMeasurements measurements, Func<ExperimentEvent, int, double, ExperimentProgress> now,
        IProgress<ExperimentProgress>? progress, CancellationToken cancellationToken)
    {
        var (phase, due) = (measurements.Position - 1, Due(measurements));
        progress?.Report(now(ExperimentEvent.Testing, phase, 1 - TestShare));
        var began = _clock.GetTimestamp();
        var calibration = new CalibrationTally();
        var tests = stream.Tests.Take(due).Select(test => Evaluator.Predict(learner, test, calibration, cancellationToken)).ToArray();
        var measured = measurements.Add(
            tests, learner.Context.Classes.Count, _clock.GetElapsedTime(began).TotalSeconds, _clock.GetLocalNow(), calibration);
        if (PredictsAhead && due < stream.Tests.Count) measurements.AddAhead(Evaluator.Accuracy(learner, stream.Tests[due]));
        progress?.Report(now(ExperimentEvent.PhaseMeasured, phase, 1) with
        {
            Measured = measured,
            EarlierPhases = [.. stream.Tests.Take(due - 1).Select(earlier => earlier.Name)],
        });
    }

    // System.Progress would report on another thread, later.
    private sealed class Relay(Action<LearningProgress> report) : IProgress<LearningProgress>
    {
        public void Report(LearningProgress value) => report(value);
    }
}
