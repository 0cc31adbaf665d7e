namespace Engram.Persistence;

/// <summary>A bundle in memory: its manifest and all tensors by part, checked against each other; no learner is involved yet.</summary>
internal sealed class BundleContent : IDisposable
{
    private readonly Dictionary<string, Dictionary<string, Tensor>> _parts = [];

    private BundleContent(string path, BundleManifest manifest) => (Path, Manifest) = (path, manifest);

    public string Path { get; }

    public BundleManifest Manifest { get; }

    /// <summary>The tensors of a part; none where the bundle has no such part.</summary>
    public IReadOnlyDictionary<string, Tensor> this[string part] =>
        _parts.TryGetValue(part, out var tensors) ? tensors : new Dictionary<string, Tensor>();

    /// <summary>Parameters and buffers of the whole model.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> ModelTensors => this["backbone"].Concat(this["head"]);

    public static BundleContent Read(string path, Func<BundleManifest, string, bool>? wanted = null)
    {
        var folder = new BundleFolder(path);
        return folder.Read(json =>
        {
            var manifest = ManifestJson.Parse(json, folder.ManifestPath);
            var content = new BundleContent(path, manifest);
            try
            {
                ManifestCheck.Check(manifest, folder.ManifestPath);
                foreach (var part in manifest.Parts.Where(part => wanted?.Invoke(manifest, part.Name) ?? true))
                    content.ReadPart(folder, part);
                ContentCheck.Check(content);
                return content;
            }
            catch
            {
                content.Dispose();
                throw;
            }
        });
    }

    /// <summary>What a learner would be on disk, copied in memory.</summary>
    /// <param name="name">What messages call it.</param>
    /// <param name="manifest">Says of itself what was saved; its parts are not asked for.</param>
    /// <param name="parts">Tensors by part; they stay their owner's.</param>
    public static BundleContent Copy(
        string name, BundleManifest manifest, IReadOnlyDictionary<string, Dictionary<string, Tensor>> parts)
    {
        var content = new BundleContent(name, manifest);
        foreach (var (part, tensors) in parts)
            content._parts.Add(part, tensors.ToDictionary(
                pair => pair.Key, pair => pair.Value.detach().cpu().contiguous().clone().DetachFromDisposeScope()));
        return content;
    }

    public InvalidDataException Bad(string part, string what) => new($"{Path}: part {part}: {what}");

    public void Dispose()
    {
        foreach (var tensor in _parts.Values.SelectMany(tensors => tensors.Values)) tensor.Dispose();
    }

    private void ReadPart(BundleFolder folder, BundlePart part)
    {
        using var stream = folder.Open(part);
        using var scope = NewDisposeScope();
        var tensors = SafetensorsFile.Read(stream, $"{Path}: part {part.Name}");
        foreach (var tensor in tensors.Values) tensor.DetachFromDisposeScope();
        _parts.Add(part.Name, tensors);
    }
}
