namespace Engram.Learning;

/// <summary>
/// Counts what learning an experience costs, over cancellations and restarts. Losses are summed on tensors, so that nothing
/// waits for a number until one is wanted.
/// </summary>
internal sealed class LearningMeter(TimeProvider clock) : IDisposable
{
    private readonly Tensor _epoch = zeros(1, ScalarType.Float64).DetachFromDisposeScope();
    private readonly Tensor _report = zeros(1, ScalarType.Float64).DetachFromDisposeScope();
    private long _samples;
    private long _samplesBefore;
    private long _steps;
    private long _epochSteps;
    private long _reportSteps;
    private double _secondsBefore;
    private long? _began;

    /// <summary>New samples of the experience seen by now.</summary>
    public long Samples => _samples;

    /// <summary>New samples per second since <see cref="Start"/>.</summary>
    public double Rate => _began is { } began && clock.GetElapsedTime(began).TotalSeconds is > 0 and var seconds
        ? (_samples - _samplesBefore) / seconds
        : 0;

    /// <summary>Learning begins, or goes on where it was.</summary>
    /// <param name="anew">Whether it begins.</param>
    public void Start(bool anew)
    {
        if (anew) Restore(new LearningTally(0, 0, 0, 0, 0));
        _samplesBefore = _samples;
        _began = clock.GetTimestamp();
    }

    public void Pause()
    {
        _secondsBefore = Seconds;
        _began = null;
    }

    public void Add(Tensor loss, int samples)
    {
        using var _ = no_grad();
        _epoch.add_(loss.detach(), alpha: Held(1));
        _report.add_(loss.detach(), alpha: Held(1));
        _samples += samples;
        _steps++;
        _epochSteps++;
        _reportSteps++;
    }

    public void StartEpoch()
    {
        using var scope = NewDisposeScope(); // an in-place operation returns one more handle
        _epoch.zero_();
        _epochSteps = 0;
    }

    public double SinceLastReport()
    {
        if (_reportSteps == 0) return double.NaN;
        using var scope = NewDisposeScope();
        var mean = _report.item<double>() / _reportSteps;
        _report.zero_();
        _reportSteps = 0;
        return mean;
    }

    /// <summary>Everything counted by now.</summary>
    public LearningTally Now() => new(_samples, _steps, Seconds, _epoch.item<double>(), _epochSteps);

    /// <summary>Goes back to what was counted once.</summary>
    public void Restore(LearningTally tally)
    {
        using var scope = NewDisposeScope();
        _epoch.fill_(Held(tally.EpochLoss));
        (_samples, _steps, _secondsBefore, _epochSteps) = (tally.Samples, tally.Steps, tally.Seconds, tally.EpochSteps);
    }

    public LearningResult Result() => new(
        _samples, _steps, Seconds, _epochSteps == 0 ? double.NaN : _epoch.item<double>() / _epochSteps);

    public void Dispose()
    {
        _epoch.Dispose();
        _report.Dispose();
    }

    private double Seconds => _secondsBefore + (_began is { } began ? clock.GetElapsedTime(began).TotalSeconds : 0);
}
