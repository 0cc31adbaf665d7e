namespace Engram.Evaluation;

/// <summary>Calibration over many batches: expected calibration error and Brier score.</summary>
/// <remarks>
/// The calibration error as in <see cref="CalibrationError.Expected"/>. The Brier score is the mean over samples of
/// Σ_c (p_c − y_c)², y being 1 for the true class and 0 else (Brier 1950, "Verification of forecasts expressed in terms of
/// probability", equation 2): 0 is best, 2 worst. A sample of a class that was never learnt has all its y at 0 and one more class
/// at 1, of probability 0.
/// </remarks>
public sealed class CalibrationTally
{
    private const int Bins = 15;

    private readonly double[] _confidence = new double[Bins];
    private readonly double[] _hits = new double[Bins];
    private double _brier;

    /// <summary>How many samples were added.</summary>
    public long Count { get; private set; }

    /// <summary>Expected calibration error, 0 to 1; NaN without samples.</summary>
    public double Expected => Count == 0 ? double.NaN : _confidence.Zip(_hits, (sum, hit) => Math.Abs(hit - sum)).Sum() / Count;

    /// <summary>Brier score, 0 to 2; NaN without samples.</summary>
    public double Brier => Count == 0 ? double.NaN : _brier / Count;

    /// <summary>Adds predictions.</summary>
    /// <param name="probabilities"><c>[samples, classes]</c>, each row summing to 1.</param>
    /// <param name="truth">The right class id of each sample; −1 for a class never learnt.</param>
    /// <exception cref="ArgumentException">Not one truth for each row.</exception>
    public void Add(Tensor probabilities, ReadOnlySpan<int> truth)
    {
        ArgumentNullException.ThrowIfNull(probabilities);
        if (probabilities.dim() != 2 || probabilities.size(0) != truth.Length)
            throw new ArgumentException($"probabilities: [{string.Join(", ", probabilities.shape)}], expected [{truth.Length}, classes]");
        using var scope = NewDisposeScope();
        var wide = probabilities.to(ScalarType.Float64);
        var (best, ids) = wide.max(1);
        var (confidence, predicted) = (best.data<double>().ToArray(), ids.data<long>().ToArray());
        var rows = wide.contiguous().data<double>().ToArray();
        var classes = rows.Length / Math.Max(truth.Length, 1);
        for (var i = 0; i < truth.Length; i++)
        {
            // Bins are ((m − 1)/M, m/M].
            var bin = Math.Clamp((int)Math.Ceiling(confidence[i] * Bins) - 1, 0, Bins - 1);
            _confidence[bin] += confidence[i];
            if (predicted[i] == truth[i]) _hits[bin]++;
            var squares = 0.0;
            for (var c = 0; c < classes; c++) squares += rows[(i * classes) + c] * rows[(i * classes) + c];
            _brier += squares + 1 - (truth[i] < 0 ? 0 : 2 * rows[(i * classes) + truth[i]]);
        }
        Count += truth.Length;
    }
}
