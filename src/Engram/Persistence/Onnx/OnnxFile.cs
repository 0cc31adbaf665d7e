using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Engram.Analytic;
using Engram.Models;
using Engram.Retention;

namespace Engram.Persistence.Onnx;

/// <summary>Writes a model as an ONNX file, for ONNX Runtime and others: input scaling, backbone and head.</summary>
/// <remarks>
/// <para>Input <c>input</c>: samples as stored, uint8 or float32 as the model learnt them, <c>[batch, ...]</c> with any batch.
/// Where a task must be named (<see cref="LoadedModel.NeedsTask"/>), also <c>task</c>, int64 <c>[1]</c>.</para>
/// <para>Output <c>scores</c>: float32 <c>[batch, classes]</c> as <see cref="Learning.Prediction.Scores"/>: logits, or values in a
/// regression; minus infinity for the outputs of other tasks.</para>
/// <para>An <see cref="AnalyticLearner"/> is written with its extractor; its scores are those of
/// <see cref="AnalyticLearner.Scores"/>, and the metadata also has <c>temperature</c>, by which they are divided before a softmax.</para>
/// <para>Metadata: <c>labels</c>, a JSON array of the names in the order of the outputs; <c>tasks</c>, their tasks, where there are
/// any; <c>kind</c>, what the scores stand for; <c>bundle</c>, the id of the bundle; <c>precision</c>, what the learner computed in where
/// it was not float32, which the file always computes in.</para>
/// <para>Opset 17. The tests compare every backbone and head with <see cref="LoadedModel.Predict"/> through ONNX Runtime.</para>
/// </remarks>
public static class OnnxFile
{
    private const int IrVersion = 8, Opset = 17; // of ONNX 1.12, which runtimes since 2022 read

    private static readonly JsonSerializerOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Why the model of a bundle cannot be written faithfully, or null.</summary>
    /// <param name="manifest">What the bundle says of itself.</param>
    public static string? WhyNot(BundleManifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        if (manifest.Learner.InputShape is null || manifest.Classes.Count == 0) return "has learnt nothing, expected a model that knows a class";
        if (manifest.Mechanisms.FirstOrDefault(mechanism => mechanism.Predicts && !HasForm(mechanism)) is { } other)
            return $"mechanism {other.Name} takes part in prediction and has no form in ONNX, expected mechanisms that leave prediction to the model, "
                + "an analytic head or progressive networks";
        if (!Architectures.IsKnown(manifest.Model.Backbone))
            return $"backbone {manifest.Model.Backbone} cannot be rebuilt without the code that made it, expected one of the library's";
        return Architectures.IsKnownHead(manifest.Model.Head)
            ? null
            : $"head {manifest.Model.Head} cannot be rebuilt without the code that made it, expected linear or cosine";
    }

