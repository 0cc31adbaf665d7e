using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Engram.Analytic;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;

namespace Engram.Persistence;

/// <summary>
/// Everything a learner is, on disk: a folder with a manifest and safetensors parts, so that learning goes on bit by bit as
/// if it had never stopped.
/// </summary>
/// <remarks>
/// A save replaces the bundle at its path as a whole; killed or out of space at any moment, the old bundle stays whole. One
/// writer per path; readers may read meanwhile. Saving inside <see cref="Learner.Learn"/> is allowed between steps, from a
/// progress report on the learner's own thread. See docs/guides/bundles.md for the format.
/// </remarks>
public static class Bundle
{
    /// <summary>The version of the format this library writes; it reads all from 1.</summary>
    public const int FormatVersion = 2;

    internal static readonly string CodeVersion =
        typeof(Bundle).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

    /// <summary>Saves a learner.</summary>
    /// <param name="learner">The learner, between steps.</param>
    /// <param name="path">Folder of the bundle; it is created or replaced.</param>
    /// <param name="info">Where the bundle comes from; null for nothing.</param>
    /// <returns>What was written as its manifest.</returns>
    /// <exception cref="IOException">No space, no permission, or another folder is there; a bundle saved before is as it was.</exception>
    public static BundleManifest Save(Learner learner, string path, BundleInfo? info = null)
    {
        ArgumentNullException.ThrowIfNull(learner);
        ArgumentException.ThrowIfNullOrEmpty(path);
        info ??= new BundleInfo();
        var (parent, parentId) = ManifestJson.Parent(info);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var (parts, states) = Tensors(learner);
        BundleManifest? written = null;
        new BundleFolder(path).Save(
            [.. parts.Select(part => (part.Key, (Action<Stream>)(stream => SafetensorsFile.Write(stream, part.Value))))],
            files =>
            {
                (var json, written) = ManifestJson.Seal(Describe(learner, states, files, info, parentId));
                return json;
            },
            parent);
        return written!;
    }

    /// <summary>Builds a learner as at the start and puts a bundle's state into it.</summary>
    /// <param name="path">Folder of the bundle.</param>
    /// <param name="model">Builds the same model as at the start.</param>
    /// <param name="options">The same options.</param>
    /// <param name="mechanisms">New mechanisms of the same kinds and options, in the same order.</param>
    /// <param name="clock">For progress and timings; null for the system's.</param>
    /// <exception cref="InvalidDataException">A damaged, future or foreign bundle; the message names the part.</exception>
    public static Learner Load(
        string path, Func<ContinualModel> model, LearnerOptions? options = null,
        IReadOnlyList<RetentionMechanism>? mechanisms = null, TimeProvider? clock = null)
    {
        var learner = new Learner(model, options, mechanisms, clock);
        try
        {
            Restore(learner, path);
            return learner;
        }
        catch
        {
            learner.Dispose();
            throw;
        }
    }

    /// <summary>Puts a bundle's state into a learner that was built as at the start and has learnt nothing.</summary>
    /// <param name="learner">The learner.</param>
    /// <param name="path">Folder of the bundle.</param>
    /// <param name="otherOptions">
    /// Whether options other than the scenario may differ from those saved. Never inside an experience.
    /// </param>
    /// <remarks>
    /// All parts are read and checked before the learner is touched. Should a mechanism refuse its state nevertheless, the
    /// learner refuses all further use: it is never half-loaded.
    /// </remarks>
    /// <exception cref="ArgumentException">The learner has learnt something already.</exception>
    /// <exception cref="FileNotFoundException">There is no bundle, or one of its parts is missing.</exception>
    /// <exception cref="InvalidDataException">A damaged, future or foreign bundle; the message names the part.</exception>
    public static void Restore(Learner learner, string path, bool otherOptions = false)
    {
        ArgumentNullException.ThrowIfNull(learner);
        ArgumentException.ThrowIfNullOrEmpty(path);
        learner.CheckWhole();
        if (!learner.IsFresh) throw new ArgumentException("learner: has learnt something, expected a new one", nameof(learner));
        using var content = BundleContent.Read(path);
        Restoration.Run(learner, content, otherOptions);
    }

    /// <summary>Puts what a bundle's model has learnt into a learner that fine-tunes it without any mechanism.</summary>
    internal static void RestoreWithoutMechanisms(Learner learner, string path)
    {
        using var content = BundleContent.Read(path);
        Restoration.Run(learner, content, otherOptions: true, withMechanisms: false);
    }

