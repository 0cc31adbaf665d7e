using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Engram.Persistence;

namespace Engram.Analytic;

/// <summary>What the bundle of an analytic learner says of itself, in <c>manifest.json</c>.</summary>
/// <param name="Format">Always <see cref="FormatName"/>.</param>
/// <param name="Version">Version of the format, see <see cref="AnalyticBundle.FormatVersion"/>.</param>
/// <param name="Id">SHA-256 of the manifest with zeros in place of this.</param>
/// <param name="Learner">Kind of the learner.</param>
/// <param name="Options">Its options.</param>
/// <param name="Extractor">Kind of the feature extractor; <c>own</c> for one that the caller gives on loading.</param>
/// <param name="ExtractorOptions">Its options.</param>
/// <param name="Features">Width of the features.</param>
/// <param name="Scaling">The fields of <see cref="Models.InputScaling"/>.</param>
/// <param name="Values">Labels, experiences learnt, and other state that is no tensor.</param>
/// <param name="Parts">Its safetensors files: <c>statistics</c> and <c>extractor</c>.</param>
/// <param name="Lineage">Where the bundle comes from; null in version 1.</param>
public sealed record AnalyticManifest(
    string Format, int Version, string Id, string Learner, JsonObject Options, string Extractor, JsonObject ExtractorOptions,
    int Features, JsonObject Scaling, JsonObject Values, IReadOnlyList<BundlePart> Parts, BundleLineage? Lineage = null)
{
    /// <summary>What <see cref="Format"/> says.</summary>
    public const string FormatName = "engram-analytic";

    private static readonly string s_noId = new('0', 64);

    internal (byte[] Json, AnalyticManifest Manifest) Seal()
    {
        var open = JsonSerializer.SerializeToUtf8Bytes(this with { Id = s_noId }, ManifestJson.Options);
        var whole = this with { Id = Convert.ToHexStringLower(SHA256.HashData(open)) };
        return (JsonSerializer.SerializeToUtf8Bytes(whole, ManifestJson.Options), whole);
    }

    internal static AnalyticManifest Parse(byte[] json, string file)
    {
        var manifest = ManifestJson.Parse<AnalyticManifest>(
            json, file, FormatName, AnalyticBundle.FormatVersion, manifest => manifest.Id);
        var names = manifest.Parts.Select(part => part?.Name).Order(StringComparer.Ordinal);
        if (!names.SequenceEqual(["extractor", "statistics"]))
            throw new InvalidDataException($"{file}: parts {string.Join(", ", names)}, expected extractor and statistics");
        if (manifest.Lineage?.History?.Any(part => part is null) == true)
            throw new InvalidDataException($"{file}: null in a list, expected values");
        return manifest.Features > 0
            ? manifest
            : throw new InvalidDataException($"{file}: features: {manifest.Features}, expected 1 or more");
    }
}
