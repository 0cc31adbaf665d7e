using Engram.Learning;

namespace Engram.Evaluation.Tuning;

/// <summary>Learns a stream with the settings of one trial and measures on validation samples.</summary>
public static class TrialRun
{
    /// <summary>Measures one strategy.</summary>
    /// <param name="data">What may be seen.</param>
    /// <param name="description">The experiment with the trial's settings; its only strategy is measured.</param>
    /// <param name="share">Share of each experience's training samples, and of its steps where they are counted.</param>
    /// <param name="progress">Told on the calling thread, several times a second.</param>
    /// <param name="checkpoints">Where the trial keeps its place, and goes on from; null for nowhere.</param>
    /// <param name="clock">For timings; null for the system's.</param>
    /// <param name="cancellationToken">Stops after the step in progress.</param>
    /// <returns>What was measured; null after a cancellation.</returns>
    /// <exception cref="ArgumentException">Not one strategy, or one that is not made for the scenario.</exception>
    /// <exception cref="DamagedCheckpointException">The place cannot be gone on from.</exception>
    public static StrategyResult? Measure(
        TuningData data, ExperimentDescription description, double share = 1, IProgress<ExperimentProgress>? progress = null,
        ExperimentCheckpoints? checkpoints = null, TimeProvider? clock = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(description);
        if (description.Strategies.Count != 1)
            throw new ArgumentException($"strategies: {description.Strategies.Count}, expected the one that is tuned", nameof(description));
        if (description.Variant is not null)
            throw new ArgumentException("variant: options that differ by experience, expected none, for what is tuned is the same in all", nameof(description));
        if (share is not (> 0 and <= 1)) throw new ArgumentException($"share: {share}, expected above 0, at most 1", nameof(share));
        var experiment = new Experiment(
            data.Stream(share), description.Model, Shortened(description.Training, share), description.Budget, clock)
        {
            ForwardTransfer = description.ForwardTransfer,
        };
        var results = experiment.Run(description.Strategies, progress, null, checkpoints, cancellationToken);
        return results.Count == 0 ? null : results[0];
    }

    private static LearnerOptions Shortened(LearnerOptions options, double share) => options.Iterations is { } steps
        ? options with { Iterations = Math.Max(1, (int)Math.Round(steps * share)) }
        : options;
}
