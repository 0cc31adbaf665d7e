using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Engram.Data;
using TorchSharp;

namespace Engram.Cli.Commands;

/// <summary>Predicts samples and says what came out, one row each.</summary>
/// <param name="model">The model.</param>
/// <param name="top">How many labels of each; null for all that apply (or all values).</param>
internal sealed class PredictedRows(PredictingModel model, int? top)
{
    private const float Applies = 0.5f;

    /// <summary>The rows of a batch.</summary>
    /// <param name="samples">The batch.</param>
    /// <param name="first">Number of its first sample.</param>
    /// <param name="files">Names of its files, where each sample has one.</param>
    /// <param name="task">The task, where the model needs one.</param>
    public IEnumerable<PredictedRow> Of(torch.Tensor samples, long first, string[]? files, int? task)
    {
        using var scope = torch.NewDisposeScope();
        using var prediction = model.Predict(samples, model.NeedsTask ? task : null);
        using var all = prediction.Probabilities();
        var (outputs, values) = ((int)all.size(1), all.data<float>().ToArray());
        // Minus infinity, and nothing of a softmax or sigmoid, stands for an output of another task.
        var own = Enumerable.Range(0, outputs).Where(id => !model.NeedsTask || model.Classes.Classes[id].Task == task).ToArray();
        return [.. Enumerable.Range(0, values.Length / outputs).Select(row => Row(
            first + row, files?[row], [.. own.Select(id => new PredictedOutput(model.Classes.LabelOf(id).Name, values[(row * outputs) + id]))]))];
    }

    private PredictedRow Row(long index, string? file, PredictedOutput[] outputs)
    {
        if (model.Kind == TargetKind.Regression) return new(index, file, model.Kind, outputs, []);
        // Of equals the first, as argmax has it.
        var best = outputs.OrderByDescending(output => output.Value).Take(top ?? outputs.Length).ToArray();
        return new(index, file, model.Kind, top is null ? [.. best.Where(output => output.Value >= Applies)] : best,
            [.. outputs.Where(output => output.Value >= Applies).Select(output => output.Label)]);
    }
}

/// <summary>One output.</summary>
/// <param name="Label">Its label.</param>
/// <param name="Value">Its probability, or its value.</param>
internal sealed record PredictedOutput(string Label, float Value);

/// <summary>What is said of one sample.</summary>
/// <param name="Index">Its number.</param>
/// <param name="File">Its file, where it has one of its own.</param>
/// <param name="Kind">What the outputs stand for.</param>
/// <param name="Outputs">Those to show, in order.</param>
/// <param name="Labels">Labels that apply, where several may.</param>
internal sealed record PredictedRow(long Index, string? File, TargetKind Kind, PredictedOutput[] Outputs, string[] Labels)
{
    private static readonly JsonSerializerOptions s_json = new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    /// <summary>A line for people and tables.</summary>
    public string Plain() => string.Join('\t', (string[])[
        File ?? Index.ToString(CultureInfo.InvariantCulture),
        .. Outputs.SelectMany(output => (string[])[output.Label, Text(output.Value)])]);

    /// <summary>A JSON object.</summary>
    public string Json() => Kind switch
    {
        TargetKind.Regression => JsonSerializer.Serialize(new
        {
            index = Index,
            file = File,
            values = new JsonObject(Outputs.Select(output => KeyValuePair.Create(output.Label, (JsonNode?)output.Value))),
        }, s_json),
        TargetKind.MultiLabel => JsonSerializer.Serialize(new { index = Index, file = File, labels = Labels, top = Top() }, s_json),
        _ => JsonSerializer.Serialize(
            new { index = Index, file = File, label = Outputs[0].Label, probability = Outputs[0].Value, top = Top() }, s_json),
    };

    // A probability has four places; a value may be of any size.
    private string Text(float value) => value.ToString(Kind == TargetKind.Regression ? "G7" : "0.0000", CultureInfo.InvariantCulture);

    private object[] Top() => [.. Outputs.Select(output => new { label = output.Label, probability = output.Value })];
}
