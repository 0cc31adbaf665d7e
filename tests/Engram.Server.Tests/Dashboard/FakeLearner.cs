using System.Collections.Concurrent;
using System.Threading.Channels;
using Engram.Client;

namespace Engram.Server.Tests.Dashboard;

/// <summary>A learner with made-up numbers that can be steered as a real one.</summary>
internal sealed class FakeLearner
{
    private readonly ConcurrentBag<Channel<LearnerEvent>> _listeners = [];
    private readonly Lock _gate = new();
    private List<VersionInfo> _versions = [];
    private long _events;

    public FakeLearner(LearnerSpecification specification, IReadOnlyList<string> labels, int versions, DateTimeOffset now)
    {
        (Specification, Labels, Now) = (specification, labels, now);
        for (var version = 1; version <= versions; version++) _versions.Insert(0, Version(version, versions));
        if (versions > 0) Champion = versions;
    }

    public LearnerSpecification Specification { get; }

    public IReadOnlyList<string> Labels { get; }

    public DateTimeOffset Now { get; }

    public int? Champion { get; set; }

    public LearnerActivity Activity { get; set; }

    public double? Progress { get; set; }

    public string? LastError { get; set; }

    public bool Drifts { get; set; }

    /// <summary>What was asked for, in order: "rollback 3 because".</summary>
    public ConcurrentQueue<string> Asked { get; } = new();

    public IReadOnlyList<VersionInfo> Versions
    {
        get { lock (_gate) return [.. _versions]; }
    }

    public LearnerDescription Describe() => new()
    {
        Specification = Specification,
        Created = Now.AddDays(-20),
        Activity = Activity,
        Progress = Progress,
        Champion = Champion,
        Labels = Champion is null ? [] : Labels,
        Feedback = Champion is null ? new() : new FeedbackStatus
        {
            LastSequence = 48_210,
            LearntUpTo = 48_120,
            Waiting = 81,
            HeldOut = 4_812,
            WithoutPrediction = 9,
            OldestWaiting = Now.AddMinutes(-4),
        },
        MemoryBytes = 61_500_000,
        LastError = LastError,
    };

    public WatchReport Watch(int poll) => new()
    {
        Predictions = Champion is null
            ? new(0, 0, 0, 0)
            : new(1840 + (160 * Math.Sin(poll / 3.0)), 1.8 + (0.3 * Math.Cos(poll / 2.0)), 9.2 + (2 * Math.Sin(poll)), 18_204_112),
        Drift = Champion is null ? [] : [.. Signals()],
        Performance = Champion is null ? [] : [new(Champion.Value, 1204, 0.964), new(Champion.Value - 1, 8809, 0.941), new(Champion.Value - 2, 0, null)],
        Memory = Champion is null ? [] : [.. Labels.Select((label, i) => new ClassContent(label, 5400 - (i * 310), 100, 480 - (i * 20)))],
        LabelDelayMedian = Champion is null ? null : 184,
        LabelDelayP90 = Champion is null ? null : 5400,
        StalenessSeconds = Champion is null ? null : 1260,
        UnknownShare = 0.013,
    };

    public AccuracyOverVersions Accuracy()
    {
        VersionInfo[] examined = [.. Versions.Where(version => version.Accuracy is not null).Reverse()];
        return new AccuracyOverVersions
        {
            Labels = Labels,
            Versions = [.. examined.Select(version => version.Version)],
            Accuracy = [.. examined.Select(version => (IReadOnlyList<double?>)[.. Labels.Select(label => version.ClassAccuracy.TryGetValue(label, out var recall) ? recall : (double?)null)])],
            Mean = [.. examined.Select(version => version.Accuracy)],
            Forgetting = [.. examined.Select((_, i) => i == 0 ? (double?)0 : 0.008 * i)],
        };
    }

