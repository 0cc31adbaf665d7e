using System.Text.Json;

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
