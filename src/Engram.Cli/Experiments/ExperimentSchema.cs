using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Engram.Evaluation;
using Engram.Learning;
using Engram.Retention;

namespace Engram.Cli.Experiments;

/// <summary>The JSON schema of an experiment's file, made of the same types that read it.</summary>
internal static class ExperimentSchema
{
    private static readonly JsonSerializerOptions s_json = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static string Render() => new JsonObject
    {
        ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
        ["title"] = "Engram experiment",
        ["type"] = "object",
        ["required"] = new JsonArray("strategies"),
        ["additionalProperties"] = false,
        ["$defs"] = new JsonObject { [nameof(LearningRateSchedule)] = Of(typeof(LearningRateSchedule)) },
        ["properties"] = new JsonObject
        {
            ["name"] = Word(),
            ["data"] = With(Options(typeof(DataSection)), "source", OneOf(DataSection.Sources)),
            ["stream"] = With(Options(typeof(StreamSection)), "kind", OneOf(StreamSection.Kinds)),
            ["model"] = Options(typeof(ModelSection)),
            ["training"] = Options(typeof(LearnerOptions), ExperimentFile.TrainingKeys),
            ["evaluation"] = With(Options(typeof(EvaluationSection)), "metrics",
                OrNull(new JsonObject { ["type"] = "array", ["minItems"] = 1, ["uniqueItems"] = true, ["items"] = OneOf(MetricNames.All) })),
            ["memory"] = Of(typeof(int)),
            ["seed"] = Of(typeof(long)),
            ["perExperience"] = ByKey(new JsonObject { ["type"] = "array", ["minItems"] = 1 }),
            ["tune"] = With(With(With(Options(typeof(TuneSection)), "method", OneOf(TuneSection.Methods)),
                "objective", OneOf(TuneSection.Objectives)), "vary", ByKey(AnyOf(
                    new JsonObject { ["type"] = "array", ["minItems"] = 1 },
                    new JsonObject
                    {
                        ["type"] = "object",
                        ["required"] = new JsonArray("from", "to"),
                        ["additionalProperties"] = false,
                        ["properties"] = new JsonObject { ["from"] = Of(typeof(double)), ["to"] = Of(typeof(double)), ["scale"] = OneOf(["log", "linear"]) },
                    }))),
            ["strategies"] = new JsonObject { ["type"] = "array", ["minItems"] = 1, ["items"] = AnyOf(OneOf(Names()), Strategy()) },
        },
    }.ToJsonString(s_json) + "\n";

    // Keys of the file itself, as messages write them.
    private static JsonObject ByKey(JsonObject value) => new() { ["type"] = "object", ["additionalProperties"] = value };

    private static JsonObject Strategy() => new()
    {
        ["type"] = "object",
        ["required"] = new JsonArray("name", "mechanisms"),
        ["additionalProperties"] = false,
        ["properties"] = new JsonObject
        {
            ["name"] = Word(),
            ["title"] = Word(),
            ["mechanisms"] = new JsonObject
            {
                ["type"] = "array",
                ["items"] = AnyOf([OneOf(MechanismKind.All.Select(kind => kind.Name)), .. MechanismKind.All
                    .Where(kind => kind.OptionsType is not null).Select(kind => new JsonObject
                    {
                        ["type"] = "object",
                        ["required"] = new JsonArray(kind.Name),
                        ["additionalProperties"] = false,
                        ["properties"] = new JsonObject { [kind.Name] = Options(kind.OptionsType!) },
                    })]),
            },
        },
    };

    private static JsonObject Of(PropertyInfo property)
    {
        var schema = Of(Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType);
        return YamlValues.MayBeNull(property) ? OrNull(schema) : schema;
    }

    private static JsonObject Of(Type type)
    {
        if (YamlValues.ItemType(type) is { } item) return new JsonObject { ["type"] = "array", ["items"] = Of(item) };
        if (type == typeof(bool)) return new JsonObject { ["type"] = "boolean" };
        if (type == typeof(int) || type == typeof(long)) return new JsonObject { ["type"] = "integer" };
        if (type == typeof(double)) return new JsonObject { ["type"] = "number" };
        if (type.IsEnum) return OneOf(Enum.GetNames(type).Select(YamlValues.Word));
        if (!YamlValues.IsOptions(type)) return Word();
        var kinds = YamlValues.KindsOf(type);
        return kinds.Count == 0
            ? Options(type)
            : AnyOf([.. kinds.Select(kind => With(Options(kind.Value, required: "kind"), "kind", OneOf([kind.Key])))]);
    }

    // A schedule may hold another, and that one more.
    private static JsonObject OfItsKind(PropertyInfo property)
    {
        var schema = AnyOf(new JsonObject { ["$ref"] = $"#/$defs/{property.PropertyType.Name}" });
        return YamlValues.MayBeNull(property) ? OrNull(schema) : schema;
    }

    // As the reader takes it: null, ~ or nothing at all.
    private static JsonObject OrNull(JsonObject schema)
    {
        if (schema["enum"] is JsonArray words) words.Add(null);
        else if (schema["anyOf"] is JsonArray kinds) kinds.Add(new JsonObject { ["type"] = "null" });
        else if (schema["type"] is JsonArray types) types.Add("null");
        else schema["type"] = new JsonArray(schema["type"]!.DeepClone(), "null");
        return schema;
    }

    private static JsonObject Options(Type type, IEnumerable<string>? keys = null, string? required = null)
    {
        var properties = new JsonObject();
        foreach (var (name, property) in YamlValues.PropertiesOf(type))
            if (keys?.Contains(name) != false) properties[name] = property.PropertyType == type.BaseType ? OfItsKind(property) : Of(property);
        var schema = new JsonObject { ["type"] = "object", ["additionalProperties"] = false, ["properties"] = properties };
        if (required is not null) schema["required"] = new JsonArray(required);
        return schema;
    }

    private static JsonObject With(JsonObject schema, string key, JsonObject value)
    {
        schema["properties"]![key] = value;
        return schema;
    }

    // Numbers and dates that YAML reads as such are words too: classes are often called 0, 1, 2.
    private static JsonObject Word() => new() { ["type"] = new JsonArray("string", "number") };

    private static JsonObject OneOf(IEnumerable<string> words) => new() { ["enum"] = new JsonArray([.. words.Select(word => (JsonNode)word)]) };

    private static JsonObject AnyOf(params IEnumerable<JsonObject> schemas) => new() { ["anyOf"] = new JsonArray([.. schemas]) };

    private static IEnumerable<string> Names() => Strategies.All.Select(strategy => strategy.Name);
}
