using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Engram.Persistence;

namespace Engram.Analytic;

/// <summary>What the bundle of an analytic learner says of itself, in <c>manifest.json</c>.</summary>
/// <param name="Format">Always <see cref="FormatName"/>.</param>
/// <param name="Version">Version of the format.</param>
/// <param name="Id">SHA-256 of the manifest with zeros in place of this.</param>
/// <param name="Learner">Kind of the learner.</param>
/// <param name="Options">Its options.</param>
/// <param name="Extractor">Kind of the feature extractor; <c>own</c> for one that the caller gives on loading.</param>
/// <param name="ExtractorOptions">Its options.</param>
/// <param name="Features">Width of the features.</param>
/// <param name="Scaling">The fields of <see cref="Models.InputScaling"/>.</param>
/// <param name="Values">Labels, experiences learnt, and other state that is no tensor.</param>
/// <param name="Parts">Its safetensors files: <c>statistics</c> and <c>extractor</c>.</param>
internal sealed record AnalyticManifest(
    string Format, int Version, string Id, string Learner, JsonObject Options, string Extractor, JsonObject ExtractorOptions,
    int Features, JsonObject Scaling, JsonObject Values, IReadOnlyList<BundlePart> Parts)
{
    public const string FormatName = "engram-analytic";
    public const int FormatVersion = 1;

    private static readonly string s_noId = new('0', 64);

    public byte[] Seal()
    {
        var open = JsonSerializer.SerializeToUtf8Bytes(this with { Id = s_noId }, ManifestJson.Options);
        return JsonSerializer.SerializeToUtf8Bytes(this with { Id = Convert.ToHexStringLower(SHA256.HashData(open)) }, ManifestJson.Options);
    }

    public static AnalyticManifest Parse(byte[] json, string file)
    {
        try
        {
            var root = JsonNode.Parse(json) as JsonObject;
            var format = (string?)root?["format"];
            if (format != FormatName)
                throw new InvalidDataException($"{file}: format {format ?? "none"}, expected {FormatName}, an analytic learner's");
            if ((int?)root!["version"] is var version && version != FormatVersion)
                throw new InvalidDataException($"{file}: version {version} of the format, expected {FormatVersion}");
            var manifest = JsonSerializer.Deserialize<AnalyticManifest>(json, ManifestJson.Options)!;
            ManifestJson.CheckSeal(json, manifest.Id, file);
            var names = manifest.Parts.Select(part => part.Name).Order(StringComparer.Ordinal);
            return names.SequenceEqual(["extractor", "statistics"])
                ? manifest
                : throw new InvalidDataException($"{file}: parts {string.Join(", ", names)}, expected extractor and statistics");
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException or FormatException or NullReferenceException)
        {
            throw new InvalidDataException($"{file}: damaged or no manifest of an analytic learner ({problem.Message})", problem);
        }
    }
}
