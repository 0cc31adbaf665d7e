using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Engram.Cli.Experiments;

/// <summary>A mapping of an experiment's file: values by key, each with its line, and no key that nobody knows.</summary>
internal sealed class YamlSection
{
    private readonly Dictionary<string, YamlNode> _values = [];
    private readonly string _file;
    private readonly string _path;
    private readonly Mark _start;

    /// <summary>Opens a mapping.</summary>
    /// <param name="file">Name of the file, for messages.</param>
    /// <param name="path">Keys that lead here, for messages; empty at the top.</param>
    /// <param name="node">The mapping.</param>
    public YamlSection(string file, string path, YamlNode node)
    {
        (_file, _path, _start, Node) = (file, path, node.Start, node);
        if (node is not YamlMappingNode mapping)
            throw Problem(node, $"{Name(path)}: {Kind(node)}, expected keys with values");
        foreach (var (key, value) in mapping.Children)
        {
            if (key is not YamlScalarNode { Value: { } text })
                throw Problem(key, $"{Name(path)}: {Kind(key)} as a key, expected a word");
            _values[text] = value;
        }
    }

    /// <summary>Name of the file, for messages.</summary>
    public string File => _file;

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
            ? new YamlSection(file, "", document.RootNode)
            : throw new UsageException($"{file}: {stream.Documents.Count} documents, expected one");
    }

    /// <summary>The value of a key, or null.</summary>
    public YamlNode? this[string key] => _values.GetValueOrDefault(key);

    /// <summary>A section below this one, or null.</summary>
    public YamlSection? Section(string key) => this[key] is { } node ? new YamlSection(_file, PathOf(key), node) : null;

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
        foreach (var (key, value) in _values)
            if (!names.Contains(key))
                throw Problem(value, $"{PathOf(key)}: unknown, expected one of {string.Join(", ", names)}");
    }

    /// <summary>A problem with a value of this section.</summary>
    public YamlProblem Problem(YamlNode node, string message, Exception? inner = null) => new(_file, node.Start, message, inner);

    /// <summary>A problem with a key that is there or missing.</summary>
    public YamlProblem Problem(string key, string message, Exception? inner = null) =>
        new(_file, this[key]?.Start ?? _start, $"{PathOf(key)}: {message}", inner);

    /// <summary>The keys that lead to one of this section.</summary>
    public string PathOf(string key) => _path.Length == 0 ? key : $"{_path}.{key}";

    /// <summary>What a node is, for messages.</summary>
    public static string Kind(YamlNode node) => node switch
    {
        YamlScalarNode scalar => $"\"{scalar.Value}\"",
        YamlSequenceNode => "a list",
        _ => "keys with values",
    };

    private static string Name(string path) => path.Length == 0 ? "file" : path;
}
