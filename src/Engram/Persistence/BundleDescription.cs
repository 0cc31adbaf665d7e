using Engram.Analytic;

namespace Engram.Persistence;

/// <summary>What learnt what a bundle holds.</summary>
public enum BundleKind
{
    /// <summary>A <see cref="Learning.Learner"/>: see <see cref="Bundle"/>.</summary>
    Learner,

    /// <summary>An <see cref="AnalyticLearner"/>: see <see cref="AnalyticBundle"/>.</summary>
    Analytic,
}

/// <summary>What a bundle of either kind says of itself; its parts are not read.</summary>
/// <param name="Kind">Its kind.</param>
/// <param name="Version">Version of its format.</param>
/// <param name="Id">SHA-256 of its manifest: equal bundles have equal ids.</param>
/// <param name="Model">What predicts, in a few words.</param>
/// <param name="Classes">Its labels in the order of their ids.</param>
/// <param name="InputShape">Shape of one sample; null where nothing was learnt, or by an analytic bundle of version 1.</param>
/// <param name="InputType">Byte or Float32; null as <paramref name="InputShape"/>.</param>
/// <param name="Learnt">Indices of the experiences learnt to their end.</param>
/// <param name="Lineage">Where it comes from.</param>
/// <param name="Parts">Its files.</param>
public sealed record BundleDescription(
    BundleKind Kind, int Version, string Id, string Model, IReadOnlyList<BundleClass> Classes, IReadOnlyList<long>? InputShape,
    ScalarType? InputType, IReadOnlyList<int> Learnt, BundleLineage Lineage, IReadOnlyList<BundlePart> Parts)
{
    /// <summary>The whole manifest, of a learner's bundle; else null.</summary>
    public BundleManifest? LearnerManifest { get; init; }

    /// <summary>The whole manifest, of an analytic learner's bundle; else null.</summary>
    public AnalyticManifest? AnalyticManifest { get; init; }

    internal static BundleDescription Of(BundleManifest manifest) => new(
        BundleKind.Learner, manifest.Version, manifest.Id,
        $"{manifest.Model.Backbone}, {manifest.Model.Head} head over {manifest.Model.Features} features", manifest.Classes,
        manifest.Learner.InputShape, manifest.Learner.InputType, manifest.Learner.Learnt, manifest.Lineage, manifest.Parts)
    { LearnerManifest = manifest };

    internal static BundleDescription Of(AnalyticManifest manifest, string file)
    {
        var state = AnalyticValues.Read(manifest.Values, file);
        return new(
            BundleKind.Analytic, manifest.Version, manifest.Id,
            $"{manifest.Learner} over {manifest.Features} features, extractor {manifest.Extractor}",
            [.. state.Labels.Select(label => new BundleClass(label, null))], state.InputShape, state.InputType, state.Learnt,
            manifest.Lineage ?? new BundleLineage(null, null, new Dictionary<string, double>(), [], "0.1"), manifest.Parts)
        { AnalyticManifest = manifest };
    }
}
