using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Engram.Models;
using Engram.Persistence;
using Engram.Retention;

namespace Engram.Analytic;

/// <summary>
/// An analytic learner on disk, whole: feature extractor, statistics, labels, options. Loaded in another process it predicts
/// bit by bit the same, and learning and unlearning go on exactly.
/// </summary>
/// <remarks>
/// A folder as <see cref="Bundle"/> writes it: <c>manifest.json</c> and safetensors files named by their SHA-256, replaced as
/// a whole or not at all. The extractor's tensors are kept, not its seed, so that a file outlives a change of generators.
/// </remarks>
public static class AnalyticBundle
{
    /// <summary>The version of the format this library writes; it reads all from 1.</summary>
    public const int FormatVersion = 2;

    /// <summary>Saves a learner, between calls of <see cref="AnalyticLearner.Learn"/> or after one was cancelled.</summary>
    /// <param name="learner">The learner.</param>
    /// <param name="path">Folder of the bundle; it is created or replaced.</param>
    /// <param name="info">Where the bundle comes from; null for nothing. With a parent, parts that did not change are shared with it.</param>
    /// <returns>What was written as its manifest.</returns>
    /// <exception cref="IOException">No space, no permission, or another folder is there; a bundle saved before is as it was.</exception>
    public static AnalyticManifest Save(AnalyticLearner learner, string path, BundleInfo? info = null)
    {
        ArgumentNullException.ThrowIfNull(learner);
        ArgumentException.ThrowIfNullOrEmpty(path);
        info ??= new BundleInfo();
        var (parent, parentId) = ManifestJson.Parent(info);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var state = new MechanismState();
        learner.Save(state);
        var (kind, options) = learner.Describe();
        var extractor = learner.Features.Describe();
        AnalyticManifest? written = null;
        new BundleFolder(path).Save(
            [
                ("extractor", stream => SafetensorsFile.Write(stream, extractor.Tensors)),
                ("statistics", stream => SafetensorsFile.Write(stream, new Dictionary<string, Tensor>(state.Tensors))),
            ],
            parts =>
            {
                (var json, written) = new AnalyticManifest(
                    AnalyticManifest.FormatName, FormatVersion, "", kind, options, extractor.Kind, extractor.Options,
                    learner.Features.FeatureCount, Bundle.Fields(learner.Scaling), state.Values, parts,
                    BundleLineage.Of(info, parentId)).Seal();
                return json;
            },
            parent);
        return written!;
    }

    /// <summary>What a bundle says of itself; its parts are not read.</summary>
    /// <param name="path">Folder of the bundle.</param>
    /// <exception cref="FileNotFoundException">There is no bundle.</exception>
    /// <exception cref="InvalidDataException">The manifest is damaged, of the future, or of something else.</exception>
    public static AnalyticManifest ReadManifest(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var folder = new BundleFolder(path);
        return AnalyticManifest.Parse(folder.ReadManifest(), folder.ManifestPath);
    }

    /// <summary>Reads every part and checks it against its hash.</summary>
    /// <param name="path">Folder of the bundle.</param>
    /// <exception cref="FileNotFoundException">There is no bundle, or one of its parts is missing.</exception>
    /// <exception cref="InvalidDataException">Something is damaged; the message names it.</exception>
    public static AnalyticManifest Verify(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using var scope = NewDisposeScope();
        return Read(new BundleFolder(path)).Manifest;
    }

