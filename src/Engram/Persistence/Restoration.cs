using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;

namespace Engram.Persistence;

/// <summary>Brings a checked bundle into a learner or a model: first everything that can be refused, then everything that changes.</summary>
internal static class Restoration
{
    public static void Run(Learner learner, BundleContent content, bool otherOptions, bool withMechanisms = true)
    {
        CheckFits(learner, content, withMechanisms ? content.Manifest.Mechanisms : []);
        CheckOptions(learner, content, otherOptions, withMechanisms);
        Fill(learner, content, content.Manifest.Mechanisms, learns: true);
    }

    /// <summary>A learner that predicts only, made from the bundle alone.</summary>
    public static Learner Predictor(BundleContent content)
    {
        var manifest = content.Manifest;
        BundleMechanism[] predicting = [.. manifest.Mechanisms.Where(mechanism => mechanism.Predicts)];
        var (mechanisms, model, learner) = (new List<RetentionMechanism>(), (ContinualModel?)null, (Learner?)null);
        using var scope = NewDisposeScope();
        try
        {
            foreach (var saved in predicting) mechanisms.Add(PredictingMechanisms.Of(saved, StateOf(saved, content)));
            learner = new Learner(() => model = NewModel(content), PredictingMechanisms.OptionsOf(manifest), mechanisms);
            CheckFits(learner, content, predicting);
            Fill(learner, content, predicting, learns: false);
            learner.OnlyPredicts = true;
            return learner;
        }
        catch (Exception problem)
        {
            if (learner is not null) learner.Dispose();
            else
            {
                foreach (var mechanism in mechanisms) mechanism.Dispose();
                model?.Dispose();
            }
            if (IsRefusal(problem)) throw new InvalidDataException($"{content.Path}: {problem.Message}", problem);
            throw;
        }
    }

    private static void Fill(Learner learner, BundleContent content, IReadOnlyList<BundleMechanism> kept, bool learns)
    {
        var saved = content.Manifest.Learner;
        var state = new LearnerState(
            saved.Learnt, saved.Completed, saved.KnownBefore, saved.Cursor, saved.InputShape, saved.InputType,
            saved.TargetKind, saved.Tally);
        var mechanisms = learner.Mechanisms.Zip(kept.Select(mechanism => StateOf(mechanism, content))).ToArray();
        learner.Restore(state, content["random"]["torch"], () =>
        {
            using var scope = NewDisposeScope();
            Register(content.Manifest, learner.Context.Classes);
            Grow(learner.Context.Model.Head, content.Manifest.Model.Growth);
            foreach (var (mechanism, values) in mechanisms)
                Load(content, mechanism, () => mechanism.Restructure(learner.Context, values));
            learner.Context.Model.ApplyFreezing(state.Completed);
            learner.Context.Arena.Rebuild();
            Fill(learner.Context.Model, content);
            if (learns)
            {
                RestoreOptimizer(learner, content);
                RestoreBest(learner, content);
            }
            learner.Context.Targets.RefreshMask();
            foreach (var (mechanism, values) in mechanisms)
                Load(content, mechanism, () => mechanism.Load(learner.Context, values));
        });
    }

    public static LoadedModel Model(BundleContent content, bool logitsOnly)
    {
        var (manifest, description) = (content.Manifest, content.Manifest.Model);
        if (!logitsOnly && manifest.Mechanisms.FirstOrDefault(mechanism => mechanism.Predicts) is { } other)
            throw new InvalidDataException(
                $"{content.Path}: mechanism {other.Name} takes part in prediction, expected to be loaded with its learner");
        // What is refused half-way goes with this scope.
        using var scope = NewDisposeScope();
        try
        {
            var model = NewModel(content);
            Grow(model.Head, description.Growth);
            Fill(model, content);
            model.Precision = PrecisionOf(manifest);
            model.eval();
            var classes = new ClassRegistry();
            Register(manifest, classes);
            foreach (var (_, tensor) in model.NamedTensors()) tensor.DetachFromDisposeScope();
            return new LoadedModel(model, classes, manifest.Learner.InputShape, manifest.Learner.TargetKind, manifest);
        }
        catch (Exception problem) when (IsRefusal(problem))
        {
            throw new InvalidDataException($"{content.Path}: model: {problem.Message}", problem);
        }
    }

