using Engram.Client;
using Engram.Drift;

namespace Engram.Server.Watching;

/// <summary>A detector over one thing that is watched, which remembers that it detected drift until a new version is published.</summary>
internal sealed class WatchedSignal(string of, string? feature, IDriftDetector detector, TimeProvider clock)
{
    private bool _drifting;
    private double? _value;
    private DateTimeOffset? _detected;

    /// <summary>Adds a value.</summary>
    /// <param name="value">What the detector takes.</param>
    /// <param name="found">Where to note drift that was not known before.</param>
    /// <param name="shown">Turns the detector's estimate into what people read.</param>
    public void Add(double value, List<DriftSignal> found, Func<double, double>? shown = null)
    {
        detector.Add(value);
        _value = shown is null ? detector.Estimate : shown(detector.Estimate);
        if (!detector.Drifting) return;
        _detected = clock.GetUtcNow();
        if (_drifting) return;
        _drifting = true;
        found.Add(Read());
    }

    /// <summary>A new version answers.</summary>
    /// <param name="forget">Whether what the detector saw says nothing of it.</param>
    public void Published(bool forget)
    {
        _drifting = false;
        if (forget) detector.Reset();
    }

    public DriftSignal Read() =>
        new(of, feature, detector.Name, _drifting, !_drifting && detector.Warning, _value ?? 0, detector.Count, _detected);
}
