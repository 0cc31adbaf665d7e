using Engram.Client;
using Engram.Data;
using Engram.Drift;

namespace Engram.Server.Watching;

/// <summary>Drift of inputs: the mean of each of a few features, and the shape of their distance from where they were at first.</summary>
/// <remarks>
/// The first <see cref="Reference"/> rows say which features vary most, and their means and deviations; a feature is then watched as its
/// standard score, cut at ±4 and laid on 0 to 1, which is what ADWIN's bound asks for. δ is shared out among the features (Bonferroni).
/// What moves no mean (a spread that grows) moves the mean of |standard score| over the features, which KSWIN watches.
/// Not safe for use by many threads at once.
/// </remarks>
internal sealed class InputWatch(IReadOnlyList<string>? names, int seed, TimeProvider clock)
{
    /// <summary>Most features watched.</summary>
    public const int MostFeatures = 32;

    /// <summary>Rows that say where inputs stand at first.</summary>
    public const int Reference = 256;

    private const double Cut = 4;

    // KSWIN tests at every value: at its paper's 0.005 a stationary stream alarms every few hundred.
    private const double RareAlarms = 1e-6;
    private long _rows;
    private double[] _mean = [];
    private double[] _squares = [];
    private Feature[] _features = [];
    private WatchedSignal? _distance;

    public void Add(ReadOnlySpan<float> row, List<DriftSignal> found)
    {
        if (_features.Length > 0 || _rows >= Reference)
        {
            Watch(row, found);
            return;
        }
        if (_mean.Length == 0) (_mean, _squares) = (new double[row.Length], new double[row.Length]);
        if (_mean.Length != row.Length) return;
        _rows++;
        for (var i = 0; i < row.Length; i++) // Welford 1962
        {
            var value = float.IsFinite(row[i]) ? row[i] : _mean[i];
            var gap = value - _mean[i];
            _mean[i] += gap / _rows;
            _squares[i] += gap * (value - _mean[i]);
        }
        if (_rows == Reference) Choose();
    }

    public void Published()
    {
        // A new version changes nothing of where inputs come from: windows go on, only what was said is taken back.
        foreach (var feature in _features) feature.Signal.Published(forget: false);
        _distance?.Published(forget: false);
    }

    public IEnumerable<DriftSignal> Read() =>
        _distance is null ? [] : _features.Select(feature => feature.Signal.Read()).Append(_distance.Read());

    private void Choose()
    {
        int[] chosen = [.. Enumerable.Range(0, _mean.Length).OrderByDescending(i => _squares[i]).Take(MostFeatures).Order()];
        var delta = new Adwin().Delta / chosen.Length;
        _features = [.. chosen.Select(i => new Feature(
            i, _mean[i], Math.Sqrt(_squares[i] / (Reference - 1)),
            new WatchedSignal("input", names is not null && i < names.Count ? names[i] : $"{i}", new Adwin { Delta = delta }, clock)))];
        _distance = new WatchedSignal("input", null, new Kswin(new SeededRandom(seed, "drift of inputs")) { Alpha = RareAlarms }, clock);
        (_mean, _squares) = ([], []);
    }

    private void Watch(ReadOnlySpan<float> row, List<DriftSignal> found)
    {
        var (distance, seen) = (0.0, 0);
        foreach (var feature in _features)
        {
            if (feature.Index >= row.Length || !float.IsFinite(row[feature.Index])) continue;
            var gap = row[feature.Index] - feature.Mean;
            var score = Math.Clamp(gap == 0 ? 0 : gap / Math.Max(feature.Deviation, double.Epsilon), -Cut, Cut);
            feature.Signal.Add((score + Cut) / (2 * Cut), found, mean => feature.Mean + (((mean * 2 * Cut) - Cut) * feature.Deviation));
            (distance, seen) = (distance + Math.Abs(score), seen + 1);
        }
        if (seen > 0) _distance?.Add(distance / seen, found);
    }

    private sealed record Feature(int Index, double Mean, double Deviation, WatchedSignal Signal);
}
