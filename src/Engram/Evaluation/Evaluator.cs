using Engram.Data;
using Engram.Learning;

namespace Engram.Evaluation;

/// <summary>Tests a learner.</summary>
public static class Evaluator
{
    private const int BatchSize = 100; // measured: larger batches fall out of cache

    /// <summary>Predicts all samples of a test set.</summary>
    /// <param name="learner">The learner.</param>
    /// <param name="set">The samples.</param>
    /// <param name="cancellationToken">Stops between batches.</param>
    /// <returns>The true and the predicted class id of each sample; true is −1 for a class never learnt.</returns>
    public static (int[] True, int[] Predicted) Predict(
        IContinualLearner learner, EvaluationSet set, CancellationToken cancellationToken = default) =>
        Predict(learner, set, null, cancellationToken);

    // The calibration, where it is asked for, is told of every probability on the way.
    internal static (int[] True, int[] Predicted) Predict(
        IContinualLearner learner, EvaluationSet set, CalibrationTally? calibration, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(learner);
        ArgumentNullException.ThrowIfNull(set);
        if (set.Samples.TargetKind != TargetKind.Classes)
            throw new ArgumentException(
                $"set: targets are {set.Samples.TargetKind}, expected Classes; see ValueEvaluator for the others", nameof(set));
        var classes = learner.Classes;
        var task = learner.Scenario == Scenario.TaskIncremental ? set.TaskId : null;
        var idOf = set.Samples.Labels.Select(label => classes.IdOf(label, task)).ToArray();
        var codes = set.Samples.Codes.Span;
        var (truth, predicted) = (new int[set.Count], new int[set.Count]);
        for (var start = 0; start < set.Count; start += BatchSize)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var indices = new long[Math.Min(BatchSize, set.Count - start)];
            for (var i = 0; i < indices.Length; i++)
            {
                indices[i] = start + i;
                truth[start + i] = idOf[codes[start + i]];
            }
            using var scope = NewDisposeScope();
            using var prediction = learner.Predict(set.Samples.Gather(indices).Inputs, set.TaskId);
            var best = prediction.ClassIds;
            for (var i = 0; i < best.Length; i++) predicted[start + i] = (int)best[i];
            calibration?.Add(prediction.Probabilities(), truth.AsSpan(start, indices.Length));
        }
        return (truth, predicted);
    }

    /// <summary>The fraction that is predicted right among the set's own classes: as if the task were told.</summary>
    internal static double AccuracyAmongOwn(Learner learner, EvaluationSet set)
    {
        var (classes, right) = (learner.Classes, 0);
        var task = learner.Scenario == Scenario.TaskIncremental ? set.TaskId : null;
        var own = set.Samples.Labels.Select(label => (long)classes.IdOf(label, task)).ToArray();
        for (var start = 0; start < set.Count; start += BatchSize)
        {
            using var scope = NewDisposeScope();
            var batch = set.Samples.Gather([.. Enumerable.Range(start, Math.Min(BatchSize, set.Count - start)).Select(i => (long)i)]);
            var best = learner.Scores(batch.Inputs, set.TaskId).index_select(1, tensor(own)).argmax(1);
            right += (int)best.eq(batch.Targets).sum().item<long>();
        }
        return right / (double)set.Count;
    }

    /// <summary>The fraction of a test set that is predicted right.</summary>
    /// <param name="learner">The learner.</param>
    /// <param name="set">The samples.</param>
    public static double Accuracy(IContinualLearner learner, EvaluationSet set)
    {
        var (truth, predicted) = Predict(learner, set);
        return truth.Zip(predicted).Count(pair => pair.First == pair.Second) / (double)truth.Length;
    }
}
