using Engram.Learning;
using Engram.Retention;
using Engram.Streams;

namespace Engram.Evaluation;

/// <summary>How much work each part of an experiment is expected to be, so that progress can be told over the whole.</summary>
/// <remarks>Only for progress: what a strategy does is guessed from the seams its mechanisms use.</remarks>
internal sealed class ExperimentPlan
{
    // Measured on the digits: a test sample costs about a third of a training sample.
    private const double TestCost = 0.35;
    private const double ConsolidationCost = 0.05;

    private readonly double[][] _work; // [strategy][phase], in training samples
    private readonly double _total;

    public ExperimentPlan(
        ExperienceStream stream, IReadOnlyList<Strategy> strategies, StrategyBudget budget, LearnerOptions options)
    {
        _work = [.. strategies.Select(strategy => Work(stream, Seams(strategy, budget), options))];
        _total = _work.Sum(phases => phases.Sum());
    }

    /// <summary>Share of the whole that is done, when a strategy is this far within a phase.</summary>
    /// <param name="strategy">Index of the strategy.</param>
    /// <param name="phase">Index of the experience.</param>
    /// <param name="within">Share of the phase that is done.</param>
    public double Fraction(int strategy, int phase, double within)
    {
        var done = _work.Take(strategy).Sum(phases => phases.Sum()) + _work[strategy].Take(phase).Sum();
        if (phase < _work[strategy].Length) done += within * _work[strategy][phase];
        return Math.Clamp(done / _total, 0, 1);
    }

    private static Seams Seams(Strategy strategy, StrategyBudget budget)
    {
        var mechanisms = strategy.Create(budget);
        return mechanisms.Aggregate(Retention.Seams.None, (seams, mechanism) => seams | mechanism.Seams);
    }

    private static double[] Work(ExperienceStream stream, Seams seams, LearnerOptions options)
    {
        var work = new double[stream.Experiences.Count];
        var (seen, tested, due) = (0L, 0L, 0);
        for (var phase = 0; phase < work.Length; phase++)
        {
            var own = stream.Experiences[phase].Train.Count;
            seen += own;
            var testing = 0L;
            while (due < stream.Tests.Count && stream.MeasuredAfter[due] <= phase)
            {
                tested += stream.Tests[due++].Count;
                testing = tested;
            }
            double trained = seams.HasFlag(Retention.Seams.TrainingData) ? seen : own;
            if (options.Iterations is { } iterations) trained = (double)iterations * options.BatchSize / options.Epochs;
            if (phase > 0 && seams.HasFlag(Retention.Seams.Samples)) trained *= 2;
            work[phase] = (trained * options.Epochs) + (TestCost * testing) + (ConsolidationCost * own);
        }
        return work;
    }
}
