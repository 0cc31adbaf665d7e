using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Engram.Cli.Experiments;

/// <summary>A mapping of an experiment's file: values by key, each with its line, and no key that nobody knows.</summary>
internal sealed class YamlSection
{
    private readonly Dictionary<string, YamlNode> _values = [];
    private readonly Dictionary<YamlNode, Mark> _keys = new(ReferenceEqualityComparer.Instance); // where the key of a value stands
    private readonly string _file;
    private readonly string _path; // keys that lead here; empty at the top
    private readonly Mark _start; // where its key stands

    private YamlSection(string file, string path, YamlNode node, Mark start)
    {
        (_file, _path, _start, Node) = (file, path, start, node);
        if (node is not YamlMappingNode mapping)
            throw Problem(node, $"{Name(path)}: {Kind(node)}, expected keys with values");
        foreach (var (key, value) in mapping.Children)
        {
            if (key is not YamlScalarNode { Value: { } text })
                throw Problem(key, $"{Name(path)}: {Kind(key)} as a key, expected a word");
            (_values[text], _keys[value]) = (value, key.Start);
        }
    }

    /// <summary>The keys, in the file's order.</summary>
    public IReadOnlyCollection<string> Keys => _values.Keys;

    /// <summary>The mapping itself.</summary>
    public YamlNode Node { get; }

    /// <summary>Opens the text of a file.</summary>
    /// <param name="text">The text.</param>
    /// <param name="file">Name of the file, for messages.</param>
    /// <exception cref="UsageException">It is no YAML with one mapping.</exception>
    public static YamlSection Parse(string text, string file)
    {
        var stream = new YamlStream();
        try
        {
            using var reader = new StringReader(text);
            stream.Load(new Parser(new LimitedScanner(reader)));
        }
        catch (Exception problem) when (problem is YamlException or ArgumentException or InvalidOperationException)
        {
            var at = (problem as YamlException)?.Start ?? Mark.Empty;
            throw new YamlProblem(file, at, $"no YAML: {problem.Message.Split('\n')[0]}", problem);
        }
        return stream.Documents is [var document]
            ? new YamlSection(file, "", document.RootNode, document.RootNode.Start)
            : throw new YamlProblem(
                file, stream.Documents.Count == 0 ? Mark.Empty : stream.Documents[1].RootNode.Start, $"{stream.Documents.Count} documents, expected one");
    }

    /// <summary>The value of a key, or null.</summary>
    public YamlNode? this[string key] => _values.GetValueOrDefault(key);

    /// <summary>Whether a key is there, and not as null.</summary>
    public bool Gives(string key) => this[key] is { } node && !YamlValues.IsNull(node);

    /// <summary>A section below this one, or null.</summary>
    public YamlSection? Section(string key) => this[key] is { } node ? Below(PathOf(key), node) : null;

    /// <summary>A mapping among the values below this one.</summary>
    /// <param name="path">Keys that lead to it, for messages.</param>
    /// <param name="node">The mapping.</param>
    public YamlSection Below(string path, YamlNode node) => new(_file, path, node, MarkOf(node));

    /// <summary>The items of a list, or null.</summary>
    public IReadOnlyList<YamlNode>? List(string key) => this[key] switch
    {
        null => null,
        YamlSequenceNode list => [.. list.Children],
        var other => throw Problem(other, $"{PathOf(key)}: {Kind(other)}, expected a list"),
    };

    /// <summary>A value read by <see cref="YamlValues"/>, or a default.</summary>
    public T Value<T>(string key, T otherwise) =>
        this[key] is { } node ? (T)YamlValues.Read(this, PathOf(key), node, typeof(T))! : otherwise;

    /// <summary>Refuses keys that are not among those known.</summary>
    public void Expect(params IEnumerable<string> known)
    {
        var names = known.ToArray();
        foreach (var key in Keys)
            if (!names.Contains(key)) throw Problem(key, $"unknown, expected one of {string.Join(", ", names)}");
    }

    /// <summary>Refuses a key that is given where another has a value it does not belong to: passed over in silence it would be a mistake.</summary>
    /// <param name="key">The key.</param>
    /// <param name="what">The other key.</param>
    /// <param name="actual">Its value.</param>
    /// <param name="allowed">The values of it that the key belongs to.</param>
    public void OnlyWith(string key, string what, string actual, params IReadOnlyList<string> allowed)
    {
        if (!allowed.Contains(actual) && Gives(key))
            throw Problem(key, $"given, expected none with {what} {actual}, for it is a key of {what} {string.Join(", ", allowed)}");
    }

    /// <summary>A problem with a value: on the line of its key, for that of a block begins on the next.</summary>
    public YamlProblem Problem(YamlNode node, string message, Exception? inner = null) => new(_file, MarkOf(node), message, inner);

    /// <summary>A problem with a key that is there or missing.</summary>
    public YamlProblem Problem(string key, string message, Exception? inner = null) =>
        new(_file, this[key] is { } node ? MarkOf(node) : _start, $"{PathOf(key)}: {message}", inner);

    /// <summary>A problem with what this section describes; where it begins with the name of an option that stands here, with its key.</summary>
    public YamlProblem Refused(ArgumentException problem)
    {
        var message = problem.Message;
        return message.Split(": ", 2) is [var option, var said] && YamlValues.Key(option) is var key && Holding(key) is [var holder]
            ? holder.Problem(key, said, problem)
            : new YamlProblem(_file, _start, $"{Name(_path)}: {message}", problem);
    }

    /// <summary>The keys that lead to one of this section.</summary>
    public string PathOf(string key) => _path.Length == 0 ? key : $"{_path}.{key}";

    /// <summary>What a node is, for messages.</summary>
    public static string Kind(YamlNode node) => node switch
    {
        YamlScalarNode scalar => $"\"{scalar.Value}\"",
        YamlSequenceNode => "a list",
        _ => "keys with values",
    };

    // Sections that have a key: this one, or those below.
    private YamlSection[] Holding(string key) => _values.ContainsKey(key)
        ? [this]
        : [.. _values.Where(pair => pair.Value is YamlMappingNode).SelectMany(pair => Section(pair.Key)!.Holding(key))];

    private Mark MarkOf(YamlNode node) => _keys.TryGetValue(node, out var key) ? key : ReferenceEquals(node, Node) ? _start : node.Start;

    private static string Name(string path) => path.Length == 0 ? "file" : path;
}
