using System.Text.Json.Nodes;
using Engram.Data;
using Engram.Learning;

namespace Engram.Persistence;

/// <summary>What a bundle says of itself, in <c>manifest.json</c>. It names no path: parts are found by their SHA-256.</summary>
/// <param name="Format">Always <see cref="FormatName"/>.</param>
/// <param name="Version">Version of the format, see <see cref="Bundle.FormatVersion"/>.</param>
/// <param name="Id">SHA-256 of the manifest with zeros in place of this: equal bundles have equal ids.</param>
/// <param name="Model">The model's architecture.</param>
/// <param name="Classes">The labels in the order of their ids.</param>
/// <param name="Learner">What was learnt, and how.</param>
/// <param name="Optimizer">The optimiser.</param>
/// <param name="Mechanisms">The retention mechanisms in their order.</param>
/// <param name="Lineage">Where the bundle comes from.</param>
/// <param name="Parts">Its safetensors files.</param>
public sealed record BundleManifest(
    string Format, int Version, string Id, BundleModel Model, IReadOnlyList<BundleClass> Classes, BundleLearner Learner,
    BundleOptimizer Optimizer, IReadOnlyList<BundleMechanism> Mechanisms, BundleLineage Lineage,
    IReadOnlyList<BundlePart> Parts)
{
    /// <summary>What <see cref="Format"/> says.</summary>
    public const string FormatName = "engram-bundle";
}

/// <summary>A model's architecture.</summary>
/// <param name="Backbone">As given by <see cref="Models.Backbone.Architecture"/>.</param>
/// <param name="Head">As given by <see cref="Models.IncrementalHead.Architecture"/>.</param>
/// <param name="Features">Width of the features between them.</param>
/// <param name="Growth">Rows that each growth of the head added.</param>
/// <param name="Scaling">The fields of <see cref="Models.InputScaling"/>.</param>
public sealed record BundleModel(string Backbone, string Head, int Features, IReadOnlyList<int> Growth, JsonObject Scaling);

/// <summary>A class; its id is its place in the list.</summary>
/// <param name="Label">The label.</param>
/// <param name="Task">The task it belongs to, in task-incremental learning.</param>
public sealed record BundleClass(string Label, int? Task);

/// <summary>What was learnt, and how.</summary>
/// <param name="Options">The fields of <see cref="LearnerOptions"/>.</param>
/// <param name="InputShape">Shape of one sample; null before the first experience.</param>
/// <param name="InputType">Element type of the samples, <c>byte</c> or <c>float32</c>; null before the first experience.</param>
/// <param name="TargetKind">What the targets are.</param>
/// <param name="Learnt">Indices of the experiences learnt to their end.</param>
/// <param name="Completed">How many were learnt.</param>
/// <param name="KnownBefore">Classes known before the present experience, or the last.</param>
/// <param name="Cursor">Where learning stopped inside an experience; null between experiences.</param>
/// <param name="Tally">What that experience has cost so far; null between experiences.</param>
public sealed record BundleLearner(
    JsonObject Options, IReadOnlyList<long>? InputShape, ScalarType? InputType, TargetKind TargetKind,
    IReadOnlyList<int> Learnt, int Completed, int KnownBefore, LearningCursor? Cursor,
    LearningTally? Tally = null);

/// <summary>An optimiser.</summary>
/// <param name="Steps">Steps taken.</param>
/// <param name="LearningRate">Step size at the time of saving.</param>
/// <param name="Moments">Names of its moments; part <c>optimizer</c> holds <c>moment/parameter</c> for each.</param>
public sealed record BundleOptimizer(long Steps, double LearningRate, IReadOnlyList<string> Moments);

/// <summary>A mechanism.</summary>
/// <param name="Name">Its name; part <c>mechanism/name</c> holds its tensors, if it has any.</param>
/// <param name="Predicts">Whether it takes part in prediction, so that the model alone would predict otherwise.</param>
/// <param name="Values">Its state that is no tensor.</param>
public sealed record BundleMechanism(string Name, bool Predicts, JsonObject Values);

/// <summary>Where a bundle comes from.</summary>
/// <param name="Parent">Id of the bundle it was made from.</param>
/// <param name="Data">Which data it learnt since.</param>
/// <param name="Metrics">Measured on it.</param>
/// <param name="Settings">The caller's settings.</param>
/// <param name="CodeVersion">Version of the library that wrote it.</param>
/// <param name="Saved">When it was saved; null where the caller did not say.</param>
/// <param name="History">What was learnt when, and how well it was kept; null where the caller did not say.</param>
public sealed record BundleLineage(
    string? Parent, string? Data, IReadOnlyDictionary<string, double> Metrics, JsonObject Settings, string CodeVersion,
    DateTimeOffset? Saved = null, IReadOnlyList<LearntPart>? History = null)
{
    internal static BundleLineage Of(BundleInfo info, string? parent) => new(
        parent, info.Data, new SortedDictionary<string, double>(info.Metrics.ToDictionary(), StringComparer.Ordinal), info.Settings,
        Bundle.CodeVersion, info.Saved, info.History.Count == 0 ? null : info.History);
}

/// <summary>Something that was learnt, and what became of it.</summary>
/// <param name="Name">What it is called, for example its classes.</param>
/// <param name="Learnt">When; null if nobody looked at the clock.</param>
/// <param name="AccuracyThen">Accuracy on it right after it was learnt, 0 to 1.</param>
/// <param name="AccuracyNow">Accuracy on it when the bundle was saved.</param>
public sealed record LearntPart(string Name, DateTimeOffset? Learnt, double? AccuracyThen, double? AccuracyNow);

/// <summary>A file of a bundle: <c>parts/</c>SHA-256<c>.safetensors</c>.</summary>
/// <param name="Name"><c>backbone</c>, <c>head</c>, <c>optimizer</c>, <c>random</c>, <c>best</c> (with early stopping) or <c>mechanism/name</c>.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Sha256">SHA-256 of its content, 64 lower-case hexadecimal digits; also its file name.</param>
public sealed record BundlePart(string Name, long Bytes, string Sha256);