    public VersionInfo Change(int version, string what, string? reason, Func<VersionInfo, VersionInfo> change)
    {
        Asked.Enqueue($"{what} {version} {reason}".TrimEnd());
        VersionInfo changed;
        lock (_gate)
        {
            var at = _versions.FindIndex(known => known.Version == version);
            _versions[at] = changed = change(_versions[at]);
        }
        return changed;
    }

    /// <summary>A version answers; the one that did retires.</summary>
    public VersionInfo Publish(int version, string what, string? reason)
    {
        lock (_gate)
            _versions = [.. _versions.Select(known => known.State == VersionState.Published ? known with { State = VersionState.Retired, Aliases = [] } : known)];
        Champion = version;
        var published = Change(version, what, reason, known => known with { State = VersionState.Published, Aliases = ["champion"], Published = Now });
        Tell(what == "rollback" ? "rolled-back" : "published", version, $"version {version} answers");
        return published;
    }

    public void Tell(string type, int? version, string message, double? progress = null)
    {
        var happened = new LearnerEvent(Interlocked.Increment(ref _events), Now, type, version, progress, message);
        foreach (var listener in _listeners) listener.Writer.TryWrite(happened);
    }

    public ChannelReader<LearnerEvent> Listen()
    {
        var channel = Channel.CreateUnbounded<LearnerEvent>();
        _listeners.Add(channel);
        return channel.Reader;
    }

    private VersionInfo Version(int version, int last)
    {
        var known = Labels.Take(Math.Max(1, Labels.Count - last + version)).ToArray();
        return new VersionInfo
        {
            Version = version,
            State = version == last ? VersionState.Published : version == last - 2 ? VersionState.Refused : VersionState.Retired,
            Parent = version == 1 ? null : version - 1,
            Created = Now.AddHours(version - last).AddMinutes(-21),
            Published = version == last - 2 ? null : Now.AddHours(version - last).AddMinutes(-20),
            Cursor = 48_120 - (900 * (last - version)),
            Samples = 812,
            Seconds = 3.4,
            Labels = known,
            Bytes = 12_400_000,
            Aliases = version == last ? ["champion"] : [],
            Accuracy = 0.9 + (0.07 * version / last),
            ClassAccuracy = known.Select((label, i) => (label, recall: 1 - (((i * 37) + (version * 11)) % 43 / 100.0))).ToDictionary(pair => pair.label, pair => pair.recall),
            CalibrationError = 0.021,
            Checks =
            [
                new("accuracy", true, "0.964 on 4,812 held-out samples, the published version has 0.951"),
                new("retention", version != last - 2, version == last - 2 ? "recall of \"seven\" fell from 0.96 to 0.81, expected at most 0.1 lower" : "no class fell by more than 0.012"),
                new("examples", true, "12 of 12 pinned examples"),
            ],
            Trigger = version % 3 == 0 ? "drift" : "count",
            Reason = version == last - 2 ? "retention: recall of \"seven\" fell from 0.96 to 0.81" : "the gate let it pass",
        };
    }

    private IEnumerable<DriftSignal> Signals()
    {
        DateTimeOffset? detected = Drifts ? Now.AddMinutes(-12) : null;
        for (var feature = 0; feature < 6; feature++)
            yield return new("input", $"{180 + (17 * feature)}", "adwin", Drifts && feature == 2, false, 0.31 + (feature * 0.07), 61_040, feature == 2 ? detected : null);
        yield return new("input", null, "kswin", false, false, 0.82, 61_040, null);
        yield return new("prediction", "confidence", "adwin", false, false, 0.912, 61_040, null);
        yield return new("prediction", "unknown", "page-hinkley", false, false, 0.013, 61_040, null);
        foreach (var label in Labels.Take(4)) yield return new("prediction", $"label {label}", "adwin", false, false, 0.1, 61_040, null);
        yield return new("performance", "error", "ddm", false, true, 0.036, 1_204, null);
        yield return new("performance", "error", "adwin", Drifts, false, 0.041, 1_204, detected);
        yield return new("performance", "error", "page-hinkley", false, false, 0.036, 1_204, null);
    }
}
