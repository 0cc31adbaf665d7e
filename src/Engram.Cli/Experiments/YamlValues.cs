using System.Globalization;
using System.Reflection;
using System.Text.Json;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Engram.Cli.Experiments;

/// <summary>Turns nodes of a file into values and options: by the properties of their types, written as <c>camelCase</c>.</summary>
internal static class YamlValues
{
    /// <summary>Reads a value of a type.</summary>
    /// <param name="section">Where it stands, for messages.</param>
    /// <param name="path">The keys that lead to it.</param>
    /// <param name="node">The value.</param>
    /// <param name="type">What it must be.</param>
    public static object? Read(YamlSection section, string path, YamlNode node, Type type)
    {
        if (Nullable.GetUnderlyingType(type) is { } inner) return IsNull(node) ? null : Read(section, path, node, inner);
        if (ItemType(type) is { } item)
        {
            if (node is not YamlSequenceNode list) throw section.Problem(node, $"{path}: {YamlSection.Kind(node)}, expected a list");
            var array = Array.CreateInstance(item, list.Children.Count);
            for (var i = 0; i < array.Length; i++) array.SetValue(Read(section, $"{path}[{i}]", list.Children[i], item), i);
            return array;
        }
        if (node is YamlScalarNode { Value: { } text } && !(type == typeof(string) && IsNull(node)) && Scalar(text, type) is { } value) return value;
        if (IsOptions(type)) return Options(section, path, node, type);
        throw section.Problem(node, $"{path}: {YamlSection.Kind(node)}, expected {Expected(type)}");
    }

    /// <summary>Reads options: a mapping whose keys are properties of the type.</summary>
    public static object Options(YamlSection parent, string path, YamlNode node, Type type)
    {
        var section = parent.Below(path, node);
        var kinds = KindsOf(type);
        if (kinds.Count > 0)
        {
            var kind = section.Value<string?>("kind", null);
            if (kind is null || !kinds.TryGetValue(kind, out var chosen))
                throw section.Problem("kind", $"{(kind is null ? "missing" : $"\"{kind}\"")}, expected one of {string.Join(", ", kinds.Keys)}");
            type = chosen;
        }
        var properties = PropertiesOf(type);
        section.Expect([.. properties.Keys, .. kinds.Count > 0 ? ["kind"] : Array.Empty<string>()]);
        var options = Activator.CreateInstance(type)!;
        foreach (var (name, property) in properties)
            if (section[name] is { } value)
                property.SetValue(options, IsNull(value) && MayBeNull(property) ? null : Read(section, section.PathOf(name), value, property.PropertyType));
        return options;
    }

    /// <summary>Whether a file may give nothing for a property: <c>null</c>, <c>~</c> or no word at all.</summary>
    public static bool MayBeNull(PropertyInfo property) => new NullabilityInfoContext().Create(property).WriteState == NullabilityState.Nullable;

    /// <summary>The properties that a file may set, by their names there.</summary>
    public static IReadOnlyDictionary<string, PropertyInfo> PropertiesOf(Type type) => type
        .GetProperties(BindingFlags.Public | BindingFlags.Instance)
        .Where(property => property.SetMethod is { IsPublic: true } && !typeof(Delegate).IsAssignableFrom(property.PropertyType))
        .ToDictionary(property => Key(property.Name));

    /// <summary>A property's name as a key of a file: <c>BatchSize</c> becomes <c>batchSize</c>.</summary>
    public static string Key(string name) => JsonNamingPolicy.CamelCase.ConvertName(name);

    /// <summary>The types that stand behind an abstract one, by the word for <c>kind</c>; none where the type is concrete.</summary>
    public static IReadOnlyDictionary<string, Type> KindsOf(Type type) => !type.IsAbstract
        ? new Dictionary<string, Type>()
        : type.Assembly.GetExportedTypes().Where(other => other.IsSubclassOf(type) && !other.IsAbstract)
            .OrderBy(other => other.Name, StringComparer.Ordinal)
            .ToDictionary(other => Word(other.Name.Replace("Options", "", StringComparison.Ordinal)
                .Replace("Schedule", "", StringComparison.Ordinal)));

    /// <summary>The item type of a list type, or null.</summary>
    public static Type? ItemType(Type type) =>
        type.IsArray ? type.GetElementType()
        : type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) ? type.GetGenericArguments()[0]
        : null;

    /// <summary>Whether a type is read from a mapping.</summary>
    public static bool IsOptions(Type type) => type is { IsClass: true, Namespace: { } space } && type != typeof(string)
        && space.StartsWith("Engram", StringComparison.Ordinal);

    /// <summary>A name of code as a word of a file: <c>MaximallyInterfered</c> becomes <c>maximally-interfered</c>.</summary>
    public static string Word(string name) => JsonNamingPolicy.KebabCaseLower.ConvertName(name);

    /// <summary>Whether nothing is given: <c>null</c>, <c>~</c> or no word at all, none of them in quotes.</summary>
    public static bool IsNull(YamlNode node) => node is YamlScalarNode { Style: ScalarStyle.Plain, Value: null or "" or "null" or "~" };

    private static object? Scalar(string text, Type type)
    {
        var culture = CultureInfo.InvariantCulture;
        if (type == typeof(string)) return text;
        if (type == typeof(bool)) return bool.TryParse(text, out var truth) ? truth : null;
        if (type == typeof(int)) return int.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowThousands, culture, out var number) ? number : null;
        if (type == typeof(long)) return long.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowThousands, culture, out var big) ? big : null;
        if (type == typeof(double)) return double.TryParse(text, NumberStyles.Float, culture, out var real) && double.IsFinite(real) ? real : null;
        if (type.IsEnum)
            return Enum.GetNames(type).FirstOrDefault(name => Word(name) == text) is { } name ? Enum.Parse(type, name) : null;
        return null;
    }

    private static string Expected(Type type) =>
        type == typeof(bool) ? "true or false"
        : type == typeof(int) || type == typeof(long) ? "a whole number"
        : type == typeof(double) ? "a number"
        : type.IsEnum ? $"one of {string.Join(", ", Enum.GetNames(type).Select(Word))}"
        : type == typeof(string) ? "a word"
        : "keys with values";
}
