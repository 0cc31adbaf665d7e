namespace Engram.Evaluation;

/// <summary>R[i,j]: accuracy on experience j after learning experience i; every continual metric derives from it.</summary>
/// <remarks>
/// Sources: Lopez-Paz and Ranzato 2017, "Gradient Episodic Memory" (ACC, BWT, FWT: section 2); Chaudhry et al. 2018,
/// "Riemannian Walk" (forgetting: equations 3 and 4); Rebuffi et al. 2017, "iCaRL" (average incremental accuracy).
/// Indices start at 0 here; T is the number of experiences learnt.
/// </remarks>
public sealed class AccuracyMatrix
{
    private readonly List<double[]> _rows = [];

    /// <summary>How many experiences have been learnt and measured.</summary>
    public int Count => _rows.Count;

    /// <summary>R[<paramref name="after"/>, <paramref name="on"/>], or NaN where it was not measured.</summary>
    /// <param name="after">The experience just learnt.</param>
    /// <param name="on">The experience tested.</param>
    public double this[int after, int on] => on < _rows[after].Length ? _rows[after][on] : double.NaN;

    /// <summary>The measured rows.</summary>
    public IReadOnlyList<double[]> Rows => _rows;

    /// <summary>Adds the accuracies measured after one more experience.</summary>
    /// <param name="accuracies">Accuracy on experiences 0, 1, ...; at least as many as have been learnt.</param>
    /// <exception cref="ArgumentException">Too few values, or a value outside 0 to 1 (NaN means not measured).</exception>
    public void Add(params double[] accuracies)
    {
        ArgumentNullException.ThrowIfNull(accuracies);
        if (accuracies.Length <= _rows.Count)
            throw new ArgumentException(
                $"accuracies: {accuracies.Length} values for row {_rows.Count}, expected {_rows.Count + 1} or more",
                nameof(accuracies));
        foreach (var value in accuracies)
            if (value is < 0 or > 1)
                throw new ArgumentException($"accuracies: {value} is no fraction, expected 0 to 1", nameof(accuracies));
        _rows.Add([.. accuracies]);
    }

    /// <summary>ACC = (1/T) Σ_j R[T−1, j]: mean accuracy over all experiences at the end (GEM, equation 2).</summary>
    public double FinalAverageAccuracy => Mean(Enumerable.Range(0, Count).Select(j => this[Count - 1, j]));

    /// <summary>(1/T) Σ_i mean_{j ≤ i} R[i, j]: mean over time of the mean accuracy so far (iCaRL, section 4.1).</summary>
    public double AverageIncrementalAccuracy =>
        Mean(Enumerable.Range(0, Count).Select(i => Mean(Enumerable.Range(0, i + 1).Select(j => this[i, j]))));

    /// <summary>(1/T) Σ_i R[i, i]: how well each experience is learnt when it is new.</summary>
    public double LearningAccuracy => Mean(Enumerable.Range(0, Count).Select(i => this[i, i]));

    /// <summary>
    /// F = (1/(T−1)) Σ_{j&lt;T−1} (max_{i&lt;T−1} R[i, j] − R[T−1, j]): mean drop from the best accuracy ever reached
    /// (Chaudhry et al. 2018, equations 3 and 4). Zero after a single experience.
    /// </summary>
    public double Forgetting => Count < 2 ? 0 : Mean(Enumerable.Range(0, Count - 1).Select(ForgettingOf));

    /// <summary>max_{j&lt;T−1} f_j: the drop of the experience that was forgotten most. Zero after a single experience.</summary>
    public double MaximumForgetting => Count < 2 ? 0 : Enumerable.Range(0, Count - 1).Max(ForgettingOf);

    /// <summary>
    /// REM = 1 − |min(BWT, 0)| with BWT = Σ_{i≥1} Σ_{j&lt;i} (R[i, j] − R[j, j]) / (T(T−1)/2), over all times and not the last
    /// alone (Díaz-Rodríguez et al. 2018, "Don't forget, there is more than forgetting", equations 3 and 4). One after a single
    /// experience.
    /// </summary>
    public double Remembering => 1 - Math.Abs(Math.Min(0, Count < 2 ? 0 : Mean(
        Enumerable.Range(1, Count - 1).SelectMany(i => Enumerable.Range(0, i).Select(j => this[i, j] - this[j, j])))));

    /// <summary>
    /// I = (1/T) Σ_k (a*_k − R[k, k]): how much learning new experiences suffers from holding on to old ones (Chaudhry et al.
    /// 2018, equation 5, averaged over k). Negative where old knowledge helps.
    /// </summary>
    /// <param name="reference">a*_k: accuracy on experience k of a model trained on experiences 0 to k together.</param>
    /// <exception cref="ArgumentException">Not one value per experience.</exception>
    public double Intransigence(IReadOnlyList<double> reference)
    {
        ArgumentNullException.ThrowIfNull(reference);
        if (reference.Count != Count)
            throw new ArgumentException($"reference: {reference.Count} values, expected {Count}, one per experience", nameof(reference));
        return Mean(Enumerable.Range(0, Count).Select(k => reference[k] - this[k, k]));
    }

    /// <summary>
    /// 2·S·P / (S + P) with stability S, the mean accuracy on all experiences but the last at the end, and plasticity P, the mean
    /// R[k, k]. NaN after a single experience.
    /// </summary>
    public double StabilityPlasticity
    {
        get
        {
            if (Count < 2) return double.NaN;
            var (stability, plasticity) = (Mean(Enumerable.Range(0, Count - 1).Select(j => this[Count - 1, j])), LearningAccuracy);
            return stability + plasticity == 0 ? 0 : 2 * stability * plasticity / (stability + plasticity);
        }
    }

    /// <summary>
    /// BWT = (1/(T−1)) Σ_{j&lt;T−1} (R[T−1, j] − R[j, j]): what later learning did to earlier knowledge (GEM, equation 3).
    /// Zero after a single experience.
    /// </summary>
    public double BackwardTransfer =>
        Count < 2 ? 0 : Mean(Enumerable.Range(0, Count - 1).Select(j => this[Count - 1, j] - this[j, j]));

    /// <summary>f_j: drop of experience <paramref name="on"/> from its best to its last accuracy.</summary>
    /// <param name="on">An experience before the last.</param>
    public double ForgettingOf(int on) =>
        Enumerable.Range(on, Count - 1 - on).Max(i => this[i, on]) - this[Count - 1, on];

    /// <summary>FWT = (1/(T−1)) Σ_{j≥1} (R[j−1, j] − b_j): help for what is not yet learnt (GEM, equation 4).</summary>
    /// <param name="randomInit">b_j: accuracy of an untrained model on each experience.</param>
    /// <exception cref="InvalidOperationException">Accuracies on future experiences were not measured.</exception>
    public double ForwardTransfer(IReadOnlyList<double> randomInit)
    {
        ArgumentNullException.ThrowIfNull(randomInit);
        if (Count < 2) return 0;
        var gains = Enumerable.Range(1, Count - 1).Select(j => this[j - 1, j] - randomInit[j]).ToArray();
        return gains.Any(double.IsNaN)
            ? throw new InvalidOperationException("forward transfer: R[j-1, j] was not measured for every j")
            : gains.Average();
    }

    private static double Mean(IEnumerable<double> values) => values.DefaultIfEmpty(double.NaN).Average();
}
