namespace Engram.Drift;

/// <summary>The test of Page and Hinkley: values that stay above their mean add up until the sum is drift.</summary>
/// <remarks>
/// Page 1954, Continuous Inspection Schemes; in the form of Gama et al. 2014, A Survey on Concept Drift Adaptation, section 3.2:
/// U_t = Σ (x_i − x̄_i − δ), drift when U_t − min U &gt; λ. Kept as its own recursion, g_t = max(0, α g_{t−1} + x_t − x̄_t − δ), which is
/// U_t − min U for α = 1; α below 1 lets old evidence fade. It finds rises; falls are found by giving it −x. λ is in units of the values:
/// the default 50 suits errors and other values around 1.
/// </remarks>
public sealed class PageHinkley : IDriftDetector
{
    private long _n;
    private double _mean;
    private double _evidence;

    /// <summary>δ: what a value may exceed the mean by without being evidence.</summary>
    /// <value>Default 0.005.</value>
    public double Delta { get; init; } = 0.005;

    /// <summary>λ: evidence that is drift.</summary>
    /// <value>Default 50.</value>
    public double Lambda { get; init; } = 50;

    /// <summary>α: what remains of the evidence at the next value.</summary>
    /// <value>Default 0.9999.</value>
    public double Alpha { get; init; } = 0.9999;

    /// <summary>Values before anything is said.</summary>
    /// <value>Default 30.</value>
    public int Minimum { get; init; } = 30;

    /// <inheritdoc/>
    public string Name => "page-hinkley";

    /// <inheritdoc/>
    public bool Drifting { get; private set; }

    /// <inheritdoc/>
    public bool Warning => false;

    /// <inheritdoc/>
    public double Estimate => _mean;

    /// <inheritdoc/>
    public long Count { get; private set; }

    /// <summary>U_t − min U: the evidence that <see cref="Lambda"/> bounds.</summary>
    public double Evidence => _evidence;

    /// <inheritdoc/>
    public void Add(double value)
    {
        if (!double.IsFinite(value)) throw new ArgumentOutOfRangeException(nameof(value), value, "expected a finite number");
        if (Drifting) Forget();
        Count++;
        _mean += (value - _mean) / ++_n;
        _evidence = Math.Max(0, (Alpha * _evidence) + value - _mean - Delta);
        Drifting = _n >= Minimum && _evidence > Lambda;
    }

    /// <inheritdoc/>
    public void Reset()
    {
        Forget();
        Count = 0;
    }

    private void Forget() => (_n, _mean, _evidence, Drifting) = (0, 0, 0, false);
}
