using System.Text.Encodings.Web;
using System.Text.Json;
using Engram.Models;

namespace Engram.Persistence.Onnx;

/// <summary>Writes a model as an ONNX file, for ONNX Runtime and others: input scaling, backbone and head.</summary>
/// <remarks>
/// <para>Input <c>input</c>: samples as stored, uint8 or float32 as the model learnt them, <c>[batch, ...]</c> with any batch.
/// Where a task must be named (<see cref="LoadedModel.NeedsTask"/>), also <c>task</c>, int64 <c>[1]</c>.</para>
/// <para>Output <c>scores</c>: float32 <c>[batch, classes]</c> as <see cref="Learning.Prediction.Scores"/>: logits, or values in a
/// regression; minus infinity for the outputs of other tasks.</para>
/// <para>Metadata: <c>labels</c>, a JSON array of the names in the order of the outputs; <c>tasks</c>, their tasks, where there are
/// any; <c>kind</c>, what the scores stand for; <c>bundle</c>, the id of the bundle.</para>
/// <para>Opset 17. The tests compare every backbone and head with <see cref="LoadedModel.Predict"/> through ONNX Runtime.</para>
/// </remarks>
public static class OnnxFile
{
    private const int IrVersion = 8, Opset = 17; // of ONNX 1.12, which runtimes since 2022 read
    private const long MaxNumbers = 500_000_000; // a message of protocol buffers ends at 2 GB

    private static readonly JsonSerializerOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Why the model of a bundle cannot be written faithfully, or null.</summary>
    /// <param name="manifest">What the bundle says of itself.</param>
    public static string? WhyNot(BundleManifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        if (manifest.Learner.InputShape is null || manifest.Classes.Count == 0) return "has learnt nothing, expected a model that knows a class";
        if (manifest.Mechanisms.FirstOrDefault(mechanism => mechanism.Predicts) is { } other)
            return $"mechanism {other.Name} takes part in prediction and has no form in ONNX, expected mechanisms that leave prediction to the model";
        if (!Architectures.IsKnown(manifest.Model.Backbone))
            return $"backbone {manifest.Model.Backbone} cannot be rebuilt without the code that made it, expected Mlp, DigitsCnn, LeNet5 or ResNet";
        return Architectures.IsKnownHead(manifest.Model.Head)
            ? null
            : $"head {manifest.Model.Head} cannot be rebuilt without the code that made it, expected linear or cosine";
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

    private static ProtoMessage Build(LoadedModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model.InputShape is not { } shape || model.Manifest.Learner.InputType is not { } type || model.Classes.Count == 0)
            throw new NotSupportedException("model: has learnt nothing, expected a model that knows a class");
        var numbers = model.Model.NamedTensors().Sum(pair => pair.Tensor.numel());
        if (numbers > MaxNumbers)
            throw new NotSupportedException($"model: {numbers} numbers, expected at most {MaxNumbers} in one ONNX file");

        var graph = new OnnxGraph();
        var input = graph.Input("input", type == ScalarType.Byte ? OnnxGraph.Byte : OnnxGraph.Float, [null, .. shape.Select(size => (long?)size)]);
        var scaled = OnnxScaling.Add(graph, model.Model.Scaling, input, shape, type);
        var scores = OnnxHeads.Add(graph, model.Model.Head, OnnxBackbones.Add(graph, model.Model.Backbone, scaled));
        if (model.NeedsTask)
            scores = OnnxHeads.OfTask(graph, [.. model.Classes.Classes.Select(key => key.Task ?? -1L)], scores);
        graph.Node("Identity", "scores", [scores]);
        graph.Output("scores", OnnxGraph.Float, null, model.Classes.Count);

        var file = new ProtoMessage().Number(1, IrVersion).Text(2, "Engram").Text(3, model.Manifest.Lineage.CodeVersion)
            .Message(7, graph.Message).Message(8, new ProtoMessage().Text(1, "").Number(2, Opset));
        foreach (var (key, value) in Metadata(model)) file.Message(14, new ProtoMessage().Text(1, key).Text(2, value));
        return file;
    }

    private static IEnumerable<(string Key, string Value)> Metadata(LoadedModel model)
    {
        var classes = model.Classes.Classes;
        yield return ("labels", JsonSerializer.Serialize(classes.Select(key => key.Label.Name), s_json));
        if (model.NeedsTask) yield return ("tasks", JsonSerializer.Serialize(classes.Select(key => key.Task)));
        yield return ("kind", JsonNamingPolicy.CamelCase.ConvertName(model.TargetKind.ToString()));
        yield return ("bundle", model.Manifest.Id);
    }
}
