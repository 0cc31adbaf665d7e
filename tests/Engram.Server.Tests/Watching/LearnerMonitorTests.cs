using System.Diagnostics.Metrics;
using Engram.Client;
using Engram.Data;
using Engram.Server.Store;
using Engram.Server.Watching;

namespace Engram.Server.Tests.Watching;

public sealed class LearnerMonitorTests
{
    private readonly ManualClock _clock = new();

    [Fact]
    public void Rate_and_percentiles_are_those_of_the_last_minute()
    {
        using var monitor = Create();
        Answer(monitor, 50, TimeSpan.FromSeconds(9)); // will be too old
        _clock.Advance(TimeSpan.FromSeconds(70));
        for (var second = 0; second < 60; second++)
        {
            for (var i = 1; i <= 100; i++) Answer(monitor, 1, TimeSpan.FromMilliseconds(i));
            _clock.Advance(TimeSpan.FromSeconds(1));
        }
        _clock.Advance(TimeSpan.FromMilliseconds(-1)); // still within the last second

        var rate = Report(monitor).Predictions;

        Assert.Equal(100, rate.PerSecond, 1.0);
        Assert.Equal(50, rate.P50Ms, 50 * 0.03);
        Assert.Equal(99, rate.P99Ms, 99 * 0.03);
        Assert.Equal(6050, rate.Total);

        _clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(new PredictionRate(0, 0, 0, 6050), Report(monitor).Predictions);
    }

    [Fact]
    public void The_share_of_unknown_inputs_is_that_of_the_last_minute()
    {
        using var monitor = Create();
        monitor.Predicted(1, [], 0, [.. Enumerable.Range(0, 10).Select(i => Record("a", unknown: i < 3))], [TimeSpan.FromMilliseconds(1)]);

        Assert.Equal(0.3, Report(monitor).UnknownShare, 1e-9);
    }

    [Fact]
    public void Only_so_many_rows_a_second_are_looked_at_whatever_the_load()
    {
        using var monitor = Create();
        monitor.Published(1, _clock.GetUtcNow());
        for (var i = 0; i < 100; i++) Answer(monitor, 100, TimeSpan.FromMilliseconds(1));
        Assert.Equal(LearnerMonitor.RowsPerSecond, Signal(monitor, "prediction", "confidence").Samples);
        Assert.Equal(0, monitor.RowsWanted(100));

        _clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(LearnerMonitor.RowsPerSecond, monitor.RowsWanted(1000)); // what was not used does not pile up
    }

    [Fact]
    public void A_shift_of_one_feature_is_drift_of_that_input_and_of_no_other()
    {
        using var monitor = Create(["age", "income", "zip"]);
        var found = Listen(monitor);
        var random = new SeededRandom(1, "inputs");
        Feed(monitor, random, 3000, [0, 0, 0]);
        Assert.Empty(found);

        Feed(monitor, random, 600, [0, 1.5, 0]);

        var drift = Assert.Single(found, signal => signal.Detector == "adwin");
        Assert.Equal(("input", "income"), (drift.Of, drift.Feature));
        Assert.True(Signal(monitor, "input", "income").Drifting);
        Assert.False(Signal(monitor, "input", "age").Drifting);
        Assert.DoesNotContain(Report(monitor).Drift, signal => signal.Of != "input" && signal.Drifting);
        Assert.Equal(1.5, Signal(monitor, "input", "income").Value, 0.3);
    }

    [Fact]
    public void Inputs_that_spread_without_a_change_of_mean_are_drift_of_their_distance()
    {
        using var monitor = Create();
        var found = Listen(monitor);
        var random = new SeededRandom(2, "inputs");
        Feed(monitor, random, 3000, [0, 0, 0]);
        Assert.Empty(found);

        Feed(monitor, random, 600, [0, 0, 0], spread: 4);

        Assert.Contains(found, signal => (signal.Of, signal.Feature, signal.Detector) == ("input", null, "kswin"));
    }

