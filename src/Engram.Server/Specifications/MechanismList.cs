using System.Text.Json;
using System.Text.Json.Serialization;
using Engram.Retention;
using static Engram.Server.Specifications.SpecificationCheck;

namespace Engram.Server.Specifications;

/// <summary>Mechanisms as a specification lists them: a name, or a name with its options, as in a file of <c>engram run</c>.</summary>
internal static class MechanismList
{
    private const int Most = 10;

    private static readonly JsonSerializerOptions s_options = new(JsonSerializerOptions.Strict)
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false) },
    };

    /// <summary>The strategy of a model's mechanisms.</summary>
    /// <exception cref="SpecificationException">One is wrong; the field is its place in the list.</exception>
    public static Strategy StrategyOf(IReadOnlyList<JsonElement> mechanisms)
    {
        Between("model.mechanisms", mechanisms.Count, 1, Most, "mechanisms");
        var parts = mechanisms.Select((listed, i) => Read($"model.mechanisms[{i}]", listed)).ToArray();
        return new Strategy("mechanisms", "Mechanisms", "As the specification lists them.", _ => [.. parts.Select(part => part())]);
    }

    private static Func<RetentionMechanism> Read(string field, JsonElement listed)
    {
        var (name, settings) = Split(field, listed);
        var kind = MechanismKind.All.FirstOrDefault(known => known.Name == name)
            ?? throw Wrong(field, Short(name), $"one of {string.Join(", ", MechanismKind.All.Select(known => known.Name))}");
        var inside = $"{field}.{name}";
        if (settings is not null && kind.OptionsType is null) throw Wrong(inside, "options", "none, for it has none");
        try
        {
            var options = settings?.Deserialize(kind.OptionsType!, s_options);
            kind.Create(options).Dispose();
            return () => kind.Create(options);
        }
        catch (ArgumentException problem)
        {
            throw Wrong(inside, "out of range", $"options in range ({problem.Message})");
        }
        catch (JsonException problem)
        {
            throw Wrong($"{inside}{problem.Path?.TrimStart('$')}", "not known, or of another kind", "options as its card in docs/ has them");
        }
        catch (Exception problem) when (problem is NotSupportedException or InvalidOperationException)
        {
            throw Wrong(inside, "options that JSON cannot give", "others");
        }
    }

    private static (string Name, JsonElement? Settings) Split(string field, JsonElement listed)
    {
        try
        {
            if (listed.ValueKind == JsonValueKind.String) return (listed.GetString()!, null);
            if (listed.ValueKind == JsonValueKind.Object && listed.EnumerateObject().ToArray() is [var only]) return (only.Name, only.Value);
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair, which is no name.
        }
        throw Wrong(field, listed.ValueKind, "the name of a mechanism, or an object of one name and its options");
    }
}
