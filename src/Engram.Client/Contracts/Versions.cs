namespace Engram.Client;

/// <summary>Where a version stands.</summary>
public enum VersionState
{
    /// <summary>It answers.</summary>
    Published,

    /// <summary>It passed the gate and waits for a person.</summary>
    Staged,

    /// <summary>It answers unseen, to be compared.</summary>
    Shadow,

    /// <summary>It answers a share of the predictions.</summary>
    Canary,

    /// <summary>It answered before.</summary>
    Retired,

    /// <summary>The gate or a person refused it.</summary>
    Refused,

    /// <summary>It was learnt to be compared only.</summary>
    Observed,
}

/// <summary>One condition of the gate.</summary>
/// <param name="Name"><c>accuracy</c>, <c>retention</c>, <c>examples</c>, <c>calibration</c> or <c>latency</c>.</param>
/// <param name="Passed">Whether it held.</param>
/// <param name="Reason">What was measured against what, in words.</param>
public sealed record GateCheck(string Name, bool Passed, string Reason);

/// <summary>A version of a learner.</summary>
public sealed record VersionInfo
{
    /// <summary>Its number, from 1.</summary>
    public required int Version { get; init; }

    /// <summary>Where it stands.</summary>
    public required VersionState State { get; init; }

    /// <summary>The version it was made from; null for the first, or when imported.</summary>
    public int? Parent { get; init; }

    /// <summary>When it was learnt.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>When it was published last.</summary>
    public DateTimeOffset? Published { get; init; }

    /// <summary>Who published it last: a key, or <c>service</c> where it passed the gate.</summary>
    public string? PublishedBy { get; init; }

    /// <summary>Up to where in the feedback log it has learnt.</summary>
    public long Cursor { get; init; }

    /// <summary>Samples it learnt since its parent.</summary>
    public long Samples { get; init; }

    /// <summary>Seconds that took.</summary>
    public double Seconds { get; init; }

    /// <summary>The labels it knows.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>Bytes of its bundle.</summary>
    public long Bytes { get; init; }

    /// <summary>Whether it is kept for ever.</summary>
    public bool Pinned { get; init; }

    /// <summary>Its aliases: <c>champion</c>, <c>challenger</c> and others.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];

    /// <summary>Accuracy on held-out feedback when it was examined.</summary>
    public double? Accuracy { get; init; }

    /// <summary>Recall of each class on held-out feedback when it was examined.</summary>
    public IReadOnlyDictionary<string, double> ClassAccuracy { get; init; } = new Dictionary<string, double>();

    /// <summary>Expected calibration error on held-out feedback.</summary>
    public double? CalibrationError { get; init; }

    /// <summary>What the gate said.</summary>
    public IReadOnlyList<GateCheck> Checks { get; init; } = [];

    /// <summary>What made it: <c>count</c>, <c>time</c>, <c>drift</c>, <c>request</c>, <c>import</c>, <c>unlearn</c>.</summary>
    public string Trigger { get; init; } = "";

    /// <summary>Why it is where it is, in words.</summary>
    public string Reason { get; init; } = "";
}

/// <summary>How two versions differ.</summary>
public sealed record VersionDiff
{
    /// <summary>The first.</summary>
    public required VersionInfo From { get; init; }

    /// <summary>The second.</summary>
    public required VersionInfo To { get; init; }

    /// <summary>Labels that only the second knows.</summary>
    public IReadOnlyList<string> NewLabels { get; init; } = [];

    /// <summary>Change of accuracy, where both were measured.</summary>
    public double? Accuracy { get; init; }

    /// <summary>Change of each class's recall, where both were measured.</summary>
    public IReadOnlyDictionary<string, double> ClassAccuracy { get; init; } = new Dictionary<string, double>();

    /// <summary>Held-out samples that the two label differently, out of those asked.</summary>
    public int? Disagreements { get; init; }

    /// <summary>Held-out samples asked.</summary>
    public int? Compared { get; init; }
}

/// <summary>An input whose label must never be lost.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Label">The label it must get.</param>
/// <param name="Added">When it was pinned.</param>
public sealed record PinnedExample(string Id, string Label, DateTimeOffset Added);
