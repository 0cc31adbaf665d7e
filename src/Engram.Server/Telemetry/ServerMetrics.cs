using System.Diagnostics.Metrics;
using Engram.Client;
using Engram.Server.Hosting;

namespace Engram.Server.Telemetry;

/// <summary>
/// What is to be seen of learners from outside, and the requests refused, under the name <see cref="Name"/>; learners themselves count predictions and feedback
/// under the same name, ASP.NET Core and .NET the rest.
/// </summary>
internal sealed class ServerMetrics : IDisposable
{
    /// <summary>Of the meter and of the source of activities.</summary>
    public const string Name = "Engram.Server";

    private readonly Meter _meter;
    private readonly Startup _startup;
    private readonly TimeProvider _clock;
    private readonly Counter<long> _refused;
    private Snapshot _latest = new(0, []);

    public ServerMetrics(IMeterFactory meters, Startup startup, TimeProvider clock)
    {
        (_startup, _clock) = (startup, clock);
        _meter = meters.Create(Name);
        _refused = _meter.CreateCounter<long>("engram.requests.refused", "{request}", "Requests refused, by kind of problem.");

        Gauge("engram.learner.labels", "{label}", "Labels that the learner knows.", learner => learner.Description.Labels.Count);
        Gauge("engram.learner.learning", "1", "Whether it learns or examines a candidate.",
            learner => learner.Description.Activity is LearnerActivity.Learning or LearnerActivity.Examining ? 1 : 0);
        Gauge("engram.learner.memory", "By", "Bytes of model and memory.", learner => learner.Description.MemoryBytes);
        Gauge("engram.feedback.without_prediction", "{feedback}", "Feedback that waits for its prediction.", learner => learner.Description.Feedback.WithoutPrediction);
        Gauge("engram.learner.unknown", "1", "Share of unknown predictions over the last minute.", learner => learner.Watch.UnknownShare);
        Gauge("engram.learner.accuracy", "1", "Accuracy of live predictions of the newest version with feedback.",
            learner => learner.Watch.Performance.FirstOrDefault(performance => performance.Accuracy is not null)?.Accuracy);
        _meter.CreateObservableGauge("engram.learner.drift", Drift, "1", "Whether drift was detected since the version that answers was learnt.");
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
