namespace Engram.Evaluation;

/// <summary>The names of the metrics in <see cref="StrategyResult.Metrics"/> (formulas and sources: docs/results.md).</summary>
public static class MetricNames
{
    /// <summary>Mean accuracy over all experiences at the end.</summary>
    public const string FinalAverageAccuracy = "finalAverageAccuracy";
    /// <summary>Mean over time of the mean accuracy so far.</summary>
    public const string AverageIncrementalAccuracy = "averageIncrementalAccuracy";
    /// <summary>How well each experience is learnt when it is new.</summary>
    public const string LearningAccuracy = "learningAccuracy";
    /// <summary>Mean drop from the best accuracy ever reached.</summary>
    public const string Forgetting = "forgetting";
    /// <summary>What later learning did to earlier knowledge.</summary>
    public const string BackwardTransfer = "backwardTransfer";
    /// <summary>The drop of the experience that was forgotten most.</summary>
    public const string MaximumForgetting = "maximumForgetting";
    /// <summary>One less what was forgotten over all times.</summary>
    public const string Remembering = "remembering";
    /// <summary>Harmonic mean of what is kept and what is learnt.</summary>
    public const string StabilityPlasticity = "stabilityPlasticity";
    /// <summary>F1 averaged over classes.</summary>
    public const string MacroF1 = "macroF1";
    /// <summary>How far confidence is from accuracy.</summary>
    public const string CalibrationError = "calibrationError";
    /// <summary>Squared error of the probabilities.</summary>
    public const string Brier = "brier";
    /// <summary>Area under the accuracy so far.</summary>
    public const string AnytimeAccuracy = "anytimeAccuracy";
    /// <summary>Help for what is not yet learnt.</summary>
    public const string ForwardTransfer = "forwardTransfer";
    /// <summary>Share predicted right before it was learnt.</summary>
    public const string PrequentialAccuracy = "prequentialAccuracy";
    /// <summary>How much learning the new suffers from holding on to the old.</summary>
    public const string Intransigence = "intransigence";

    /// <summary>All of them, in the order they are recorded; forward transfer, prequential accuracy and intransigence only where they were measured.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        FinalAverageAccuracy, AverageIncrementalAccuracy, LearningAccuracy, Forgetting, BackwardTransfer, MaximumForgetting, Remembering,
        StabilityPlasticity, MacroF1, CalibrationError, Brier, AnytimeAccuracy, ForwardTransfer, PrequentialAccuracy, Intransigence,
    ];

    /// <summary>Those that every result has, NaN where one is not defined.</summary>
    internal static IReadOnlyList<string> Always { get; } = [.. All.Except([ForwardTransfer, PrequentialAccuracy, Intransigence])];

    /// <summary>What a metric can be; null for one that is not of <see cref="All"/>.</summary>
    internal static (int Least, int Most)? RangeOf(string name) => name switch
    {
        Forgetting or MaximumForgetting or BackwardTransfer or ForwardTransfer or Intransigence => (-1, 1),
        Brier => (0, 2),
        _ => All.Contains(name) ? (0, 1) : null,
    };
}
