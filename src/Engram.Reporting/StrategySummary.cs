using Engram.Evaluation;

namespace Engram.Reporting;

/// <summary>One line of the summary: what a strategy reached in the end and what it cost.</summary>
/// <param name="Result">The strategy's full result.</param>
/// <param name="Style">How it is drawn.</param>
/// <param name="Final">Accuracy over all classes at the end, or NaN.</param>
/// <param name="GroupsAtEnd">Accuracy on each group at the end; NaN where not measured.</param>
/// <param name="Forgetting">Mean drop from the best accuracy ever reached, a fraction.</param>
/// <param name="BackwardTransfer">What later learning did to earlier knowledge, a fraction.</param>
/// <param name="TrainSeconds">Training time of all experiences.</param>
/// <param name="SamplesPerSecond">New samples learnt per second of training.</param>
internal sealed record StrategySummary(
    StrategyResult Result,
    SeriesStyle Style,
    double Final,
    IReadOnlyList<double> GroupsAtEnd,
    double Forgetting,
    double BackwardTransfer,
    double TrainSeconds,
    double SamplesPerSecond)
{
    /// <summary>The summaries of all strategies, in the order they ran.</summary>
    public static IReadOnlyList<StrategySummary> Of(RunResults results) =>
        [.. results.Strategies.Select((strategy, index) => Of(strategy, index, results.Groups.Count))];

    /// <summary>The same, best final accuracy first: the order of legends.</summary>
    public static IReadOnlyList<StrategySummary> Ranked(RunResults results) =>
        [.. Of(results).OrderByDescending(s => double.IsNaN(s.Final) ? double.NegativeInfinity : s.Final)];

    private static StrategySummary Of(StrategyResult strategy, int index, int groups)
    {
        var matrix = new AccuracyMatrix();
        foreach (var row in strategy.Accuracy) matrix.Add(row);
        var seconds = strategy.Costs.Sum(cost => cost.TrainSeconds);
        return new(
            strategy,
            Palette.Of(index),
            strategy.AccuracySoFar.Length == 0 ? double.NaN : strategy.AccuracySoFar[^1],
            [.. Enumerable.Range(0, groups).Select(j => matrix.Count == 0 ? double.NaN : matrix[matrix.Count - 1, j])],
            matrix.Count < 2 ? double.NaN : matrix.Forgetting,
            matrix.Count < 2 ? double.NaN : matrix.BackwardTransfer,
            seconds,
            seconds > 0 ? strategy.Costs.Sum(cost => cost.Samples) / seconds : double.NaN);
    }
}
