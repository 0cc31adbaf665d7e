using Engram.Client;
using Engram.Drift;
using Engram.Server.Store;

namespace Engram.Server.Watching;

/// <summary>Drift of true performance, whenever the truth comes, and how long it takes to come.</summary>
/// <remarks>Only what the published version predicted counts: late truth about older versions says nothing of it. Not safe for use by many threads at once.</remarks>
internal sealed class PerformanceWatch(TimeProvider clock)
{
    private const int DelaysKept = 1024;
    private readonly WatchedSignal _ddm = new("performance", "error", new Ddm { MinimumErrors = 5 }, clock);
    private readonly WatchedSignal _adwin = new("performance", "error", new Adwin(), clock);
    private readonly WatchedSignal _pageHinkley = new("performance", "error", new PageHinkley(), clock);
    private readonly double[] _delays = new double[DelaysKept];
    private long _judged;
    private int? _version;

    public void Add(JudgedPrediction judged, List<DriftSignal> found)
    {
        _delays[_judged++ % DelaysKept] = Math.Max(0, judged.DelaySeconds);
        if (_version is { } version && judged.Version != version) return;
        var error = judged.Right ? 0 : 1;
        _ddm.Add(error, found);
        _adwin.Add(error, found);
        _pageHinkley.Add(error, found);
    }

    public void Published(int version)
    {
        _version = version;
        _ddm.Published(forget: true);
        _adwin.Published(forget: true);
        _pageHinkley.Published(forget: true);
    }

    public IEnumerable<DriftSignal> Read() => [_ddm.Read(), _adwin.Read(), _pageHinkley.Read()];

    /// <summary>Median and 90th percentile of the last delays; null before the first.</summary>
    public (double? Median, double? P90) Delays()
    {
        if (_judged == 0) return (null, null);
        var delays = _delays[..(int)Math.Min(_judged, DelaysKept)];
        Array.Sort(delays);
        return (delays[(delays.Length - 1) / 2], delays[(int)Math.Ceiling(0.9 * delays.Length) - 1]);
    }
}
