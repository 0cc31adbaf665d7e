using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using Engram.Client;

namespace Engram.Server.Api;

/// <summary>Says what is wrong with JSON in the contract's words: the serialiser's own name types.</summary>
internal static partial class JsonProblem
{
    private static readonly FrozenDictionary<Type, string> s_expected = new Dictionary<Type, string>
    {
        [typeof(string)] = "a string",
        [typeof(bool)] = "true or false",
        [typeof(int)] = "a whole number",
        [typeof(long)] = "a whole number",
        [typeof(double)] = "a number",
        [typeof(DateTimeOffset)] = "a time such as \"2026-03-01T14:05:09Z\"",
        [typeof(InputKind)] = Words<InputKind>(),
        [typeof(ColumnKind)] = Words<ColumnKind>(),
        [typeof(GateMode)] = Words<GateMode>(),
        [typeof(Role)] = Words<Role>(),
    }.ToFrozenDictionary();

    /// <summary>The refusal of JSON that cannot be read.</summary>
    /// <param name="problem">What the serialiser said.</param>
    /// <param name="contract">What was to be read.</param>
    /// <param name="line">The line of an imported file; null elsewhere.</param>
    public static RefusedException Of(JsonException problem, JsonTypeInfo contract, long? line)
    {
        var field = Field(problem.Path);
        var message = problem.Message;
        if (Unmapped().Match(message) is { Success: true } unknown)
            return RefusedException.BadInput(Join(field, unknown.Groups[1].Value), "is not known, expected a field of the contract at /docs", line);
        if (message.Contains("missing required properties", StringComparison.Ordinal) && Quoted().Match(message[message.IndexOf(':', StringComparison.Ordinal)..]) is { Success: true } missing)
            return RefusedException.BadInput(Join(field, missing.Groups[1].Value), "is missing, expected a value", line);
        if (Duplicate().Match(message) is { Success: true } twice)
            return RefusedException.BadInput(Join(field, twice.Groups[1].Value), "is given twice, expected once", line);
        if (message.Contains("doesn't allow null", StringComparison.Ordinal) || message.Contains("does not allow null", StringComparison.Ordinal)
            || message.Contains("doesn't allow setting null", StringComparison.Ordinal))
            return RefusedException.BadInput(field ?? "body", "null, expected a value", line);
        if (message.Contains("maximum", StringComparison.Ordinal) && message.Contains("depth", StringComparison.Ordinal))
            return RefusedException.BadInput(field ?? "body", $"nests too deep, expected at most {EngramJson.Default.Options.MaxDepth} levels", line);
        if (message.Contains("could not be converted", StringComparison.Ordinal))
            return RefusedException.BadInput(field ?? "body", $"is of the wrong type, expected {Expected(TypeAt(contract, problem.Path ?? "$"))}", line);
        var where = line is null && problem is { LineNumber: { } row, BytePositionInLine: { } column } ? $" (line {row + 1}, byte {column + 1})" : "";
        return RefusedException.BadInput(field ?? "body", $"is no valid JSON{where}", line);
    }

    private static string Expected(JsonTypeInfo? type)
    {
        if (type is null) return "another";
        if (s_expected.TryGetValue(Nullable.GetUnderlyingType(type.Type) ?? type.Type, out var words)) return words;
        return type.Kind == JsonTypeInfoKind.Enumerable ? "an array" : "an object";
    }

    // The serialiser names the type it was in, which need not be the one that was wrong: its path leads there.
    private static JsonTypeInfo? TypeAt(JsonTypeInfo type, string path)
    {
        JsonTypeInfo? at = type;
        foreach (Match step in Step().Matches(path))
        {
            if (at is null) return null;
            var next = step.Value[0] == '['
                ? at.ElementType
                : at.Properties.FirstOrDefault(property => property.Name == step.Groups[1].Value)?.PropertyType;
            at = next is null ? null : EngramJson.Default.GetTypeInfo(next);
        }
        return at;
    }

    // $.learning.cpuShare becomes learning.cpuShare; the root has no name.
    private static string? Field(string? path) =>
        path is null or "$" ? null : Shown.Text(path.StartsWith("$.", StringComparison.Ordinal) ? path[2..] : path.TrimStart('$'));

    private static string Join(string? field, string name)
    {
        name = Shown.Text(name);
        if (field is null) return name;
        return field == name || field.EndsWith("." + name, StringComparison.Ordinal) ? field : $"{field}.{name}";
    }

    private static string Words<T>() where T : struct, Enum => "one of " + string.Join(", ", Enum.GetNames<T>().Select(name => $"\"{JsonNamingPolicy.KebabCaseLower.ConvertName(name)}\""));

    [GeneratedRegex("property '(.*)' could not be mapped", RegexOptions.Singleline)]
    private static partial Regex Unmapped();

    [GeneratedRegex("'([^']+)'")]
    private static partial Regex Quoted();

    [GeneratedRegex("[Dd]uplicate property '(.*)' encountered", RegexOptions.Singleline)]
    private static partial Regex Duplicate();

    [GeneratedRegex(@"\.(\w+)|\[\d+\]")]
    private static partial Regex Step();
}
