using System.Diagnostics;
using System.Diagnostics.Metrics;
using Engram.Client;
using Engram.Server.Hosting;

namespace Engram.Server.Telemetry;

/// <summary>What the service measures, under the name <see cref="Name"/>, beside ASP.NET Core's and .NET's own instruments.</summary>
internal sealed class ServerMetrics : IDisposable
{
    /// <summary>Of the meter and of the source of activities.</summary>
    public const string Name = "Engram.Server";

    private readonly Meter _meter;
    private readonly Startup _startup;
    private readonly TimeProvider _clock;
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _predictions;
    private readonly Counter<long> _feedback;
    private readonly Counter<long> _refused;
    private Snapshot _latest = new(0, []);

    public ServerMetrics(IMeterFactory meters, Startup startup, TimeProvider clock)
    {
        (_startup, _clock) = (startup, clock);
        _meter = meters.Create(Name);
        _duration = _meter.CreateHistogram("engram.prediction.duration", "s", "From a request's body to its prediction.",
            advice: new InstrumentAdvice<double>
            {
                HistogramBucketBoundaries = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
            });
        _predictions = _meter.CreateCounter<long>("engram.predictions", "{prediction}", "Predictions answered.");
        _feedback = _meter.CreateCounter<long>("engram.feedback", "{feedback}", "Feedback acknowledged, by what became of it.");
        _refused = _meter.CreateCounter<long>("engram.requests.refused", "{request}", "Requests refused, by kind of problem.");

        Gauge("engram.learner.version", "{version}", "The version that answers.", learner => learner.Description.Champion);
        Gauge("engram.learner.labels", "{label}", "Labels that the learner knows.", learner => learner.Description.Labels.Count);
        Gauge("engram.learner.learning", "1", "Whether it learns or examines a candidate.",
            learner => learner.Description.Activity is LearnerActivity.Learning or LearnerActivity.Examining ? 1 : 0);
        Gauge("engram.learner.memory", "By", "Bytes of model and memory.", learner => learner.Description.MemoryBytes);
        Gauge("engram.feedback.waiting", "{sample}", "Labelled samples that wait to be learnt.", learner => learner.Description.Feedback.Waiting);
        Gauge("engram.feedback.without_prediction", "{feedback}", "Feedback that waits for its prediction.", learner => learner.Description.Feedback.WithoutPrediction);
        Gauge("engram.learner.staleness", "s", "Since the version that answers was learnt.", learner => learner.Watch.StalenessSeconds);
        Gauge("engram.learner.unknown", "1", "Share of unknown predictions over the last minute.", learner => learner.Watch.UnknownShare);
        Gauge("engram.learner.accuracy", "1", "Accuracy of live predictions of the newest version with feedback.",
            learner => learner.Watch.Performance.FirstOrDefault(performance => performance.Accuracy is not null)?.Accuracy);
        _meter.CreateObservableGauge("engram.learner.drift", Drift, "1", "Whether drift was detected since the version that answers was learnt.");
    }

    /// <summary>Counts a prediction, or several that one request asked for.</summary>
    public void Predicted(string learner, long started, int count)
    {
        var tag = new KeyValuePair<string, object?>("learner", learner);
        _predictions.Add(count, tag);
        _duration.Record(Stopwatch.GetElapsedTime(started).TotalSeconds, tag);
    }

    /// <summary>Counts feedback.</summary>
    public void Accepted(string learner, FeedbackState state, long count)
    {
        if (count > 0) _feedback.Add(count, new("learner", learner), new("state", state.ToString().ToLowerInvariant()));
    }

    /// <summary>Counts a request that was not done.</summary>
    public void Refused(string kind) => _refused.Add(1, new KeyValuePair<string, object?>("kind", kind));

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    private void Gauge(string name, string unit, string description, Func<Watched, double?> of) =>
        _meter.CreateObservableGauge(name, () => Observe(of), unit, description);

    private IEnumerable<Measurement<double>> Observe(Func<Watched, double?> of)
    {
        foreach (var learner in Learners())
        {
            if (of(learner) is { } value) yield return new(value, new KeyValuePair<string, object?>("learner", learner.Description.Specification.Name));
        }
    }

    private IEnumerable<Measurement<int>> Drift() =>
        from learner in Learners()
        from signal in learner.Watch.Drift
        group signal by (learner.Description.Specification.Name, signal.Of, signal.Detector) into same
        select new Measurement<int>(same.Any(signal => signal.Drifting) ? 1 : 0,
            new("learner", same.Key.Name), new("of", same.Key.Of), new("detector", same.Key.Detector));

    // One look at the learners serves all gauges of a scrape.
    private IReadOnlyList<Watched> Learners()
    {
        if (!_startup.IsReady) return [];
        var now = _clock.GetTimestamp();
        if (_latest.At != 0 && _clock.GetElapsedTime(_latest.At, now) < TimeSpan.FromMilliseconds(500)) return _latest.Learners;
        _latest = new Snapshot(now, [.. _startup.Opened.Service.Learners.Select(learner => new Watched(learner.Describe(), learner.Watch()))]);
        return _latest.Learners;
    }

    private sealed record Watched(LearnerDescription Description, WatchReport Watch);

    private sealed record Snapshot(long At, IReadOnlyList<Watched> Learners);
}
