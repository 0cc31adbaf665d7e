using System.Text.Json.Nodes;

namespace Engram.Persistence;

/// <summary>Where a bundle comes from; nothing here changes how it is read.</summary>
public sealed record BundleInfo
{
    /// <summary>Path of the bundle it was made from; parts that did not change are shared with it by hard links.</summary>
    /// <value>Default none.</value>
    public string? Parent { get; init; }

    /// <summary>Which data it learnt since its parent, in the caller's words.</summary>
    /// <value>Default none.</value>
    public string? Data { get; init; }

    /// <summary>Measured on it, by name.</summary>
    /// <value>Default none.</value>
    public IReadOnlyDictionary<string, double> Metrics { get; init; } = new Dictionary<string, double>();

    /// <summary>When it is saved. Equal learners saved at equal times give equal bundles.</summary>
    /// <value>Default none.</value>
    public DateTimeOffset? Saved { get; init; }

    /// <summary>What was learnt when, and how well it was kept, in order.</summary>
    /// <value>Default none.</value>
    public IReadOnlyList<LearntPart> History { get; init; } = [];

    /// <summary>The caller's settings, as JSON.</summary>
    /// <value>Default none.</value>
    public JsonObject Settings { get; init; } = [];
}
