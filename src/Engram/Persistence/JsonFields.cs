using System.Text.Json.Nodes;

namespace Engram.Persistence;

/// <summary>Reads what a file says without trusting that it is there, or of its kind; messages name the field.</summary>
internal static class JsonFields
{
    /// <summary>What is under a name.</summary>
    /// <exception cref="FormatException">Nothing is.</exception>
    public static JsonNode Field(this JsonObject from, string name) =>
        from[name] ?? throw new FormatException($"{name}: missing, expected a value");

    /// <summary>One value.</summary>
    /// <exception cref="FormatException">It is missing, or of another kind.</exception>
    public static T Value<T>(this JsonObject from, string name) => Of<T>(from.Field(name), name);

    /// <summary>One value, or what stands for it where older files have none.</summary>
    /// <exception cref="FormatException">It is of another kind.</exception>
    public static T Value<T>(this JsonObject from, string name, T otherwise) => from[name] is { } node ? Of<T>(node, name) : otherwise;

    /// <summary>The values of a list.</summary>
    /// <exception cref="FormatException">The list is missing, is none, or holds something of another kind.</exception>
    public static T[] List<T>(this JsonObject from, string name) => from.Field(name) is JsonArray list
        ? [.. list.Select(one => Of<T>(one, name))]
        : throw new FormatException($"{name}: no list, expected one");

    /// <summary>The fields of an object.</summary>
    /// <exception cref="FormatException">It is missing, or is none.</exception>
    public static JsonObject Fields(this JsonObject from, string name) =>
        from.Field(name) as JsonObject ?? throw new FormatException($"{name}: no object, expected one");

    private static T Of<T>(JsonNode? node, string name) => node is JsonValue value && value.TryGetValue<T>(out var read)
        ? read
        : throw new FormatException($"{name}: {Shown(node)}, expected {typeof(T).Name}");

    private static string Shown(JsonNode? node)
    {
        const int Most = 50;
        var text = node?.ToJsonString() ?? "null";
        return text.Length > Most ? $"{text[..Most]}..." : text;
    }
}
