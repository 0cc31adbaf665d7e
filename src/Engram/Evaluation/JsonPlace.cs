using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;

namespace Engram.Evaluation;

/// <summary>What stands at a place of a JSON text where something else was expected.</summary>
internal static partial class JsonPlace
{
    private const int Most = 60; // characters of a value in a message

    /// <summary>The value and what was expected, in words; less where the place is not found.</summary>
    /// <param name="json">The text.</param>
    /// <param name="type">What it was read as.</param>
    /// <param name="path">The serializer's path of the place, such as <c>$.entries[0].verdict</c>.</param>
    /// <param name="options">How it was read.</param>
    public static string Told(string json, Type type, string path, JsonSerializerOptions options)
    {
        using var document = JsonDocument.Parse(json);
        var (element, info) = (document.RootElement, options.GetTypeInfo(type));
        foreach (Match step in Step().Matches(path))
        {
            if (Below(element, step) is not { } inner || Below(info, step.Groups["name"].Value) is not { } below) return "not readable";
            (element, info) = (inner, options.GetTypeInfo(below));
        }
        return $"{Found(element)}, expected {Expected(info)}";
    }

    private static JsonElement? Below(JsonElement element, Match step) => (element.ValueKind, step.Groups["name"]) switch
    {
        (JsonValueKind.Object, { Success: true } name) => element.TryGetProperty(name.Value, out var value) ? value : null,
        (JsonValueKind.Array, { Success: false }) => element.EnumerateArray().Skip(int.Parse(step.Groups["index"].Value)).Cast<JsonElement?>().FirstOrDefault(),
        _ => null,
    };

    private static Type? Below(JsonTypeInfo info, string name) => info.Kind == JsonTypeInfoKind.Object
        ? info.Properties.FirstOrDefault(property => property.Name == name)?.PropertyType
        : info.ElementType;

    private static string Found(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        _ => element.GetRawText() is { Length: <= Most } raw ? raw : $"{element.GetRawText().Length} characters",
    };

    private static string Expected(JsonTypeInfo info)
    {
        var type = Nullable.GetUnderlyingType(info.Type) ?? info.Type;
        return info.Kind switch
        {
            JsonTypeInfoKind.Enumerable => "a list",
            JsonTypeInfoKind.Object or JsonTypeInfoKind.Dictionary => "an object",
            _ when type.IsEnum => $"one of {string.Join(", ", Enum.GetNames(type).Select(JsonNamingPolicy.CamelCase.ConvertName))}",
            _ when type == typeof(string) => "a text",
            _ when type == typeof(bool) => "true or false",
            _ when type == typeof(int) || type == typeof(long) => "a whole number",
            _ when type == typeof(double) => "a number",
            _ when type == typeof(DateTimeOffset) => "a time",
            _ => "another value",
        };
    }

    [GeneratedRegex(@"\.(?<name>[^.\[\]]+)|\['(?<name>.*?)'\]|\[(?<index>[0-9]+)\]")]
    private static partial Regex Step();
}
