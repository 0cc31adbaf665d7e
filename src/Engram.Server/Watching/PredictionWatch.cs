using Engram.Client;
using Engram.Drift;

namespace Engram.Server.Watching;

/// <summary>Drift of predictions: how sure they are, how often they are unknown, and the share of each of the labels met first.</summary>
/// <remarks>Begins anew with each version, which may be as sure as it likes. Not safe for use by many threads at once.</remarks>
internal sealed class PredictionWatch(TimeProvider clock)
{
    /// <summary>Most labels watched.</summary>
    public const int MostLabels = 16;

    private readonly WatchedSignal _confidence = new("prediction", "confidence", new Adwin(), clock);
    private readonly WatchedSignal _unknown = new("prediction", "unknown", new PageHinkley(), clock);
    private readonly Dictionary<string, WatchedSignal> _labels = [];

    public void Add(string label, double probability, bool unknown, List<DriftSignal> found)
    {
        _confidence.Add(double.IsFinite(probability) ? Math.Clamp(probability, 0, 1) : 0, found);
        _unknown.Add(unknown ? 1 : 0, found);
        if (_labels.Count < MostLabels && !_labels.ContainsKey(label))
            _labels.Add(label, new WatchedSignal("prediction", $"label {label}", new Adwin { Delta = new Adwin().Delta / MostLabels }, clock));
        foreach (var (known, signal) in _labels) signal.Add(known == label ? 1 : 0, found);
    }

    public void Published()
    {
        _confidence.Published(forget: true);
        _unknown.Published(forget: true);
        _labels.Clear();
    }

    public IEnumerable<DriftSignal> Read() => [_confidence.Read(), _unknown.Read(), .. _labels.Values.Select(signal => signal.Read())];
}