    /// <summary>Loads a learner.</summary>
    /// <param name="path">Folder of the bundle.</param>
    /// <param name="features">The extractor, where it is not one of the library's own; null otherwise. The learner owns it.</param>
    /// <exception cref="FileNotFoundException">There is no bundle, or one of its parts is missing.</exception>
    /// <exception cref="InvalidDataException">A damaged, future or foreign bundle; the message names the part.</exception>
    public static AnalyticLearner Load(string path, FeatureExtractor? features = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var folder = new BundleFolder(path);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var (manifest, parts) = Read(folder);
        var state = new MechanismState { Values = manifest.Values };
        foreach (var (name, tensor) in parts["statistics"]) state.Tensors[name] = tensor;
        var extractor = new ExtractorFile(manifest.Extractor, manifest.ExtractorOptions, parts["extractor"]);
        FeatureExtractor? built = null;
        AnalyticLearner? learner = null;
        try
        {
            CheckWidth(manifest.Learner, manifest.Options, manifest.Features, state);
            built = features ?? extractor.Build();
            if (built.FeatureCount != manifest.Features)
                throw new FormatException($"extractor gives {built.FeatureCount} features, expected {manifest.Features}");
            learner = Build(manifest.Learner, manifest.Options, manifest.Scaling.Deserialize<InputScaling>(ManifestJson.Options), built);
            learner.Load(state);
            return learner;
        }
        catch (Exception problem) when (problem is not (OutOfMemoryException or FileNotFoundException))
        {
            learner?.Dispose();
            if (learner is null && features is null) built?.Dispose();
            if (problem is InvalidDataException or FormatException or JsonException or ArgumentException
                or InvalidOperationException or OverflowException or ExternalException)
                throw new InvalidDataException($"{folder.ManifestPath}: {problem.Message}", problem);
            throw;
        }
    }

    // A learner makes room for its second moments when it is built, so the file must have them to show.
    internal static void CheckWidth(string learner, JsonObject options, int features, MechanismState state)
    {
        var perClass = (string?)options["balance"] == $"{ClassBalance.PerClass}";
        var name = learner switch { "slda" => "products", "ridge" when !perClass => "products", "recursive-ridge" => "inverse", _ => null };
        if (name is null) return;
        if (!state.Tensors.TryGetValue(name, out var moments) || !moments.shape.SequenceEqual([features, features]))
            throw new FormatException($"statistics: {name}, expected [{features}, {features}] as there are features");
    }

    // Manifest and all parts, the tensors in the caller's scope.
    private static (AnalyticManifest Manifest, Dictionary<string, Dictionary<string, Tensor>> Parts) Read(BundleFolder folder) =>
        folder.Read(json =>
        {
            using var scope = NewDisposeScope();
            var manifest = AnalyticManifest.Parse(json, folder.ManifestPath);
            var parts = new Dictionary<string, Dictionary<string, Tensor>>();
            foreach (var part in manifest.Parts)
            {
                using var stream = folder.Open(part);
                parts[part.Name] = SafetensorsFile.Read(stream, $"{folder.ManifestPath}: part {part.Name}");
            }
            foreach (var tensor in parts.Values.SelectMany(tensors => tensors.Values)) tensor.MoveToOuterDisposeScope();
            return (manifest, parts);
        });

    // A file can only choose among these; it cannot name a type.
    internal static AnalyticLearner Build(string learner, JsonObject options, InputScaling? scaling, FeatureExtractor features)
    {
        // Before anything is built that would be left behind.
        var (block, fast) = (AnalyticLearner.CheckedBlockSize(options.Value<int>("blockSize")), options.Value("fastProducts", false));
        var small = options.Value("smallUpdates", true);
        return learner switch
        {
            "ncm" => new NearestClassMean(features, scaling) { BlockSize = block, FastProducts = fast, SmallUpdates = small },
            "slda" => new StreamingLda(features, Number("shrinkage"), scaling, One<ClassPrior>("prior"))
            { BlockSize = block, FastProducts = fast, SmallUpdates = small },
            "ridge" => new RidgeClassifier(features, Number("lambda"), scaling, One<ClassBalance>("balance"))
            { BlockSize = block, FastProducts = fast, SmallUpdates = small },
            "recursive-ridge" => new RecursiveRidge(features, Number("lambda"), scaling) { BlockSize = block },
            "fecam" => new FeCam(features, new FeCamOptions
            {
                Gamma1 = Number("gamma1"),
                Gamma2 = Number("gamma2"),
                Tukey = Number("tukey"),
                Correlation = options.Value<bool>("correlation"),
                Prior = One<ClassPrior>("prior"),
            }, scaling)
            { BlockSize = block },
            _ => throw new FormatException($"learner: {learner}, expected ncm, slda, ridge, recursive-ridge or fecam"),
        };

        double Number(string name) => options.Value<double>(name);

        T One<T>(string name)
            where T : struct, Enum => ManifestJson.Named<T>(name, options.Value<string>(name));
    }
}