    private static bool IsRefusal(Exception problem) =>
        problem is FormatException or JsonException or ArgumentException or ExternalException or InvalidOperationException;

    // As at the start, with what torch draws for it; no class is known.
    private static ContinualModel NewModel(BundleContent content)
    {
        var description = content.Manifest.Model;
        var scaling = description.Scaling.Deserialize<InputScaling>(ManifestJson.Options)!;
        var backbone = Architectures.Backbone(
            description.Backbone, content["backbone"].Values.Sum(tensor => tensor.numel()));
        if (backbone.FeatureCount != description.Features)
            throw new FormatException($"{description.Backbone} gives {backbone.FeatureCount} features, expected {description.Features}");
        return new ContinualModel(backbone, Architectures.Head(description.Head, description.Features), scaling);
    }

    // Scores are those of the learner only in what it computed in.
    internal static Precision PrecisionOf(BundleManifest manifest) =>
        manifest.Learner.Options["precision"] is { } precision ? precision.Deserialize<Precision>(ManifestJson.Options) : Precision.Float32;

    // A head of the caller's may keep something for every growth; for those of the library, thousands would cost their square.
    private static void Grow(IncrementalHead head, IReadOnlyList<int> growth)
    {
        if (Architectures.IsKnownHead(head.Architecture)) head.GrowAs(growth);
        else
            foreach (var rows in growth) head.Grow(rows);
    }

    private static void CheckFits(Learner learner, BundleContent content, IReadOnlyList<BundleMechanism> kept)
    {
        var (manifest, model) = (content.Manifest, learner.Context.Model);
        Same(content, "backbone", manifest.Model.Backbone, model.Backbone.Architecture);
        Same(content, "head", manifest.Model.Head, model.Head.Architecture);
        Same(content, "features", $"{manifest.Model.Features}", $"{model.Backbone.FeatureCount}");
        Same(content, "scaling", manifest.Model.Scaling.ToJsonString(), Bundle.Fields(model.Scaling).ToJsonString());
        Same(content, "mechanisms", Names(kept.Select(m => m.Name)), Names(learner.Mechanisms.Select(m => m.Name)));
        // The shapes that this learner has now; more tensors may come when mechanisms bring the model to its structure.
        foreach (var (name, tensor) in model.NamedTensors().Where(pair => !IsHead(pair.Name)))
            CheckShape(name, tensor, content["backbone"], "backbone", content);
    }

    private static void CheckOptions(Learner learner, BundleContent content, bool otherOptions, bool withMechanisms)
    {
        var manifest = content.Manifest;
        var othersAllowed = otherOptions && manifest.Learner.Cursor is null;
        var (saved, here) = (manifest.Learner.Options, Bundle.Fields(learner.Context.Options));
        var standard = Bundle.Fields(new LearnerOptions());
        foreach (var name in here.Select(pair => pair.Key).Union(saved.Select(pair => pair.Key)))
        {
            // An option younger than the bundle had its default.
            var then = saved.ContainsKey(name) ? saved[name] : standard[name];
            var free = othersAllowed && name != "scenario";
            if (!free && !JsonNode.DeepEquals(then, here[name])) Same(content, $"option {name}", Text(then), Text(here[name]));
        }
        if (!withMechanisms || othersAllowed) return;
        foreach (var (mechanism, kept) in learner.Mechanisms.Zip(manifest.Mechanisms))
        {
            // Older bundles do not tell, and nobody tells of options that are younger than they are.
            if (mechanism.Recipe is not { } recipe || kept.Values[Bundle.RecipeKey] is not JsonObject then) continue;
            foreach (var (name, value) in Bundle.Fields(recipe))
                if (then.ContainsKey(name) && !JsonNode.DeepEquals(then[name], value))
                    Same(content, $"option {name} of {mechanism.Name}", Text(then[name]), Text(value));
        }
    }

    private static void Same(BundleContent content, string what, string saved, string here)
    {
        if (saved != here) throw new InvalidDataException($"{content.Path}: {what}: {saved}, expected {here} as in this learner");
    }

