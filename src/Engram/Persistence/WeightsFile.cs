using System.Globalization;
using System.Text.Json;
using Engram.Analytic;

namespace Engram.Persistence;

/// <summary>The weights of a bundle's model as one safetensors file with the names that they have in their modules.</summary>
/// <remarks>
/// Backbone names come without a prefix (<c>fc1.weight</c>), as <see cref="Models.Backbone.LoadWeights"/> and the public PyTorch
/// implementations have them; the head's begin with <c>head.</c>. Any backbone will do, also one that is not of the library.
/// </remarks>
public static class WeightsFile
{
    private const string BackbonePrefix = "backbone.";

    /// <summary>Writes the file, whole or not at all.</summary>
    /// <param name="path">The file to create or replace.</param>
    /// <param name="bundle">Folder of the bundle.</param>
    /// <returns>What the bundle says of itself.</returns>
    /// <remarks>
    /// Metadata: <c>labels</c> (a JSON array in the order of the head's rows), <c>tasks</c> where there are any, <c>backbone</c>,
    /// <c>head</c>, <c>scaling</c> (JSON) and <c>bundle</c> (its id). <c>prediction</c> names the mechanisms that take part in
    /// prediction: there the weights alone predict otherwise.
    /// </remarks>
    /// <exception cref="InvalidDataException">A damaged or future bundle; the message names the part.</exception>
    public static BundleManifest Write(string path, string bundle)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentException.ThrowIfNullOrEmpty(bundle);
        using var content = BundleContent.Read(bundle, (_, part) => part is "backbone" or "head");
        var tensors = new Dictionary<string, Tensor>(content["head"]);
        // A backbone with a part called head keeps its prefix, so that no name means two things.
        var plain = content["backbone"].Keys.All(name => !tensors.ContainsKey(name[BackbonePrefix.Length..]));
        foreach (var (name, tensor) in content["backbone"]) tensors[plain ? name[BackbonePrefix.Length..] : name] = tensor;
        SafetensorsFile.Write(path, tensors, Metadata(content.Manifest));
        return content.Manifest;
    }

    /// <summary>Writes the numbers of an analytic learner, whole or not at all.</summary>
    /// <param name="path">The file to create or replace.</param>
    /// <param name="learner">The learner.</param>
    /// <param name="bundle">Id of the bundle that it comes from, for the metadata; null for none.</param>
    /// <remarks>
    /// <c>extractor.</c> and the extractor's own names; for scores that are linear in the features <c>head.weight</c>, float64
    /// <c>[classes, features]</c>, else <c>head.means</c> and <c>head.whitening</c>; <c>head.bias</c>, float64 <c>[classes]</c>.
    /// </remarks>
    /// <exception cref="InvalidOperationException">It has learnt nothing.</exception>
    public static void Write(string path, AnalyticLearner learner, string? bundle = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(learner);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var (form, extractor) = (learner.Form(), learner.Features.Describe());
        var tensors = extractor.Tensors.ToDictionary(pair => $"extractor.{pair.Key}", pair => pair.Value);
        tensors["head.bias"] = form.Offset;
        if (form is LinearForm linear) tensors["head.weight"] = linear.Weights.t().contiguous();
        if (form is DistanceForm distances) (tensors["head.means"], tensors["head.whitening"]) = (distances.Means, distances.Whitening);
        var (kind, options) = learner.Describe();
        SafetensorsFile.Write(path, tensors, new Dictionary<string, string>
        {
            ["format"] = "pt",
            ["labels"] = JsonSerializer.Serialize(learner.Classes.Classes.Select(key => key.Label.Name), ManifestJson.OneLine),
            ["learner"] = kind,
            ["options"] = options.ToJsonString(),
            ["extractor"] = extractor.Kind,
            ["extractorOptions"] = extractor.Options.ToJsonString(),
            ["scaling"] = Bundle.Fields(learner.Scaling).ToJsonString(ManifestJson.OneLine),
            ["temperature"] = learner.Temperature.ToString("R", CultureInfo.InvariantCulture),
            ["bundle"] = bundle ?? "",
        });
    }

    private static Dictionary<string, string> Metadata(BundleManifest manifest)
    {
        var metadata = new Dictionary<string, string>
        {
            ["format"] = "pt", // what Python's loaders look for
            ["labels"] = JsonSerializer.Serialize(manifest.Classes.Select(c => c.Label), ManifestJson.OneLine),
            ["backbone"] = manifest.Model.Backbone,
            ["head"] = manifest.Model.Head,
            ["scaling"] = manifest.Model.Scaling.ToJsonString(),
            ["bundle"] = manifest.Id,
        };
        if (manifest.Classes.Any(c => c.Task is not null))
            metadata["tasks"] = JsonSerializer.Serialize(manifest.Classes.Select(c => c.Task));
        if (manifest.Mechanisms.Where(mechanism => mechanism.Predicts).Select(mechanism => mechanism.Name).ToArray() is { Length: > 0 } others)
            metadata["prediction"] = $"by {string.Join(", ", others)} too";
        return metadata;
    }
}
