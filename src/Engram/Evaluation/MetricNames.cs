namespace Engram.Evaluation;

/// <summary>The names of the metrics in <see cref="StrategyResult.Metrics"/> (formulas and sources: docs/results.md).</summary>
public static class MetricNames
{
    /// <summary>All of them, in the order they are recorded; the last three only where they were measured.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        "finalAverageAccuracy", "averageIncrementalAccuracy", "learningAccuracy", "forgetting", "backwardTransfer", "maximumForgetting",
        "remembering", "stabilityPlasticity", "macroF1", "calibrationError", "brier", "anytimeAccuracy",
        "forwardTransfer", "prequentialAccuracy", "intransigence",
    ];
}
