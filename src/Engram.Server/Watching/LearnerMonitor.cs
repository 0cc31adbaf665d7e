using Engram.Client;
using Engram.Server.Store;

namespace Engram.Server.Watching;

/// <summary>Watches one learner: rate and latency, drift, true performance, label delay, staleness; and counts for OpenTelemetry.</summary>
/// <remarks>
/// Safe for use by many threads at once, and cheap: a batch costs a few microseconds, and at most <see cref="RowsPerSecond"/> predictions
/// and inputs a second are looked at for drift, whatever the load. It keeps nothing on disk and needs nothing restored but what the store
/// has anyway: after a start, tell it the champion by <see cref="Published"/> and then give <see cref="Restore"/> the last of
/// <see cref="ILearnerStore.ReadJudged"/>; rates and drift of inputs and predictions begin anew.
/// </remarks>
internal sealed class LearnerMonitor : IDisposable
{
    /// <summary>Most predictions and inputs a second that are looked at for drift.</summary>
    public const int RowsPerSecond = 64;

    private readonly TimeProvider _clock;
    private readonly Lock _predicting = new();
    private readonly Lock _judging = new();
    private readonly LatencyWindow _latency;
    private readonly InputWatch _inputs;
    private readonly PredictionWatch _predictions;
    private readonly PerformanceWatch _performance;
    private double _allowance = RowsPerSecond;
    private long _allowed;
    private Champion? _champion;

    /// <summary>Begins to watch.</summary>
    /// <param name="learner">The learner's name.</param>
    /// <param name="clock">The time.</param>
    /// <param name="features">Names of features, in order; null calls them by their place.</param>
    /// <param name="seed">Seed of what is left to chance.</param>
    public LearnerMonitor(string learner, TimeProvider clock, IReadOnlyList<string>? features = null, int seed = 0)
    {
        _clock = clock;
        Tag = new("learner", learner);
        _latency = new(clock);
        _inputs = new(features, seed, clock);
        _predictions = new(clock);
        _performance = new(clock);
        _allowed = clock.GetTimestamp();
        ServiceMetrics.Add(this);
    }

    /// <summary>Drift that was not known since the published version was learnt. Raised outside all locks, on the thread that brought the value.</summary>
    public event Action<IReadOnlyList<DriftSignal>>? Drifted;

    /// <summary>Inputs that wait for a prediction, for the metrics.</summary>
    public Func<double?> QueueLength { get; set; } = () => null;

    /// <summary>Labelled samples that wait to be learnt, for the metrics.</summary>
    public Func<double?> FeedbackWaiting { get; set; } = () => null;

    /// <summary>The published version.</summary>
    public int? Version => Volatile.Read(ref _champion)?.Version;

    /// <summary>Seconds since the published version was learnt.</summary>
    public double? StalenessSeconds =>
        Volatile.Read(ref _champion) is { } champion ? Math.Max(0, (_clock.GetUtcNow() - champion.Learnt).TotalSeconds) : null;

    internal KeyValuePair<string, object?> Tag { get; }

    /// <summary>How many of the inputs of a batch would be looked at now, so that no more need be copied for <see cref="Predicted"/>.</summary>
    /// <param name="predictions">Predictions in the batch.</param>
    public int RowsWanted(int predictions)
    {
        lock (_predicting)
        {
            var now = _clock.GetTimestamp();
            _allowance = Math.Min(RowsPerSecond, _allowance + (_clock.GetElapsedTime(_allowed, now).TotalSeconds * RowsPerSecond));
            _allowed = now;
            return Math.Min(predictions, (int)_allowance);
        }
    }

