namespace Engram.Drift;

/// <summary>The drift detection method: an error rate that has risen by three of its own deviations above its lowest is drift.</summary>
/// <remarks>
/// Gama, Medas, Castillo and Rodrigues 2004, Learning with Drift Detection, section 3. With p the error rate over n values and
/// s = √(p(1 − p)/n), it remembers where p + s was lowest; warning from p + s ≥ p_min + 2 s_min on, drift from p_min + 3 s_min on.
/// It takes errors of a learner: 1 wrong, 0 right. It finds rises only, and abrupt ones best. A learner that has not failed yet has
/// s_min = 0, so that in the paper's form its first error is drift; <see cref="MinimumErrors"/> waits for more.
/// </remarks>
public sealed class Ddm : IDriftDetector
{
    private long _n;
    private double _errors;
    private double _lowest;
    private double _lowestRate;
    private double _lowestDeviation;

    /// <summary>Creates one.</summary>
    public Ddm() => Forget();

    /// <summary>Deviations above the lowest error rate that are a warning.</summary>
    /// <value>Default 2.</value>
    public double WarningLevel { get; init; } = 2;

    /// <summary>Deviations above the lowest error rate that are drift.</summary>
    /// <value>Default 3.</value>
    public double DriftLevel { get; init; } = 3;

    /// <summary>Values before anything is said.</summary>
    /// <value>Default 30.</value>
    public int Minimum { get; init; } = 30;

    /// <summary>Errors before anything is said or remembered.</summary>
    /// <value>Default 0, as in the paper.</value>
    public int MinimumErrors { get; init; }

    /// <inheritdoc/>
    public string Name => "ddm";

    /// <inheritdoc/>
    public bool Drifting { get; private set; }

    /// <inheritdoc/>
    public bool Warning { get; private set; }

    /// <inheritdoc/>
    public double Estimate => _n == 0 ? 0 : _errors / _n;

    /// <inheritdoc/>
    public long Count { get; private set; }

    /// <inheritdoc/>
    public void Add(double value)
    {
        if (value is not (>= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(value), value, "expected an error from 0 to 1");
        if (Drifting) Forget();
        Count++;
        _n++;
        _errors += value;
        if (_n < Minimum || _errors < MinimumErrors) return;
        var rate = _errors / _n;
        var deviation = Math.Sqrt(rate * (1 - rate) / _n);
        if (rate + deviation <= _lowest) (_lowest, _lowestRate, _lowestDeviation) = (rate + deviation, rate, deviation);
        Drifting = rate + deviation > _lowestRate + (DriftLevel * _lowestDeviation);
        Warning = !Drifting && rate + deviation > _lowestRate + (WarningLevel * _lowestDeviation);
    }

    /// <inheritdoc/>
    public void Reset()
    {
        Forget();
        Count = 0;
    }

    private void Forget() => (_n, _errors, _lowest, Drifting, Warning) = (0, 0, double.PositiveInfinity, false, false);
}
