using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Engram.Cli.Experiments;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Engram.Cli.Tests;

/// <summary>Holds a file against the schema of experiments, by the words that the schema uses; any other word fails.</summary>
internal static class SchemaCheck
{
    private static readonly JsonNode s_schema = JsonNode.Parse(ExperimentSchema.Render())!;

    /// <summary>The first place where a file does not fit, and why; null where it does.</summary>
    public static string? Problem(string yaml) => Problem(s_schema, Json(YamlSection.Parse(yaml, "test").Node), "");

    private static string? Problem(JsonNode schema, JsonNode? value, string path)
    {
        foreach (var (word, said) in schema.AsObject())
            if (Problem(word, said!, schema, value, path) is { } problem) return problem;
        return null;
    }

    private static string? Problem(string word, JsonNode said, JsonNode schema, JsonNode? value, string path) => word switch
    {
        "$schema" or "$defs" or "title" => null,
        "$ref" => Problem(said.GetValue<string>().Split('/')[1..].Aggregate(s_schema, (node, step) => node[step]!), value, path),
        "type" when said is JsonArray any => any.Any(type => Is((string)type!, value)) ? null : $"{path}: expected {any.ToJsonString()}",
        "type" => Is((string)said!, value) ? null : $"{path}: expected {said}",
        "enum" => said.AsArray().Any(choice => JsonNode.DeepEquals(choice, value) || Words(choice, value)) ? null : $"{path}: expected {said.ToJsonString()}",
        "anyOf" => said.AsArray().Any(one => Problem(one!, value, path) is null) ? null : $"{path}: expected one of {said.AsArray().Count} schemas",
        "required" => value is JsonObject keys && said.AsArray().FirstOrDefault(key => !keys.ContainsKey((string)key!)) is { } missing
            ? $"{Below(path, (string)missing!)}: missing" : null,
        "minItems" => value is JsonArray items && items.Count < (int)said ? $"{path}: {items.Count} items" : null,
        "uniqueItems" => value is JsonArray once && once.Select(item => item?.ToJsonString()).Distinct().Count() < once.Count ? $"{path}: an item twice" : null,
        "items" => (value as JsonArray)?.Select((item, i) => Problem(said, item, $"{path}[{i}]")).FirstOrDefault(problem => problem is not null),
        "properties" => (value as JsonObject)?.Where(pair => said[pair.Key] is not null)
            .Select(pair => Problem(said[pair.Key]!, pair.Value, Below(path, pair.Key))).FirstOrDefault(problem => problem is not null),
        "additionalProperties" => (value as JsonObject)?.Where(pair => schema["properties"]?[pair.Key] is null)
            .Select(pair => said is JsonObject ? Problem(said, pair.Value, Below(path, pair.Key)) : $"{Below(path, pair.Key)}: unknown")
            .FirstOrDefault(problem => problem is not null),
        _ => throw new InvalidOperationException($"{word}: not known here"),
    };

    private static string Below(string path, string key) => path.Length == 0 ? key : $"{path}.{key}";

    // A choice such as mnist is a word; that of a class may be a number.
    private static bool Words(JsonNode? choice, JsonNode? value) => choice is not null && value is JsonValue && $"{choice}" == $"{value}";

    private static bool Is(string type, JsonNode? value) => (type, value?.GetValueKind() ?? JsonValueKind.Null) switch
    {
        ("object", JsonValueKind.Object) or ("array", JsonValueKind.Array) or ("string", JsonValueKind.String) => true,
        ("number", JsonValueKind.Number) or ("null", JsonValueKind.Null) or ("boolean", JsonValueKind.True or JsonValueKind.False) => true,
        ("integer", JsonValueKind.Number) => value!.GetValue<double>() % 1 == 0,
        _ => false,
    };

    private static JsonNode? Json(YamlNode node) => node switch
    {
        YamlMappingNode map => new JsonObject(map.Children.Select(pair => KeyValuePair.Create($"{pair.Key}", Json(pair.Value)))),
        YamlSequenceNode list => new JsonArray([.. list.Children.Select(Json)]),
        YamlScalarNode { Style: not ScalarStyle.Plain } quoted => quoted.Value,
        _ when YamlValues.IsNull(node) => null,
        YamlScalarNode { Value: "true" or "false" } truth => truth.Value == "true",
        YamlScalarNode { Value: var word } when double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => number,
        YamlScalarNode scalar => scalar.Value,
        _ => throw new InvalidOperationException($"{node.NodeType}: not known here"),
    };
}