    private static void CheckShapes(
        IEnumerable<(string Name, Tensor Tensor)> model, IReadOnlyDictionary<string, Tensor> saved, string part, BundleContent content)
    {
        var expected = model.ToDictionary(pair => pair.Name, pair => pair.Tensor);
        foreach (var name in saved.Keys.Except(expected.Keys))
            throw content.Bad(part, $"tensor {name}, expected only those of the model");
        foreach (var (name, tensor) in expected) CheckShape(name, tensor, saved, part, content);
    }

    private static void CheckShape(
        string name, Tensor tensor, IReadOnlyDictionary<string, Tensor> saved, string part, BundleContent content)
    {
        if (!saved.TryGetValue(name, out var given)) throw content.Bad(part, $"tensor {name} is missing");
        if (given.dtype != tensor.dtype || !given.shape.SequenceEqual(tensor.shape))
            throw content.Bad(part,
                $"tensor {name}: {given.dtype} [{string.Join(", ", given.shape)}], "
                + $"expected {tensor.dtype} [{string.Join(", ", tensor.shape)}]");
    }

    private static void Register(BundleManifest manifest, ClassRegistry classes)
    {
        foreach (var (label, task) in manifest.Classes) classes.Register(new Label(label), task);
    }

    private static void Fill(ContinualModel model, BundleContent content)
    {
        using var _ = no_grad();
        CheckShapes(model.NamedTensors().Where(pair => !IsHead(pair.Name)), content["backbone"], "backbone", content);
        CheckShapes(model.NamedTensors().Where(pair => IsHead(pair.Name)), content["head"], "head", content);
        var saved = content.ModelTensors.ToDictionary(pair => pair.Key, pair => pair.Value);
        foreach (var (name, tensor) in model.NamedTensors()) tensor.copy_(saved[name]);
    }

    private static void RestoreOptimizer(Learner learner, BundleContent content)
    {
        using var _ = no_grad();
        var (arena, saved, optimizer) = (learner.Context.Arena, content["optimizer"], content.Manifest.Optimizer);
        var moments = new Dictionary<string, Tensor>();
        foreach (var moment in optimizer.Moments)
        {
            moments[moment] = empty(arena.Length);
            foreach (var slot in arena.Slots)
                slot.Of(moments[moment]).copy_(saved.TryGetValue($"{moment}/{slot.Name}", out var values)
                    ? values
                    : throw content.Bad("optimizer", $"tensor {moment}/{slot.Name} is missing"));
        }
        learner.Optimizer.Restore(optimizer.Steps, moments);
        learner.Optimizer.LearningRate = optimizer.LearningRate;
    }

    private static void RestoreBest(Learner learner, BundleContent content)
    {
        var saved = content["best"];
        if (saved.Count == 0) return;
        if (learner.Best is not { } best) throw content.Bad("best", "expected none without EarlyStopping");
        CheckShapes(learner.Context.Model.NamedTensors(), saved, "best", content);
        best.Keep(saved.Select(pair => (pair.Key, pair.Value)));
    }

    private static MechanismState StateOf(BundleMechanism saved, BundleContent content)
    {
        var state = new MechanismState
        {
            Values = (JsonObject)saved.Values.DeepClone(),
            ModelNumbers = content.ModelTensors.Sum(pair => pair.Value.numel()),
            Classes = content.Manifest.Classes.Count,
            InputShape = content.Manifest.Learner.InputShape,
        };
        foreach (var (name, tensor) in content[$"mechanism/{saved.Name}"]) state.Tensors[name] = tensor;
        return state;
    }

    private static void Load(BundleContent content, RetentionMechanism mechanism, Action load)
    {
        try
        {
            load();
        }
        catch (Exception problem) when (problem is not OutOfMemoryException)
        {
            throw content.Bad($"mechanism/{mechanism.Name}", $"its state does not fit ({problem.Message})");
        }
    }

    private static bool IsHead(string name) => name.StartsWith("head.", StringComparison.Ordinal);

    private static string Names(IEnumerable<string> names) => $"[{string.Join(", ", names)}]";

    private static string Text(JsonNode? node) => node?.ToJsonString() ?? "null";
}
