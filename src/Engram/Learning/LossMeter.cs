namespace Engram.Learning;

/// <summary>Sums losses on tensors, so that nothing waits for a number until one is wanted.</summary>
internal sealed class LossMeter : IDisposable
{
    private readonly Tensor _epoch = zeros(1, ScalarType.Float64).DetachFromDisposeScope();
    private readonly Tensor _report = zeros(1, ScalarType.Float64).DetachFromDisposeScope();
    private long _epochCount;
    private long _reportCount;

    public void Add(Tensor loss)
    {
        using var _ = no_grad();
        _epoch.add_(loss.detach(), alpha: Held(1));
        _report.add_(loss.detach(), alpha: Held(1));
        _epochCount++;
        _reportCount++;
    }

    public void StartEpoch()
    {
        using var scope = NewDisposeScope(); // an in-place operation returns one more handle
        _epoch.zero_();
        _epochCount = 0;
    }

    public double EpochMean() => _epochCount == 0 ? double.NaN : _epoch.item<double>() / _epochCount;

    public double SinceLastReport()
    {
        if (_reportCount == 0) return double.NaN;
        using var scope = NewDisposeScope();
        var mean = _report.item<double>() / _reportCount;
        _report.zero_();
        _reportCount = 0;
        return mean;
    }

    public void Dispose()
    {
        _epoch.Dispose();
        _report.Dispose();
    }
}
