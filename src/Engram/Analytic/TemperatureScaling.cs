using Engram.Data;
using Engram.Learning;

namespace Engram.Analytic;

/// <summary>
/// One number T that makes softmax(scores / T) say how often predictions are right, chosen to minimise the negative log
/// likelihood of validation samples; it never changes which class is predicted (Guo, Pleiss, Sun and Weinberger 2017, "On
/// Calibration of Modern Neural Networks", temperature scaling).
/// </summary>
/// <remarks>
/// The likelihood is convex in 1/T, so T is found by bisection of its derivative, in float64, between 1e-6 and 1e6 times the
/// median distance of a score to the best of its sample, so that the unit of scores does not matter; where all validation samples are
/// predicted right, the likelihood only grows with 1/T, and T ends at the lower end.
/// </remarks>
public static class TemperatureScaling
{
    private const int BatchSize = 256;

    /// <summary>The temperature of a learner's scores.</summary>
    /// <param name="learner">The learner, closed-form or trained by gradients.</param>
    /// <param name="validation">Samples of learnt classes that were not learnt themselves.</param>
    /// <param name="taskId">Their task, in task-incremental learning.</param>
    /// <exception cref="ArgumentException">No samples, or a label that was never learnt.</exception>
    public static double Fit(IContinualLearner learner, ISampleSource validation, int? taskId = null)
    {
        ArgumentNullException.ThrowIfNull(learner);
        ArgumentNullException.ThrowIfNull(validation);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var (scores, ids) = Scores(learner, validation, taskId);
        return Fit(scores, ids);
    }

    /// <summary>The temperature of any scores.</summary>
    /// <param name="scores"><c>[samples, classes]</c>; minus infinity for a class that is out of the question.</param>
    /// <param name="classIds">The right class of each sample, int64 <c>[samples]</c>.</param>
    /// <exception cref="ArgumentException">No samples, shapes that do not fit, or a right class with a score that is not finite.</exception>
    public static double Fit(Tensor scores, Tensor classIds)
    {
        ArgumentNullException.ThrowIfNull(scores);
        ArgumentNullException.ThrowIfNull(classIds);
        if (scores.dim() != 2 || scores.size(0) == 0 || classIds.dim() != 1 || classIds.size(0) != scores.size(0))
            throw new ArgumentException(
                $"scores: [{string.Join(", ", scores.shape)}] with [{string.Join(", ", classIds.shape)}] ids, expected [samples, classes] and as many ids");
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        // The best score as origin: softmax does not see it, and exp cannot overflow.
        var exact = scores.to(ScalarType.Float64);
        var gaps = exact.sub(exact.amax([1L], keepdim: true));
        var right = gaps.gather(1, classIds.unsqueeze(1)).mean();
        if (!double.IsFinite(right.item<double>()))
            throw new ArgumentException("scores: not finite for the right class of a sample, expected classes that were learnt");
        var finite = gaps.masked_fill(gaps.eq(Held(double.NegativeInfinity)), Held(0)); // 0 · ∞ would be NaN; its weight is 0
        var apart = finite.masked_select(finite.lt(Held(0)));
        var scale = apart.numel() == 0 ? 1 : -apart.median().item<double>();
        double Slope(double beta) // of the log likelihood in β = 1/T: falls
        {
            using var inner = NewDisposeScope();
            return right.sub(gaps.mul(Held(beta)).softmax(1).mul(finite).sum([1L]).mean()).item<double>();
        }

        var (low, high) = (-6.0, 6.0); // log10 of β times the scale
        for (var i = 0; i < 60; i++)
        {
            var middle = (low + high) / 2;
            if (Slope(Math.Pow(10, middle) / scale) > 0) low = middle;
            else high = middle;
        }
        return scale * Math.Pow(10, -(low + high) / 2);
    }

    internal static (Tensor Scores, Tensor Ids) Scores(IContinualLearner learner, ISampleSource source, int? taskId)
    {
        if (source.Count == 0) throw new ArgumentException("validation: no samples, expected some", nameof(source));
        var task = learner.Scenario == Scenario.TaskIncremental ? taskId : null;
        var ids = source.Labels.Select(label => (long)learner.Classes.IdOf(label, task)).ToArray();
        var codes = source.Codes.ToArray();
        foreach (var code in codes.Distinct())
            if (ids[code] < 0)
                throw new ArgumentException($"validation: label {source.Labels[code]}, expected only labels that were learnt", nameof(source));
        var scores = InBatches(source, inputs => learner.Scores(inputs, taskId));
        return (scores, tensor(codes.Select(code => ids[code]).ToArray()));
    }

    internal static Tensor InBatches(ISampleSource source, Func<Tensor, Tensor> each)
    {
        var parts = new List<Tensor>();
        for (var start = 0; start < source.Count; start += BatchSize)
        {
            using var scope = NewDisposeScope();
            var indices = new long[Math.Min(BatchSize, source.Count - start)];
            for (var i = 0; i < indices.Length; i++) indices[i] = start + i;
            parts.Add(each(source.Gather(indices).Inputs).MoveToOuterDisposeScope());
        }
        return cat(parts);
    }
}
