using Engram.Data;
using Engram.Learning;

namespace Engram.Evaluation;

/// <summary>Tests a learner of labels in any number, or of values.</summary>
public static class ValueEvaluator
{
    private const int BatchSize = 100;

    /// <summary>Measures multi-label predictions; a label counts as predicted from a probability above one half.</summary>
    /// <param name="learner">The learner.</param>
    /// <param name="set">Multi-label samples. A label that was never learnt counts as predicted absent.</param>
    /// <exception cref="ArgumentException">The targets are of another kind.</exception>
    public static MultiLabelMetrics MultiLabel(Learner learner, EvaluationSet set)
    {
        var (truth, scores) = Predict(learner, set, TargetKind.MultiLabel);
        return MultiLabelMetrics.Of(truth, scores);
    }

    /// <summary>Measures predicted values.</summary>
    /// <param name="learner">The learner.</param>
    /// <param name="set">Samples with values.</param>
    /// <exception cref="ArgumentException">The targets are of another kind, or an output was never learnt.</exception>
    public static RegressionMetrics Regression(Learner learner, EvaluationSet set)
    {
        var (truth, scores) = Predict(learner, set, TargetKind.Regression);
        return RegressionMetrics.Of(truth, scores);
    }

    private static (double[][] True, double[][] Scores) Predict(Learner learner, EvaluationSet set, TargetKind kind)
    {
        ArgumentNullException.ThrowIfNull(learner);
        ArgumentNullException.ThrowIfNull(set);
        if (set.Samples.TargetKind != kind)
            throw new ArgumentException($"set: targets are {set.Samples.TargetKind}, expected {kind}", nameof(set));
        var task = learner.Context.Targets.TaskKey(set.TaskId);
        var ids = set.Samples.Labels.Select(label => learner.Context.Classes.IdOf(label, task)).ToArray();
        if (kind == TargetKind.Regression && Array.IndexOf(ids, -1) is >= 0 and var missing)
            throw new ArgumentException($"set: output {set.Samples.Labels[missing]}, expected one that was learnt", nameof(set));
        var (truth, scores) = (new List<double[]>(), new List<double[]>());
        for (var start = 0; start < set.Count; start += BatchSize)
        {
            using var scope = NewDisposeScope();
            var indices = Enumerable.Range(start, Math.Min(BatchSize, set.Count - start)).Select(i => (long)i).ToArray();
            var batch = set.Samples.Gather(indices);
            using var prediction = learner.Predict(batch.Inputs, set.TaskId);
            var (targets, outputs) = (batch.Targets.data<float>().ToArray(), prediction.Scores.data<float>().ToArray());
            var width = outputs.Length / indices.Length;
            for (var row = 0; row < indices.Length; row++)
            {
                truth.Add([.. targets.Skip(row * ids.Length).Take(ids.Length).Select(value => (double)value)]);
                scores.Add([.. ids.Select(id => id < 0 ? double.NegativeInfinity : outputs[(row * width) + id])]);
            }
        }
        return ([.. truth], [.. scores]);
    }
}
