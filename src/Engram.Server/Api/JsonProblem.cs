using System.Collections.Frozen;
using System.Text.Json;
using System.Text.RegularExpressions;
using Engram.Client;

namespace Engram.Server.Api;

/// <summary>Says what is wrong with JSON in the contract's words: the serialiser's own name types.</summary>
internal static partial class JsonProblem
{
    private static readonly FrozenDictionary<string, string> s_expected = new Dictionary<string, string>
    {
        ["System.String"] = "a string",
        ["System.Boolean"] = "true or false",
        ["System.Int32"] = "a whole number",
        ["System.Int64"] = "a whole number",
        ["System.Double"] = "a number",
        ["System.DateTimeOffset"] = "a time such as \"2026-03-01T14:05:09Z\"",
        [typeof(InputKind).FullName!] = Words<InputKind>(),
        [typeof(ColumnKind).FullName!] = Words<ColumnKind>(),
        [typeof(GateMode).FullName!] = Words<GateMode>(),
        [typeof(Role).FullName!] = Words<Role>(),
    }.ToFrozenDictionary();

    /// <summary>The refusal of JSON that cannot be read.</summary>
    /// <param name="problem">What the serialiser said.</param>
    /// <param name="line">The line of an imported file; null elsewhere.</param>
    public static RefusedException Of(JsonException problem, long? line)
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
        if (Converted().Match(message) is { Success: true } type)
            return RefusedException.BadInput(field ?? "body", $"is of the wrong type, expected {Expected(type.Groups[1].Value)}", line);
        var where = line is null && problem is { LineNumber: { } row, BytePositionInLine: { } column } ? $" (line {row + 1}, byte {column + 1})" : "";
        return RefusedException.BadInput(field ?? "body", $"is no valid JSON{where}", line);
    }

    private static string Expected(string type)
    {
        var plain = type.StartsWith("System.Nullable`1[", StringComparison.Ordinal) ? type["System.Nullable`1[".Length..].TrimEnd(']') : type;
        if (s_expected.TryGetValue(plain, out var words)) return words;
        return plain.Contains("List`1", StringComparison.Ordinal) ? "an array" : "an object";
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

    [GeneratedRegex(@"could not be converted to ([^\s]+?)\.? ")]
    private static partial Regex Converted();
}