    /// <summary>Puts what a learner has learnt into a new one whose options may differ, through memory alone.</summary>
    /// <param name="before">The learner, between experiences; it stays as it is.</param>
    /// <param name="successor">Built as it was at the start, of options and mechanisms that may have other settings.</param>
    internal static void Carry(Learner before, Learner successor)
    {
        using var content = ContentOf(before);
        Restoration.Run(successor, content, otherOptions: true);
    }

    /// <summary>Rebuilds the model alone, from the architectures that the library knows (<see cref="Architectures"/>).</summary>
    /// <param name="path">Folder of the bundle.</param>
    /// <param name="logitsOnly">
    /// Whether to load it even though a mechanism takes part in prediction (nearest mean, gates), so that the model alone
    /// predicts otherwise than the learner did.
    /// </param>
    /// <exception cref="InvalidDataException">A damaged, future or unknown bundle; the message names the part.</exception>
    public static LoadedModel LoadModel(string path, bool logitsOnly = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using var content = BundleContent.Read(path, (_, part) => part is "backbone" or "head");
        return Restoration.Model(content, logitsOnly);
    }

    /// <summary>Rebuilds a learner that predicts, and does not learn, with the mechanisms that take part in prediction.</summary>
    /// <param name="path">Folder of the bundle.</param>
    /// <returns>Its <see cref="Learner.Scores"/> are those of the learner that was saved; it refuses to learn and to be saved.</returns>
    /// <exception cref="InvalidDataException">
    /// A damaged, future or unknown bundle, or a mechanism that cannot be made again: one of the caller's, or one whose options an older
    /// Engram did not keep; the message names it.
    /// </exception>
    public static Learner LoadToPredict(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using var content = BundleContent.Read(path, (manifest, part) => part is "backbone" or "head" or "random"
            || manifest.Mechanisms.Any(mechanism => mechanism.Predicts && part == $"mechanism/{mechanism.Name}"));
        return Restoration.Predictor(content);
    }

    /// <summary>What a bundle says of itself; its parts are not read.</summary>
    /// <param name="path">Folder of the bundle.</param>
    /// <exception cref="InvalidDataException">The manifest is damaged, of the future, or of something else.</exception>
    public static BundleManifest ReadManifest(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var folder = new BundleFolder(path);
        var manifest = ManifestJson.Parse(folder.ReadManifest(), folder.ManifestPath);
        ManifestCheck.Check(manifest, folder.ManifestPath);
        return manifest;
    }

    /// <summary>What kind of bundle there is, a learner's or an analytic learner's, and what both say of themselves.</summary>
    /// <param name="path">Folder of the bundle.</param>
    /// <exception cref="FileNotFoundException">There is no bundle.</exception>
    /// <exception cref="InvalidDataException">The manifest is damaged, of the future, or of something else.</exception>
    public static BundleDescription Describe(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var folder = new BundleFolder(path);
        return ManifestJson.FormatOf(folder.ReadManifest(), folder.ManifestPath) == AnalyticManifest.FormatName
            ? BundleDescription.Of(AnalyticBundle.ReadManifest(path), folder.ManifestPath)
            : BundleDescription.Of(ReadManifest(path));
    }

    /// <summary>Notes in a bundle of either kind what was measured on it after it was saved; its parts stay as they are.</summary>
    /// <param name="path">Folder of the bundle.</param>
    /// <param name="metrics">In place of <see cref="BundleLineage.Metrics"/>.</param>
    /// <param name="history">In place of <see cref="BundleLineage.History"/>; null to leave it.</param>
    /// <remarks>The bundle gets another id, so it is done before others name it as their parent. One writer per path.</remarks>
    /// <exception cref="InvalidDataException">The manifest is damaged, of the future, or of something else.</exception>
    public static void AddMeasurements(
        string path, IReadOnlyDictionary<string, double> metrics, IReadOnlyList<LearntPart>? history = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(metrics);
        var (folder, bundle) = (new BundleFolder(path), Describe(path));
        var lineage = bundle.Lineage with
        {
            Metrics = new SortedDictionary<string, double>(metrics.ToDictionary(), StringComparer.Ordinal),
            History = history ?? bundle.Lineage.History,
        };
        var json = bundle.LearnerManifest is { } manifest
            ? ManifestJson.Seal(manifest with { Version = FormatVersion, Lineage = lineage }).Json
            : (bundle.AnalyticManifest! with { Version = AnalyticBundle.FormatVersion, Lineage = lineage }).Seal().Json;
        AtomicFile.Write(folder.ManifestPath, stream => stream.Write(json));
    }