    [Fact]
    public void The_features_that_vary_most_are_watched_and_no_more_than_thirty_two()
    {
        using var monitor = Create();
        var random = new SeededRandom(3, "inputs");
        for (var i = 0; i < 300; i++)
        {
            var row = new float[1000];
            for (var f = 100; f < 140; f++) row[f] = (float)(random.NextDouble() * f);
            monitor.Predicted(1, row, row.Length, [Record("a")], []);
            _clock.Advance(TimeSpan.FromSeconds(1));
        }

        string?[] features = [.. Report(monitor).Drift.Where(signal => signal is { Of: "input", Detector: "adwin" }).Select(signal => signal.Feature)];

        Assert.Equal(32, features.Length);
        Assert.All(features, feature => Assert.InRange(int.Parse(feature!, System.Globalization.CultureInfo.InvariantCulture), 100, 139));
    }

    [Fact]
    public void More_of_one_label_is_drift_of_predictions_until_a_new_version_is_published()
    {
        using var monitor = Create();
        var found = Listen(monitor);
        monitor.Published(1, _clock.GetUtcNow());
        for (var i = 0; i < 2000; i++) Predict(monitor, 1, i % 2 == 0 ? "spam" : "ham");
        Assert.Empty(found);

        for (var i = 0; i < 500; i++) Predict(monitor, 1, i % 10 == 0 ? "spam" : "ham");

        Assert.Contains(found, signal => signal is { Of: "prediction", Feature: "label spam" });
        Assert.DoesNotContain(found, signal => signal.Of == "performance");
        monitor.Published(2, _clock.GetUtcNow());
        Assert.DoesNotContain(Report(monitor).Drift, signal => signal.Drifting);
    }

    [Fact]
    public void Performance_drifts_by_what_the_published_version_got_wrong_however_late_and_by_nothing_else()
    {
        using var monitor = Create();
        var found = Listen(monitor);
        monitor.Published(2, _clock.GetUtcNow());
        var random = new SeededRandom(4, "errors");
        for (var i = 0; i < 1000; i++) monitor.Judged(Judge(2, random.NextDouble() > 0.05));
        for (var i = 0; i < 500; i++) monitor.Judged(Judge(1, right: false)); // late truth about the version before
        Assert.Empty(found);

        for (var i = 0; i < 300; i++) monitor.Judged(Judge(2, random.NextDouble() > 0.5));

        Assert.Contains(found, signal => signal is { Of: "performance", Detector: "ddm" });
        Assert.Contains(found, signal => signal is { Of: "performance", Detector: "adwin" });
        Assert.Equal(found.Count, found.Distinct().Count());
        Assert.All(found, signal => Assert.Equal("performance", signal.Of));
    }

    [Fact]
    public void The_first_failure_of_a_version_that_never_failed_is_no_drift()
    {
        using var monitor = Create();
        var found = Listen(monitor);
        monitor.Published(1, _clock.GetUtcNow());
        for (var i = 0; i < 500; i++) monitor.Judged(Judge(1, right: true));
        monitor.Judged(Judge(1, right: false));

        Assert.Empty(found);
    }

    [Fact]
    public void Label_delay_and_staleness_are_reported()
    {
        using var monitor = Create();
        Assert.Null(Report(monitor).StalenessSeconds);
        Assert.Null(Report(monitor).LabelDelayMedian);
        monitor.Published(7, _clock.GetUtcNow());
        for (var i = 1; i <= 100; i++) monitor.Judged(Judge(7, true, delay: i));
        _clock.Advance(TimeSpan.FromMinutes(5));

        var report = Report(monitor);

        Assert.Equal(300, report.StalenessSeconds);
        Assert.Equal(50, report.LabelDelayMedian);
        Assert.Equal(90, report.LabelDelayP90);
    }

    [Fact]
    public void Truth_from_before_the_start_is_watched_but_neither_announced_nor_counted()
    {
        using var counts = new Counts();
        using var monitor = Create(learner: "restored");
        var found = Listen(monitor);
        monitor.Published(1, _clock.GetUtcNow());
        monitor.Restore([.. Enumerable.Range(0, 400).Select(i => Judge(1, right: i < 200))]);

        Assert.True(Signal(monitor, "performance", "error", "ddm").Drifting);
        Assert.Empty(found);
        Assert.Equal(0, counts.Of("engram.predictions.judged", "restored"));
    }

