namespace Engram.Evaluation.Tuning;

/// <summary>Settings to try, and on how much.</summary>
/// <param name="Number">Place among all settings of a search, from 0.</param>
/// <param name="Values">Value of each key that is varied.</param>
/// <param name="Share">Share of each experience's training samples, and of its steps where they are counted; above 0, at most 1.</param>
public sealed record Trial(int Number, IReadOnlyDictionary<string, string> Values, double Share = 1)
{
    /// <summary>What tells it from all other trials of its search.</summary>
    public (int Number, double Share) Key => (Number, Share);

    /// <summary>The values as a reader wants them.</summary>
    public string Text => string.Join(", ", Values.Select(pair => $"{pair.Key} {pair.Value}"));
}

/// <summary>What settings came to on validation data, one measurement per seed.</summary>
/// <param name="Trial">The settings.</param>
/// <param name="Seeds">One per seed, in order; measured on validation samples.</param>
/// <param name="Seconds">Time of all seeds.</param>
public sealed record TrialResult(Trial Trial, IReadOnlyList<StrategyResult> Seeds, double Seconds)
{
    /// <summary>Why it came to nothing; null where it was measured.</summary>
    public string? Failure { get; init; }

    /// <summary>The mean over seeds of a metric, as <see cref="StrategyResult.Metrics"/> names it; NaN where it was not measured.</summary>
    /// <param name="metric">Its name.</param>
    public double Mean(string metric) => Seeds.Average(seed => seed.Metrics.GetValueOrDefault(metric, double.NaN));

    /// <summary>Accuracy on what is new: the mean of R[i, i].</summary>
    public double New => Mean(MetricNames.LearningAccuracy);

    /// <summary>Accuracy on what is old: the mean over all experiences but the last, after the last. NaN after a single experience.</summary>
    public double Old => Seeds.Average(seed => seed.Accuracy[^1] is { Length: > 1 } last ? last.SkipLast(1).Average() : double.NaN);
}
