using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Engram.Data;

namespace Engram.Persistence;

/// <summary>Manifests as bytes: strict in reading, deterministic in writing, sealed by a hash of themselves.</summary>
internal static class ManifestJson
{
    private static readonly string s_noId = new('0', 64);

    public static JsonSerializerOptions Options { get; } = new(JsonSerializerOptions.Strict)
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        PropertyNameCaseInsensitive = false,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { LeaveOutCode } },
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase), new KindConverterFactory(), new LabelConverter() },
    };

    /// <summary>The same on one line, for JSON inside other files.</summary>
    public static JsonSerializerOptions OneLine { get; } = new(Options) { WriteIndented = false };

    /// <summary>The bytes of a manifest, and the manifest with its id.</summary>
    public static (byte[] Json, BundleManifest Manifest) Seal(BundleManifest manifest)
    {
        var open = JsonSerializer.SerializeToUtf8Bytes(manifest with { Id = s_noId }, Options);
        var sealedOne = manifest with { Id = Convert.ToHexStringLower(SHA256.HashData(open)) };
        return (JsonSerializer.SerializeToUtf8Bytes(sealedOne, Options), sealedOne);
    }

    public static BundleManifest Parse(byte[] json, string file) =>
        Parse<BundleManifest>(json, file, BundleManifest.FormatName, Bundle.FormatVersion, manifest => manifest.Id);

    public static T Parse<T>(byte[] json, string file, string format, int newest, Func<T, string> idOf)
        where T : class => Reading(file, () =>
        {
            CheckFormat(json, file, format, newest);
            var manifest = JsonSerializer.Deserialize<T>(json, Options) ?? throw new JsonException("null, expected an object");
            CheckSeal(json, idOf(manifest), file);
            return manifest;
        });

    /// <summary>What a manifest calls its format; anything, or nothing.</summary>
    public static string? FormatOf(byte[] json, string file) => Reading(file, () =>
    {
        using var document = JsonDocument.Parse(Valid(json));
        return FormatOf(document.RootElement);
    });

    /// <summary>The parent that a new bundle names, of either kind, with its id; nulls where it names none.</summary>
    public static (BundleFolder? Folder, string? Id) Parent(BundleInfo info) =>
        info.Parent is null ? default : (new BundleFolder(info.Parent), Bundle.Describe(info.Parent).Id);

    /// <summary>A value by its name alone; <see cref="Enum.Parse{T}(string)"/> takes numbers too, also those that have no name.</summary>
    /// <exception cref="FormatException">There is none of that name.</exception>
    public static T Named<T>(string field, string name)
        where T : struct, Enum => Enum.GetNames<T>().Contains(name)
            ? Enum.Parse<T>(name)
            : throw new FormatException($"{field}: {name}, expected {string.Join(" or ", Enum.GetNames<T>())}");

    // Before anything else, so that a bundle of tomorrow is called that and not damaged.
    private static void CheckFormat(byte[] json, string file, string expected, int newest)
    {
        using var document = JsonDocument.Parse(Valid(json));
        var root = document.RootElement;
        if (FormatOf(root) is var format && format != expected)
            throw new InvalidDataException($"{file}: format {format ?? "none"}, expected {expected}");
        if (!root.TryGetProperty("version", out var version) || !version.TryGetInt32(out var number) || number < 1)
            throw new InvalidDataException($"{file}: no version, expected 1 to {newest}");
        if (number > newest)
            throw new InvalidDataException($"{file}: version {number} of the format, expected 1 to {newest}; a newer Engram wrote it");
    }

    private static string? FormatOf(JsonElement root) =>
        root.ValueKind == JsonValueKind.Object && root.TryGetProperty("format", out var format) && format.ValueKind == JsonValueKind.String
            ? format.GetString()
            : null;

    private static byte[] Valid(byte[] json) =>
        System.Text.Unicode.Utf8.IsValid(json) ? json : throw new JsonException("not valid UTF-8");

    private static T Reading<T>(string file, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException or ArgumentException or FormatException)
        {
            throw new InvalidDataException($"{file}: damaged or no manifest of a bundle ({problem.Message})", problem);
        }
    }

    private static void CheckSeal(byte[] json, string id, string file)
    {
        var place = id.Length == 64 ? json.AsSpan().IndexOf(Encoding.UTF8.GetBytes(id)) : -1;
        var open = json.ToArray();
        if (place >= 0) open.AsSpan(place, 64).Fill((byte)'0');
        if (place < 0 || Convert.ToHexStringLower(SHA256.HashData(open)) != id)
            throw new InvalidDataException($"{file}: damaged: its content does not match its id {id}");
    }

    // Functions cannot be saved; whoever restores passes them again.
    private static void LeaveOutCode(JsonTypeInfo type)
    {
        for (var i = type.Properties.Count - 1; i >= 0; i--)
            if (typeof(Delegate).IsAssignableFrom(type.Properties[i].PropertyType)) type.Properties.RemoveAt(i);
    }

    /// <summary>A label as its name, also where it is the key of a dictionary.</summary>
    private sealed class LabelConverter : JsonConverter<Label>
    {
        public override Label Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.GetString() ?? throw new JsonException("null, expected a label");

        public override void Write(Utf8JsonWriter writer, Label value, JsonSerializerOptions options) => writer.WriteStringValue(value.Name);

        public override Label ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetString()!;

        public override void WriteAsPropertyName(Utf8JsonWriter writer, Label value, JsonSerializerOptions options) => writer.WritePropertyName(value.Name);
    }

    /// <summary>Writes options of an abstract type as their own type's fields, after its name as <c>kind</c>. Never reads.</summary>
    private sealed class KindConverterFactory : JsonConverterFactory
    {
        public override bool CanConvert(Type typeToConvert) =>
            typeToConvert is { IsAbstract: true, IsClass: true } && typeToConvert.Assembly == typeof(ManifestJson).Assembly;

        public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
            (JsonConverter)Activator.CreateInstance(typeof(KindConverter<>).MakeGenericType(typeToConvert))!;
    }

    private sealed class KindConverter<T> : JsonConverter<T>
    {
        public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new JsonException($"{typeToConvert.Name} is not read from files");

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options)
        {
            var kind = new JsonObject { ["kind"] = value!.GetType().Name };
            foreach (var (name, field) in (JsonObject)JsonSerializer.SerializeToNode(value, value.GetType(), options)!)
                kind[name] = field?.DeepClone();
            kind.WriteTo(writer, options);
        }
    }
}