    [Fact]
    public void Instruments_are_tagged_by_learner()
    {
        using var counts = new Counts();
        using var monitor = Create(learner: "counted");
        monitor.QueueLength = () => 4;
        monitor.Published(3, _clock.GetUtcNow());
        Answer(monitor, 5, TimeSpan.FromMilliseconds(2));
        monitor.Accepted(2);
        monitor.Judged(Judge(3, right: true));
        monitor.Learnt("published", 40, TimeSpan.FromSeconds(1));
        counts.Observe();

        Assert.Equal(5, counts.Of("engram.predictions", "counted"));
        Assert.Equal(0.002, counts.Of("engram.prediction.duration", "counted"), 1e-9);
        Assert.Equal(2, counts.Of("engram.feedback", "counted"));
        Assert.Equal(1, counts.Of("engram.predictions.judged", "counted"));
        Assert.Equal(1, counts.Of("engram.versions", "counted"));
        Assert.Equal(40, counts.Of("engram.learning.samples", "counted"));
        Assert.Equal(4, counts.Of("engram.prediction.queue", "counted"));
        Assert.Equal(3, counts.Of("engram.version.published", "counted"));
        Assert.Equal(0, counts.Of("engram.predictions", "another"));
    }

    [Fact]
    public void Many_threads_may_report_at_once()
    {
        using var monitor = Create();
        monitor.Published(1, _clock.GetUtcNow());
        Parallel.For(0, 8, thread =>
        {
            for (var i = 0; i < 500; i++)
            {
                monitor.Predicted(1, [thread, i], 2, [Record("a"), Record("b")], [TimeSpan.FromMilliseconds(1)]);
                monitor.Judged(Judge(1, right: i % 2 == 0));
                if (i % 100 == 0) Report(monitor);
            }
        });

        Assert.Equal(8000, Report(monitor).Predictions.Total);
        Assert.Equal(4000, Signal(monitor, "performance", "error", "adwin").Samples);
    }

    private LearnerMonitor Create(IReadOnlyList<string>? features = null, string learner = "test") => new(learner, _clock, features);

    private static List<DriftSignal> Listen(LearnerMonitor monitor)
    {
        var found = new List<DriftSignal>();
        monitor.Drifted += found.AddRange;
        return found;
    }

    private static WatchReport Report(LearnerMonitor monitor) => monitor.Report([], []);

    private static DriftSignal Signal(LearnerMonitor monitor, string of, string feature, string detector = "adwin") =>
        Report(monitor).Drift.Single(signal => signal.Of == of && signal.Feature == feature && signal.Detector == detector);

    private static PredictionRecord Record(string label, bool unknown = false, int version = 1) =>
        new("id", DateTimeOffset.UnixEpoch, version, label, 0.9, unknown, [], null);

    private static JudgedPrediction Judge(int version, bool right, double delay = 60) => new(1, version, "a", right, "a", delay);

    private static void Answer(LearnerMonitor monitor, int predictions, TimeSpan latency) =>
        monitor.Predicted(1, [], 0, [.. Enumerable.Repeat(Record("a"), predictions)], [latency]);

    private void Predict(LearnerMonitor monitor, int version, string label)
    {
        monitor.Predicted(version, [], 0, [Record(label, version: version)], []);
        _clock.Advance(TimeSpan.FromMilliseconds(20));
    }

    private void Feed(LearnerMonitor monitor, SeededRandom random, int rows, double[] means, double spread = 1)
    {
        for (var i = 0; i < rows; i++)
        {
            float[] row = [.. means.Select(mean => (float)(mean + (spread * Normal(random))))];
            monitor.Predicted(1, row, row.Length, [Record("a")], []);
            _clock.Advance(TimeSpan.FromMilliseconds(20));
        }
    }

    private static double Normal(SeededRandom random) => // Box and Muller 1958
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    /// <summary>What the service's meter measures.</summary>
    private sealed class Counts : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly Dictionary<(string, string), double> _sums = [];

        public Counts()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == ServiceMetrics.MeterName) listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument.Name, value, tags));
            _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument.Name, value, tags));
            _listener.Start();
        }

        public void Observe() => _listener.RecordObservableInstruments();

        public double Of(string instrument, string learner)
        {
            lock (_sums) return _sums.GetValueOrDefault((instrument, learner));
        }

        public void Dispose() => _listener.Dispose();

        private void Add(string instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            foreach (var tag in tags)
            {
                if (tag is not { Key: "learner", Value: string learner }) continue;
                lock (_sums) _sums[(instrument, learner)] = _sums.GetValueOrDefault((instrument, learner)) + value;
            }
        }
    }
}
