namespace Engram.Client;

/// <summary>What a learner is doing.</summary>
public enum LearnerActivity
{
    /// <summary>Nothing; it serves.</summary>
    Idle,

    /// <summary>It learns a candidate.</summary>
    Learning,

    /// <summary>It examines a candidate.</summary>
    Examining,

    /// <summary>It learns nothing until it is resumed; it serves.</summary>
    Paused,

    /// <summary>It could not be opened and does not serve; its last error says why.</summary>
    Failed,
}

/// <summary>A learner as it is now.</summary>
public sealed record LearnerDescription
{
    /// <summary>What it was asked to be.</summary>
    public required LearnerSpecification Specification { get; init; }

    /// <summary>When it was created.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>What it does now.</summary>
    public required LearnerActivity Activity { get; init; }

    /// <summary>How far it is with that, 0 to 1.</summary>
    public double? Progress { get; init; }

    /// <summary>The version that answers; null before the first.</summary>
    public int? Champion { get; init; }

    /// <summary>The labels it knows.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>Its feedback.</summary>
    public required FeedbackStatus Feedback { get; init; }

    /// <summary>Bytes of model and memory in use.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>Why the last attempt to learn failed, or why it could not be opened, if so.</summary>
    public string? LastError { get; init; }
}

/// <summary>What a detector of drift says.</summary>
/// <param name="Of"><c>input</c>, <c>prediction</c> or <c>performance</c>.</param>
/// <param name="Feature">Which feature or label, where it is about one.</param>
/// <param name="Detector"><c>adwin</c>, <c>page-hinkley</c>, <c>ddm</c> or <c>kswin</c>.</param>
/// <param name="Drifting">Whether drift was detected since the published version was learnt.</param>
/// <param name="Warning">Whether it is near to detecting it.</param>
/// <param name="Value">What it watches, now.</param>
/// <param name="Samples">Values it has seen.</param>
/// <param name="Detected">When it detected drift last.</param>
public sealed record DriftSignal(
    string Of, string? Feature, string Detector, bool Drifting, bool Warning, double Value, long Samples, DateTimeOffset? Detected);

/// <summary>Rate and latency of predictions over the last minute.</summary>
/// <param name="PerSecond">Predictions per second.</param>
/// <param name="P50Ms">Median latency in milliseconds.</param>
/// <param name="P99Ms">99th percentile of latency in milliseconds.</param>
/// <param name="Total">Predictions since the service started.</param>
public sealed record PredictionRate(double PerSecond, double P50Ms, double P99Ms, long Total);

/// <summary>Accuracy of live predictions, by feedback that came later.</summary>
/// <param name="Version">The version that predicted.</param>
/// <param name="Labelled">Predictions whose truth is known.</param>
/// <param name="Accuracy">How many of them were right; null when none is known.</param>
public sealed record LivePerformance(int Version, long Labelled, double? Accuracy);

/// <summary>What the memory of a learner holds of a class.</summary>
/// <param name="Label">The label.</param>
/// <param name="Samples">Samples of it learnt.</param>
/// <param name="Stored">Samples of it stored for replay; 0 for closed forms.</param>
/// <param name="HeldOut">Samples of it held out.</param>
public sealed record ClassContent(string Label, long Samples, long Stored, long HeldOut);

/// <summary>All that is watched of a learner.</summary>
public sealed record WatchReport
{
    /// <summary>Rate and latency.</summary>
    public required PredictionRate Predictions { get; init; }

    /// <summary>Drift of inputs, predictions and performance, apart.</summary>
    public IReadOnlyList<DriftSignal> Drift { get; init; } = [];

    /// <summary>Live accuracy by version, the newest first.</summary>
    public IReadOnlyList<LivePerformance> Performance { get; init; } = [];

    /// <summary>Content of the memory by class.</summary>
    public IReadOnlyList<ClassContent> Memory { get; init; } = [];

    /// <summary>Median and 90th percentile of seconds between a prediction and its truth.</summary>
    public double? LabelDelayMedian { get; init; }

    /// <summary>90th percentile of seconds between a prediction and its truth.</summary>
    public double? LabelDelayP90 { get; init; }

    /// <summary>Seconds since the published version was learnt.</summary>
    public double? StalenessSeconds { get; init; }

    /// <summary>Share of predictions that were unknown, over the last minute.</summary>
    public double UnknownShare { get; init; }
}

/// <summary>Accuracy of versions on the classes held out: how well what was learnt is kept.</summary>
public sealed record AccuracyOverVersions
{
    /// <summary>The classes, in the order they were learnt: columns.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>The versions: rows.</summary>
    public IReadOnlyList<int> Versions { get; init; } = [];

    /// <summary>Recall of each class by each version when it was examined; null where it was not measured.</summary>
    public IReadOnlyList<IReadOnlyList<double?>> Accuracy { get; init; } = [];

    /// <summary>Mean over the classes known to each version.</summary>
    public IReadOnlyList<double?> Mean { get; init; } = [];

    /// <summary>Mean over classes of the best recall so far less the present one (Chaudhry et al. 2018, eq. 3).</summary>
    public IReadOnlyList<double?> Forgetting { get; init; } = [];
}

/// <summary>Something that happened to a learner, as sent by <c>GET /v1/learners/{name}/events</c>.</summary>
/// <param name="Number">Its number, growing.</param>
/// <param name="At">When.</param>
/// <param name="Type"><c>learning</c>, <c>progress</c>, <c>candidate</c>, <c>published</c>, <c>refused</c>, <c>staged</c>, <c>rolled-back</c>, <c>drift</c>, <c>paused</c>, <c>resumed</c>, <c>failed</c>.</param>
/// <param name="Version">The version it is about.</param>
/// <param name="Progress">How far, 0 to 1.</param>
/// <param name="Message">In words.</param>
public sealed record LearnerEvent(long Number, DateTimeOffset At, string Type, int? Version, double? Progress, string Message);

/// <summary>A change, who made it and why.</summary>
/// <param name="At">When.</param>
/// <param name="Who">The key's name, or <c>service</c>.</param>
/// <param name="Learner">The learner, where it is about one.</param>
/// <param name="Action">What was done, for example <c>learner.create</c> or <c>version.publish</c>.</param>
/// <param name="Detail">What changed, in words.</param>
/// <param name="Reason">Why, in words.</param>
public sealed record AuditEntry(DateTimeOffset At, string Who, string? Learner, string Action, string Detail, string? Reason);
