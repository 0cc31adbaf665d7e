namespace Engram.Evaluation;

/// <summary>How far probabilities are from how often predictions are right.</summary>
public static class CalibrationError
{
    /// <summary>
    /// ECE = Σ_m |B_m|/n · |accuracy(B_m) − mean confidence(B_m)| over bins of equal width by confidence, the probability of the
    /// class predicted (Guo et al. 2017, "On Calibration of Modern Neural Networks").
    /// </summary>
    /// <param name="probabilities"><c>[samples, classes]</c>, each row summing to 1.</param>
    /// <param name="truth">The right class id of each sample.</param>
    /// <param name="bins">How many bins; the paper takes 15.</param>
    /// <returns>0 to 1.</returns>
    public static double Expected(Tensor probabilities, IReadOnlyList<long> truth, int bins = 15)
    {
        ArgumentNullException.ThrowIfNull(probabilities);
        ArgumentNullException.ThrowIfNull(truth);
        ArgumentOutOfRangeException.ThrowIfLessThan(bins, 1);
        if (probabilities.dim() != 2 || probabilities.size(0) != truth.Count || truth.Count == 0)
            throw new ArgumentException(
                $"probabilities: [{string.Join(", ", probabilities.shape)}], expected [{truth.Count}, classes] with 1 sample or more");
        using var scope = NewDisposeScope();
        var (best, ids) = probabilities.to(ScalarType.Float64).max(1);
        var (confidence, predicted) = (best.data<double>().ToArray(), ids.data<long>().ToArray());
        var (sums, hits) = (new double[bins], new double[bins]);
        for (var i = 0; i < confidence.Length; i++)
        {
            // Bins are ((m − 1)/M, m/M].
            var bin = Math.Clamp((int)Math.Ceiling(confidence[i] * bins) - 1, 0, bins - 1);
            sums[bin] += confidence[i];
            if (predicted[i] == truth[i]) hits[bin]++;
        }
        return sums.Zip(hits, (sum, hit) => Math.Abs(hit - sum)).Sum() / confidence.Length;
    }
}