    /// <summary>Writes what a bundle of either kind predicts by, whole or not at all.</summary>
    /// <param name="path">The file to create or replace.</param>
    /// <param name="bundle">Folder of the bundle.</param>
    /// <remarks>Also where an <see cref="AnalyticHead"/> or <see cref="ProgressiveNetworks"/> takes part in prediction.</remarks>
    /// <exception cref="NotSupportedException">It cannot be written faithfully, see <see cref="WhyNot"/>.</exception>
    /// <exception cref="InvalidDataException">The bundle is damaged, of the future or unknown.</exception>
    public static void Write(string path, string bundle)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var description = Bundle.Describe(bundle);
        if (description.LearnerManifest is not { } manifest)
        {
            using var learner = AnalyticBundle.Load(bundle);
            Write(path, learner, description.Id);
            return;
        }
        if (WhyNot(manifest) is { } reason) throw new NotSupportedException(reason);
        if (!manifest.Mechanisms.Any(mechanism => mechanism.Predicts))
        {
            using var model = Bundle.LoadModel(bundle);
            Write(path, model);
            return;
        }
        using var predictor = Bundle.LoadToPredict(bundle);
        var (inputs, kind) = (manifest.Learner.InputShape, manifest.Learner.TargetKind);
        // Its parts are the learner's and go with it.
        var file = Build(new LoadedModel(predictor.Context.Model, predictor.Classes, inputs, kind, manifest), predictor.Mechanisms.Single());
        AtomicFile.Write(path, file.CopyTo);
    }

    /// <summary>Writes a file, whole or not at all.</summary>
    /// <param name="path">The file to create or replace.</param>
    /// <param name="model">The model.</param>
    /// <exception cref="NotSupportedException">The model has learnt nothing, or has a part that is not of the library.</exception>
    public static void Write(string path, LoadedModel model)
    {
        var file = Build(model);
        AtomicFile.Write(path, file.CopyTo);
    }

    /// <summary>Writes to a stream.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="model">The model.</param>
    /// <exception cref="NotSupportedException">The model has learnt nothing, or has a part that is not of the library.</exception>
    public static void Write(Stream stream, LoadedModel model)
    {
        ArgumentNullException.ThrowIfNull(stream);
        Build(model).CopyTo(stream);
    }

    /// <summary>Writes an analytic learner as a file, whole or not at all.</summary>
    /// <param name="path">The file to create or replace.</param>
    /// <param name="learner">The learner.</param>
    /// <param name="bundle">Id of the bundle that it comes from, for the metadata; null for none.</param>
    /// <exception cref="NotSupportedException">It has learnt nothing, the shape of its inputs is not known, or its extractor is not of the library.</exception>
    public static void Write(string path, AnalyticLearner learner, string? bundle = null)
    {
        var file = Build(learner, bundle);
        AtomicFile.Write(path, file.CopyTo);
    }

    private static ProtoMessage Build(AnalyticLearner learner, string? bundle)
    {
        ArgumentNullException.ThrowIfNull(learner);
        if (!learner.HasLearnt) throw new NotSupportedException("learner: has learnt nothing, expected one that knows a class");
        if (learner is not { InputShape: { } shape, InputType: { } type })
            throw new NotSupportedException("learner: its bundle is of version 1, which does not say what a sample is; expected one saved since");
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var graph = new OnnxGraph();
        var scaled = Scaled(graph, learner.Scaling, shape, type);
        var scores = Analytic(graph, learner, learner.Classes.Count, scaled, shape);
        return Finish(graph, scores, learner.Classes.Count, Bundle.CodeVersion,
        [
            ("labels", JsonSerializer.Serialize(learner.Classes.Classes.Select(key => key.Label.Name), s_json)),
            ("kind", "classes"),
            ("temperature", learner.Temperature.ToString("R", CultureInfo.InvariantCulture)),
            ("bundle", bundle ?? ""),
        ]);
    }

    private static string Scaled(OnnxGraph graph, InputScaling scaling, IReadOnlyList<long> shape, ScalarType type)
    {
        var input = graph.Input("input", type == ScalarType.Byte ? OnnxGraph.Byte : OnnxGraph.Float, [null, .. shape.Select(size => (long?)size)]);
        return OnnxScaling.Add(graph, scaling, input, shape, type);
    }

    private static bool HasForm(BundleMechanism mechanism) =>
        mechanism.Name == "progressive" || (mechanism.Values[Bundle.RecipeKey] as JsonObject)?["learner"] is not null;

    private static ProtoMessage Build(LoadedModel model, RetentionMechanism? predicting = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model.InputShape is not { } shape || model.Manifest.Learner.InputType is not { } type || model.Classes.Count == 0)
            throw new NotSupportedException("model: has learnt nothing, expected a model that knows a class");
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var graph = new OnnxGraph();
        var scaled = Scaled(graph, model.Model.Scaling, shape, type);
        var scores = predicting switch
        {
            AnalyticHead { Learner: { HasLearnt: true } learner } => Analytic(graph, learner, model.Classes.Count,
                OnnxBackbones.Add(graph, model.Model.Backbone, scaled, shape), [model.Model.Backbone.FeatureCount]),
            ProgressiveNetworks networks => Progressive(graph, model, networks, scaled),
            _ => OnnxHeads.Add(graph, model.Model.Head, OnnxBackbones.Add(graph, model.Model.Backbone, scaled, shape)),
        };
        if (model.NeedsTask)
            scores = OnnxHeads.OfTask(graph, [.. model.Classes.Classes.Select(key => key.Task ?? -1L)], scores);
        return Finish(graph, scores, model.Classes.Count, model.Manifest.Lineage.CodeVersion, Metadata(model));
    }

    private static string Analytic(OnnxGraph graph, AnalyticLearner learner, int classes, string inputs, IReadOnlyList<long> shape)
    {
        var form = learner.Form();
        return form.Offset.size(0) == classes
            ? OnnxAnalytic.Scores(graph, form, OnnxAnalytic.Features(graph, learner.Features, inputs, shape))
            : throw new NotSupportedException(
                $"learner: was interrupted with {form.Offset.size(0)} of {classes} classes summed, expected one that learnt its experience to the end");
    }

    private static string Progressive(OnnxGraph graph, LoadedModel model, ProgressiveNetworks networks, string scaled)
    {
        var features = OnnxBackbones.Columns(graph, (ProgressiveMlp)model.Model.Backbone, scaled);
        return OnnxHeads.OfColumns(graph, [.. model.Classes.Classes.Select(key => (long)networks.ColumnOf[key.Task!.Value])],
            [.. features.Select((own, column) => OnnxHeads.Add(graph, model.Model.Head, own, $"head.column{column}"))]);
    }

    private static ProtoMessage Finish(
        OnnxGraph graph, string scores, int classes, string codeVersion, IEnumerable<(string Key, string Value)> metadata)
    {
        graph.Node("Identity", "scores", [scores]);
        graph.Output("scores", OnnxGraph.Float, null, classes);
        var file = new ProtoMessage().Number(1, IrVersion).Text(2, "Engram").Text(3, codeVersion)
            .Message(7, graph.Message).Message(8, new ProtoMessage().Text(1, "").Number(2, Opset));
        foreach (var (key, value) in metadata) file.Message(14, new ProtoMessage().Text(1, key).Text(2, value));
        return file;
    }

    private static IEnumerable<(string Key, string Value)> Metadata(LoadedModel model)
    {
        var classes = model.Classes.Classes;
        yield return ("labels", JsonSerializer.Serialize(classes.Select(key => key.Label.Name), s_json));
        if (classes.Any(key => key.Task is not null)) yield return ("tasks", JsonSerializer.Serialize(classes.Select(key => key.Task)));
        yield return ("kind", JsonNamingPolicy.CamelCase.ConvertName(model.TargetKind.ToString()));
        yield return ("bundle", model.Manifest.Id);
        if (model.Model.Precision is not Precision.Float32 and var precision)
            yield return ("precision", JsonNamingPolicy.CamelCase.ConvertName(precision.ToString()));
    }
}
