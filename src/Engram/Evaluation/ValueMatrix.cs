namespace Engram.Evaluation;

/// <summary>V[i,j]: a measure of predicted values (RMSE, R²) on experience j after learning experience i, and what was forgotten of it.</summary>
/// <remarks>The definitions of <see cref="AccuracyMatrix"/> (Chaudhry et al. 2018; Lopez-Paz and Ranzato 2017) for measures without bounds.</remarks>
/// <param name="greaterIsBetter">True for R², false for RMSE.</param>
public sealed class ValueMatrix(bool greaterIsBetter)
{
    private readonly List<double[]> _rows = [];

    /// <summary>How many experiences have been learnt and measured.</summary>
    public int Count => _rows.Count;

    /// <summary>The measured rows.</summary>
    public IReadOnlyList<double[]> Rows => _rows;

    /// <summary>Adds the values measured after one more experience.</summary>
    /// <param name="values">The measure on experiences 0, 1, ...; at least as many as have been learnt.</param>
    /// <exception cref="ArgumentException">Too few values.</exception>
    public void Add(params double[] values)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (values.Length <= _rows.Count)
            throw new ArgumentException($"values: {values.Length} for row {_rows.Count}, expected {_rows.Count + 1} or more", nameof(values));
        _rows.Add([.. values]);
    }

    /// <summary>(1/T) Σ_j V[T−1, j]: the mean over all experiences at the end.</summary>
    public double FinalAverage => Count == 0 ? double.NaN : _rows[^1].Take(Count).Average();

    /// <summary>
    /// (1/(T−1)) Σ_{j&lt;T−1} of how much worse the end is than the best before: best_{i&lt;T−1} V[i, j] against V[T−1, j], positive where
    /// knowledge was lost, in the measure's unit. Zero after a single experience.
    /// </summary>
    public double Forgetting => Count < 2 ? 0 : Enumerable.Range(0, Count - 1).Average(j =>
    {
        var before = Enumerable.Range(j, Count - 1 - j).Select(i => _rows[i][j]);
        return Worse(greaterIsBetter ? before.Max() : before.Min(), _rows[^1][j]);
    });

    /// <summary>(1/(T−1)) Σ_{j&lt;T−1} of how much better the end is than the moment j was learnt. Zero after a single experience.</summary>
    public double BackwardTransfer => Count < 2 ? 0 : -Enumerable.Range(0, Count - 1).Average(j => Worse(_rows[j][j], _rows[^1][j]));

    private double Worse(double then, double now) => greaterIsBetter ? then - now : now - then;
}
