using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Engram.Tests.Persistence;

/// <summary>Manifests with another content and the right seal, as whoever can write a bundle can write them.</summary>
internal static class SealedManifest
{
    private const string None = "0000000000000000000000000000000000000000000000000000000000000000";

    /// <summary>Changes the manifest of one bundle and writes it into another, or the same.</summary>
    public static void Change(string source, string target, Action<JsonNode> change)
    {
        var manifest = JsonNode.Parse(File.ReadAllText(Path.Combine(source, "manifest.json")))!;
        change(manifest);
        manifest["id"] = None;
        var text = manifest.ToJsonString();
        File.WriteAllText(Path.Combine(target, "manifest.json"), text.Replace(
            None, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))), StringComparison.Ordinal));
    }

    /// <summary>Puts values in place of others, objects inside objects.</summary>
    public static void Merge(JsonObject into, JsonObject changes)
    {
        foreach (var (name, value) in changes)
            if (value is JsonObject inner) Merge(into[name]!.AsObject(), inner);
            else into[name] = value?.DeepClone();
    }
}
