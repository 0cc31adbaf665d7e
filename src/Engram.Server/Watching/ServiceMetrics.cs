using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Engram.Server.Watching;

/// <summary>The service's instruments, tagged by learner; OpenTelemetry and Prometheus read them from the meter <see cref="MeterName"/>.</summary>
public static class ServiceMetrics
{
    /// <summary>Name of the meter, to be added to a meter provider.</summary>
    public const string MeterName = "Engram.Server";

    private static readonly Meter s_meter = new(MeterName);
    private static readonly ConcurrentDictionary<LearnerMonitor, byte> s_monitors = new();
    private static readonly Counter<long> s_predictions = s_meter.CreateCounter<long>(
        "engram.predictions", "{prediction}", "Predictions answered.");
    private static readonly Histogram<double> s_latency = s_meter.CreateHistogram(
        "engram.prediction.duration", "s", "From a request for predictions to its answer, without the network.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5] });
    private static readonly Counter<long> s_feedback = s_meter.CreateCounter<long>(
        "engram.feedback", "{feedback}", "Feedbacks acknowledged.");
    private static readonly Counter<long> s_judged = s_meter.CreateCounter<long>(
        "engram.predictions.judged", "{prediction}", "Predictions whose truth came, right or not.");
    private static readonly Histogram<double> s_delay = s_meter.CreateHistogram(
        "engram.feedback.delay", "s", "From a prediction to its truth.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [1, 10, 60, 600, 3600, 21600, 86400, 604800] });
    private static readonly Counter<long> s_dropped = s_meter.CreateCounter<long>(
        "engram.predictions.dropped", "{prediction}", "Predictions not kept because the disk was too slow: feedback about them waits in vain.");
    private static readonly Counter<long> s_drift = s_meter.CreateCounter<long>(
        "engram.drift", "{detection}", "Drift detected.");
    private static readonly Counter<long> s_versions = s_meter.CreateCounter<long>(
        "engram.versions", "{version}", "Candidates learnt, by what became of them.");
    private static readonly Histogram<double> s_learning = s_meter.CreateHistogram(
        "engram.learning.duration", "s", "Learning and examining one candidate.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800] });
    private static readonly Counter<long> s_samples = s_meter.CreateCounter<long>(
        "engram.learning.samples", "{sample}", "Samples learnt.");

    static ServiceMetrics()
    {
        s_meter.CreateObservableGauge("engram.prediction.queue", () => Observe(monitor => monitor.QueueLength()), "{input}", "Inputs that wait for a prediction.");
        s_meter.CreateObservableGauge("engram.feedback.waiting", () => Observe(monitor => monitor.FeedbackWaiting()), "{sample}", "Labelled samples that wait to be learnt.");
        s_meter.CreateObservableGauge("engram.version.published", () => Observe(monitor => monitor.Version), "{version}", "Number of the published version.");
        s_meter.CreateObservableGauge("engram.version.staleness", () => Observe(monitor => monitor.StalenessSeconds), "s", "Since the published version was learnt.");
    }

    internal static void Add(LearnerMonitor monitor) => s_monitors.TryAdd(monitor, 0);

    internal static void Remove(LearnerMonitor monitor) => s_monitors.TryRemove(monitor, out _);

    internal static void Predicted(LearnerMonitor monitor, int predictions, int unknown, ReadOnlySpan<TimeSpan> latencies)
    {
        if (s_predictions.Enabled)
        {
            if (predictions > unknown) s_predictions.Add(predictions - unknown, monitor.Tag, new("unknown", false));
            if (unknown > 0) s_predictions.Add(unknown, monitor.Tag, new("unknown", true));
        }
        if (!s_latency.Enabled) return;
        foreach (var latency in latencies) s_latency.Record(latency.TotalSeconds, monitor.Tag);
    }

    internal static void Dropped() => s_dropped.Add(1);

    internal static void Accepted(LearnerMonitor monitor, int feedbacks) => s_feedback.Add(feedbacks, monitor.Tag);

    internal static void Judged(LearnerMonitor monitor, bool right, double delay)
    {
        s_judged.Add(1, monitor.Tag, new("right", right));
        s_delay.Record(delay, monitor.Tag);
    }

    internal static void Drifted(LearnerMonitor monitor, string of, string detector) =>
        s_drift.Add(1, monitor.Tag, new("of", of), new("detector", detector));

    internal static void Learnt(LearnerMonitor monitor, string outcome, long samples, TimeSpan took)
    {
        s_versions.Add(1, monitor.Tag, new("outcome", outcome));
        s_learning.Record(took.TotalSeconds, monitor.Tag, new("outcome", outcome));
        s_samples.Add(samples, monitor.Tag);
    }

    private static IEnumerable<Measurement<double>> Observe(Func<LearnerMonitor, double?> read)
    {
        foreach (var monitor in s_monitors.Keys)
            if (read(monitor) is { } value) yield return new Measurement<double>(value, monitor.Tag);
    }
}
