using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace Engram.Evaluation;

/// <summary>How results are written as JSON, and how they are read: whole and sound, or refused with the name of the field.</summary>
internal static partial class ResultsJson
{
    /// <summary>How far a number may be from what it follows from.</summary>
    public const double Rounding = 1e-6;

    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web)
    {
        // A diverged loss is a result too: written as "NaN" rather than lost with the whole run.
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
    };

    public static JsonSerializerOptions Indented { get; } = new(Options) { WriteIndented = true };

    /// <summary>Reads what was written with these options. No list in it holds a null.</summary>
    /// <param name="json">The text.</param>
    /// <param name="what">What it is, for messages.</param>
    /// <param name="first">Looks at the text before it is made an object of.</param>
    /// <param name="isPart">Whether it is the field of that name of a whole: fields are then named from there, and lines, which are not the whole's, not at all.</param>
    /// <exception cref="FormatException">It is something else; the message names the field.</exception>
    public static T Read<T>(string json, string what, Action<JsonElement>? first = null, bool isPart = false)
        where T : class
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object) throw new FormatException($"{what}: expected a JSON object, found {root.ValueKind}");
            first?.Invoke(root);
            CheckLists(root, isPart ? what : "");
            return root.Deserialize<T>(Options)!;
        }
        catch (JsonException problem)
        {
            throw new FormatException(Told(problem, json, typeof(T), what, isPart), problem);
        }
    }

    /// <summary>Checks that fields are numbers from 0 to 1, or NaN where nothing was measured.</summary>
    /// <exception cref="FormatException">One is not; the message names it.</exception>
    public static void CheckFractions(string field, params IReadOnlyList<double> numbers)
    {
        for (var i = 0; i < numbers.Count; i++)
            if (numbers[i] is < 0 or > 1)
                throw new FormatException($"{field}{(numbers.Count > 1 ? $"[{i}]" : "")}: {numbers[i]}, expected 0 to 1");
    }

    /// <summary>Checks that a field is a time in seconds that a computation can have taken.</summary>
    /// <exception cref="FormatException">It is not; the message names it.</exception>
    public static void CheckSeconds(string field, double seconds)
    {
        const double Most = 1e9; // thirty years; TimeSpan ends soon after
        if (seconds is not (>= 0 and <= Most)) throw new FormatException($"{field}: {seconds}, expected 0 to {Most}");
    }

    /// <summary>Checks that a list has a length.</summary>
    /// <exception cref="FormatException">It has another; the message names it.</exception>
    public static void CheckCount(string field, int count, int expected, string what)
    {
        if (count != expected) throw new FormatException($"{field}: {count}, expected {expected}, one for each {what}");
    }

    /// <summary>Checks that no text is missing.</summary>
    /// <exception cref="FormatException">One is; the message names it.</exception>
    public static void CheckTexts(string field, IReadOnlyDictionary<string, string> texts)
    {
        foreach (var (name, text) in texts)
            if (text is null) throw new FormatException($"{field}.{name}: null, expected a text");
    }

    // The serializer's words are about types of code; who reads the file wants field, value and line.
    private static string Told(JsonException problem, string json, Type type, string what, bool isPart)
    {
        var field = problem.Path?.TrimStart('$', '.') is not { Length: > 0 } path ? what : isPart ? $"{what}.{path}" : path;
        var line = problem.LineNumber is { } number && !isPart ? $" (line {number + 1})" : "";
        const string Before = "including:";
        var names = problem.Message.IndexOf(Before, StringComparison.Ordinal) is var at and >= 0
            ? string.Join(", ", QuotedName().Matches(problem.Message[(at + Before.Length)..]).Select(match => match.Groups[1].Value))
            : "";
        return $"{field}: {(names.Length > 0 ? $"without {names}" : problem.Path is null ? "no JSON" : JsonPlace.Told(json, type, problem.Path, Options))}{line}";
    }

    [GeneratedRegex(@"'(\w+)'")]
    private static partial Regex QuotedName();

    // The serializer looks at what is declared, and an element of a list is declared nowhere.
    private static void CheckLists(JsonElement element, string where)
    {
        if (element.ValueKind == JsonValueKind.Object)
            foreach (var property in element.EnumerateObject().Where(property => HasParts(property.Value)))
                CheckLists(property.Value, where.Length == 0 ? property.Name : $"{where}.{property.Name}");
        else
            foreach (var (i, item) in element.EnumerateArray().Index())
                if (item.ValueKind == JsonValueKind.Null) throw new FormatException($"{where}[{i}]: null, expected a value");
                else if (HasParts(item)) CheckLists(item, $"{where}[{i}]");
    }

    private static bool HasParts(JsonElement element) => element.ValueKind is JsonValueKind.Object or JsonValueKind.Array;
}
