using System.Text.Json;
using System.Text.Json.Nodes;
using Engram.Persistence;

namespace Engram.Analytic;

/// <summary>What every analytic learner keeps besides its statistics, read without trusting it.</summary>
/// <param name="Labels">Labels by id.</param>
/// <param name="Learnt">Experiences learnt to their end.</param>
/// <param name="Cursor">The experience that was interrupted, and how many of its samples were summed; else null.</param>
/// <param name="Temperature">T of the softmax.</param>
/// <param name="InputShape">Shape of one sample; null if unknown.</param>
/// <param name="InputType">Byte or Float32; null if unknown.</param>
internal sealed record AnalyticValues(
    IReadOnlyList<string> Labels, IReadOnlyList<int> Learnt, (int Experience, int Samples)? Cursor, double Temperature,
    IReadOnlyList<long>? InputShape, ScalarType? InputType)
{
    public void Write(JsonObject values)
    {
        values["labels"] = new JsonArray([.. Labels.Select(label => JsonValue.Create(label))]);
        values["learnt"] = new JsonArray([.. Learnt.Select(index => JsonValue.Create(index))]);
        values["temperature"] = Temperature;
        if (Cursor is { } cursor) values["cursor"] = new JsonArray(cursor.Experience, cursor.Samples);
        if (InputShape is null) return;
        values["inputShape"] = new JsonArray([.. InputShape.Select(size => JsonValue.Create(size))]);
        values["inputType"] = JsonNamingPolicy.CamelCase.ConvertName($"{InputType}");
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <param name="values">Where from.</param>
    /// <param name="what">Whose, for messages.</param>
    /// <exception cref="InvalidDataException">Something is missing, of another kind or out of range.</exception>
    public static AnalyticValues Read(JsonObject values, string what)
    {
        AnalyticValues read;
        try
        {
            read = new AnalyticValues(
                values.List<string>("labels"),
                values.List<int>("learnt"),
                values["cursor"] is null ? null : values.List<int>("cursor") is [var experience, var samples]
                    ? (experience, samples)
                    : throw new FormatException("cursor: expected two numbers"),
                values.Value("temperature", 1.0),
                values["inputShape"] is null ? null : values.List<long>("inputShape"),
                values["inputType"] is null ? null : TypeOf(values.Value<string>("inputType")));
        }
        catch (FormatException problem)
        {
            throw new InvalidDataException($"{what}: {problem.Message}", problem);
        }
        if (read.Labels.Any(label => label.Length == 0) || read.Labels.Distinct().Count() != read.Labels.Count)
            throw new InvalidDataException($"{what}: labels: one is empty or occurs twice, expected different names");
        if (!(read.Temperature > 0) || !double.IsFinite(read.Temperature))
            throw new InvalidDataException($"{what}: temperature: {read.Temperature}, expected a positive number");
        if (read.Learnt.Any(index => index < 0) || read.Learnt.Distinct().Count() != read.Learnt.Count)
            throw new InvalidDataException($"{what}: learnt: expected different numbers from 0");
        if (read.Cursor is { } cursor && (cursor.Experience < 0 || cursor.Samples < 0 || read.Learnt.Contains(cursor.Experience)))
            throw new InvalidDataException($"{what}: cursor: {cursor}, expected an experience not yet learnt and a number of samples");
        if ((read.InputShape is null) != (read.InputType is null)
            || read.InputShape is { } shape && !(ManifestCheck.IsShape(shape) && shape.All(size => size > 0)))
            throw new InvalidDataException($"{what}: inputShape and inputType, expected both, with 1 to {int.MaxValue} numbers in a sample");
        return read;
    }

    private static ScalarType TypeOf(string name) => name switch
    {
        "byte" => ScalarType.Byte,
        "float32" => ScalarType.Float32,
        _ => throw new FormatException($"inputType: {name}, expected byte or float32"),
    };
}