    /// <summary>Deletes a bundle of either kind, damaged or whole. Bundles that share parts with it keep them.</summary>
    /// <param name="path">Folder of the bundle; nothing happens where there is none.</param>
    /// <remarks>
    /// Shared parts are hard links, so each bundle has all of its files by names of its own. The folder is renamed first: killed at
    /// any moment, there is a whole bundle or none, and the next deletion or save at this path clears away the rest. Who has opened a
    /// part may read it to its end, except on Windows, where the deletion fails instead.
    /// </remarks>
    /// <exception cref="IOException">The folder is a link or holds something else than a bundle, or may not be deleted.</exception>
    public static void Delete(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        new BundleFolder(path).Delete();
    }

    /// <summary>Reads every part and checks all that can be checked without the learner.</summary>
    /// <param name="path">Folder of the bundle.</param>
    /// <exception cref="InvalidDataException">Something is damaged; the message names it.</exception>
    public static BundleManifest Verify(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using var content = BundleContent.Read(path);
        return content.Manifest;
    }

    // What would be read, were the learner saved.
    private static BundleContent ContentOf(Learner learner)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var (parts, states) = Tensors(learner);
        var (json, _) = ManifestJson.Seal(Describe(learner, states, [], new BundleInfo(), parentId: null));
        return BundleContent.Copy("learner", ManifestJson.Parse(json, "learner"), parts);
    }

    // Backbone and head apart: versions that differ in the head alone share the backbone's file.
    private static (SortedDictionary<string, Dictionary<string, Tensor>> Parts, MechanismState[] States) Tensors(Learner learner)
    {
        var parts = new SortedDictionary<string, Dictionary<string, Tensor>>(StringComparer.Ordinal)
        {
            ["backbone"] = [],
            ["head"] = [],
            ["random"] = new() { ["torch"] = learner.TorchState },
        };
        foreach (var (name, tensor) in learner.Context.Model.NamedTensors())
            parts[name.StartsWith("head.", StringComparison.Ordinal) ? "head" : "backbone"][name] = tensor;
        if (learner.Best is { Kept.Count: > 0 } best) parts["best"] = new(best.Kept);
        var arena = learner.Context.Arena;
        foreach (var (moment, flat) in learner.Optimizer.Moments)
        {
            if (!parts.TryGetValue("optimizer", out var optimizer)) parts["optimizer"] = optimizer = [];
            foreach (var slot in arena.Slots) optimizer[$"{moment}/{slot.Name}"] = slot.Of(flat);
        }
        var states = new MechanismState[learner.Mechanisms.Count];
        for (var i = 0; i < states.Length; i++)
        {
            learner.Mechanisms[i].Save(states[i] = new MechanismState());
            if (learner.Mechanisms[i].Recipe is { } recipe) states[i].Values[RecipeKey] = Fields(recipe);
            if (states[i].Tensors.Count > 0)
                parts[$"mechanism/{learner.Mechanisms[i].Name}"] = new(states[i].Tensors);
        }
        return (parts, states);
    }

    private static BundleManifest Describe(
        Learner learner, MechanismState[] states, IReadOnlyList<BundlePart> parts, BundleInfo info, string? parentId)
    {
        var (model, state) = (learner.Context.Model, learner.Capture());
        return new BundleManifest(
            BundleManifest.FormatName, FormatVersion, "",
            new BundleModel(
                model.Backbone.Architecture, model.Head.Architecture, model.Backbone.FeatureCount, model.Head.Growth,
                Fields(model.Scaling)),
            [.. learner.Context.Classes.Classes.Select(key => new BundleClass(key.Label.Name, key.Task))],
            new BundleLearner(
                Fields(learner.Context.Options), state.InputShape, state.InputType, state.TargetKind, state.Learnt,
                state.Completed, state.KnownBefore, state.Cursor, state.Tally),
            new BundleOptimizer(
                learner.Optimizer.Steps, learner.Optimizer.LearningRate,
                [.. learner.Optimizer.Moments.Keys.Order(StringComparer.Ordinal)]),
            [.. learner.Mechanisms.Zip(states, (mechanism, saved) => new BundleMechanism(
                mechanism.Name, (mechanism.Seams & (Seams.Prediction | Seams.Forward)) != 0, saved.Values))],
            BundleLineage.Of(info, parentId),
            parts);
    }

    /// <summary>Where the values of a mechanism hold its options; unknown to bundles of Engram 0.1.</summary>
    internal const string RecipeKey = "options";

    internal static JsonObject Fields(object record) =>
        (JsonObject)JsonSerializer.SerializeToNode(record, record.GetType(), ManifestJson.Options)!;
}