    /// <summary>A batch was answered. Called by the thread that answers.</summary>
    /// <param name="version">The version that answered.</param>
    /// <param name="rows">Encoded inputs of the first predictions, row by row: as many as <see cref="RowsWanted"/> said, or none.</param>
    /// <param name="width">Numbers in a row.</param>
    /// <param name="predictions">All predictions of the batch.</param>
    /// <param name="latencies">From request to answer, of each request in the batch.</param>
    public void Predicted(int version, ReadOnlySpan<float> rows, int width, IReadOnlyList<PredictionRecord> predictions, ReadOnlySpan<TimeSpan> latencies)
    {
        var unknown = 0;
        for (var i = 0; i < predictions.Count; i++)
            if (predictions[i].Unknown) unknown++;
        var found = new List<DriftSignal>();
        var wanted = RowsWanted(predictions.Count);
        lock (_predicting)
        {
            _latency.Add(predictions.Count, unknown, latencies);
            _allowance -= wanted;
            var inputs = width == 0 ? 0 : Math.Min(wanted, rows.Length / width);
            for (var i = 0; i < inputs; i++) _inputs.Add(rows.Slice(i * width, width), found);
            // A canary, or an older version asked by number, would look like a change of the champion's predictions.
            if (Version is not { } champion || champion == version)
                for (var i = 0; i < wanted; i++) _predictions.Add(predictions[i].Label, predictions[i].Probability, predictions[i].Unknown, found);
        }
        ServiceMetrics.Predicted(this, predictions.Count, unknown, latencies);
        Raise(found);
    }

    /// <summary>Feedback was acknowledged.</summary>
    /// <param name="feedbacks">How many.</param>
    public void Accepted(int feedbacks) => ServiceMetrics.Accepted(this, feedbacks);

    /// <summary>The truth of a prediction came.</summary>
    /// <param name="judged">The prediction and its truth.</param>
    public void Judged(JudgedPrediction judged)
    {
        var found = new List<DriftSignal>();
        lock (_judging) _performance.Add(judged, found);
        ServiceMetrics.Judged(this, judged.Right, judged.DelaySeconds);
        Raise(found);
    }

    /// <summary>Truth that came before the service started: watched as if it came now, but neither counted nor announced again.</summary>
    /// <param name="judged">Predictions and their truth, oldest first.</param>
    public void Restore(IReadOnlyList<JudgedPrediction> judged)
    {
        lock (_judging)
            foreach (var one in judged) _performance.Add(one, []);
    }

    /// <summary>A version became the champion; what drifted is drift no longer until it is detected again.</summary>
    /// <param name="version">The version.</param>
    /// <param name="learnt">When it was learnt.</param>
    public void Published(int version, DateTimeOffset learnt)
    {
        Volatile.Write(ref _champion, new Champion(version, learnt));
        lock (_predicting)
        {
            _inputs.Published();
            _predictions.Published();
        }
        lock (_judging) _performance.Published(version);
    }

    /// <summary>A candidate was learnt and examined, or failed.</summary>
    /// <param name="outcome"><c>published</c>, <c>staged</c>, <c>refused</c>, <c>observed</c>, <c>shadow</c>, <c>canary</c> or <c>failed</c>.</param>
    /// <param name="samples">Samples it learnt.</param>
    /// <param name="took">Time it took.</param>
    public void Learnt(string outcome, long samples, TimeSpan took) => ServiceMetrics.Learnt(this, outcome, samples, took);

    /// <summary>All that is watched, now.</summary>
    /// <param name="performance">Live accuracy by version, from <see cref="ILearnerStore.Performance"/>: it survives restarts and corrections.</param>
    /// <param name="memory">Content of the memory.</param>
    public WatchReport Report(IReadOnlyList<LivePerformance> performance, IReadOnlyList<ClassContent> memory)
    {
        PredictionRate rate;
        double unknown;
        List<DriftSignal> drift;
        (double? Median, double? P90) delays;
        lock (_predicting)
        {
            (rate, unknown) = _latency.Read();
            drift = [.. _inputs.Read(), .. _predictions.Read()];
        }
        lock (_judging)
        {
            drift.AddRange(_performance.Read());
            delays = _performance.Delays();
        }
        return new WatchReport
        {
            Predictions = rate,
            Drift = drift,
            Performance = performance,
            Memory = memory,
            LabelDelayMedian = delays.Median,
            LabelDelayP90 = delays.P90,
            StalenessSeconds = StalenessSeconds,
            UnknownShare = unknown,
        };
    }

    /// <summary>Leaves the metrics.</summary>
    public void Dispose() => ServiceMetrics.Remove(this);

    private void Raise(List<DriftSignal> found)
    {
        if (found.Count == 0) return;
        foreach (var signal in found) ServiceMetrics.Drifted(this, signal.Of, signal.Detector);
        Drifted?.Invoke(found);
    }

    private sealed record Champion(int Version, DateTimeOffset Learnt);
}
