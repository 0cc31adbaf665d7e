using System.Globalization;
using System.Text;
using YamlDotNet.RepresentationModel;

namespace Engram.Cli.Experiments;

/// <summary>
/// The text of an experiment's file, whose values can be replaced where they stand: comments and order stay as they were written.
/// </summary>
internal sealed class ExperimentText
{
    private readonly Lazy<YamlSection> _top;

    /// <summary>Takes a text; it is read when it is asked for.</summary>
    /// <param name="file">Name of the file, for messages.</param>
    /// <param name="text">Its text.</param>
    public ExperimentText(string file, string text)
    {
        (File, Text) = (file, text);
        _top = new(() => YamlSection.Parse(text, file));
    }

    /// <summary>Name of the file, for messages.</summary>
    public string File { get; }

    /// <summary>The text.</summary>
    public string Text { get; }

    /// <summary>The file as keys and values.</summary>
    /// <exception cref="UsageException">It is no YAML with one mapping.</exception>
    public YamlSection Top => _top.Value;

    /// <summary>Reads a file.</summary>
    /// <exception cref="UsageException">It is not there.</exception>
    public static ExperimentText Read(string path) => System.IO.File.Exists(path)
        ? new ExperimentText(path, System.IO.File.ReadAllText(path))
        : throw new UsageException($"{path}: no such file, expected an experiment (see: engram init --help)");

    /// <summary>The value that stands at a key such as <c>strategies[0].mechanisms[0].ewc.lambda</c>.</summary>
    /// <param name="key">Keys and places that lead there, as messages write them.</param>
    /// <param name="asked">Where the key was asked for, for the message.</param>
    /// <exception cref="UsageException">There is no single value there.</exception>
    public YamlScalarNode ValueAt(string key, Func<string, UsageException> asked)
    {
        YamlNode? node = Top.Node;
        foreach (var step in key.Replace("[", ".[", StringComparison.Ordinal).Split('.'))
        {
            node = (node, step) switch
            {
                (YamlMappingNode map, _) when map.Children.TryGetValue(new YamlScalarNode(step), out var value) => value,
                (YamlSequenceNode list, ['[', .. var place, ']'])
                    when int.TryParse(place, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < list.Children.Count =>
                    list.Children[index],
                _ => throw asked($"\"{key}\" has no value in this file, expected a key that has one, such as memory or "
                    + "strategies[0].mechanisms[0].ewc.lambda"),
            };
        }
        return node as YamlScalarNode ?? throw asked($"\"{key}\" is {YamlSection.Kind(node)}, expected a key with a single value");
    }

    /// <summary>The same text with other values.</summary>
    /// <param name="values">The new values by key.</param>
    public ExperimentText With(IReadOnlyDictionary<string, string> values)
    {
        var text = Text;
        foreach (var (key, value) in values
            .Select(pair => (Node: ValueAt(pair.Key, problem => Top.Problem(Top.Node, problem)), pair.Value))
            .OrderByDescending(pair => pair.Node.Start.Index))
            text = text[..(int)key.Start.Index] + Written(value) + text[(int)key.End.Index..];
        return new ExperimentText(File, text);
    }

    /// <summary>The same text without some keys of the top. Comments after a section are those of the next.</summary>
    /// <exception cref="UsageException">The keys are not on lines of their own.</exception>
    public ExperimentText Without(params IReadOnlyList<string> keys)
    {
        if (!Top.Keys.Any(keys.Contains)) return this;
        if (((YamlMappingNode)Top.Node).Style == YamlDotNet.Core.Events.MappingStyle.Flow)
            throw Top.Problem(Top.Node, "keys in braces, expected each on a line of its own");
        var kept = new StringBuilder();
        var waiting = new StringBuilder(); // comments that may belong to the next key
        var inside = false;
        foreach (var line in Text.Split('\n').Select((line, number) => number == 0 ? line : $"\n{line}"))
        {
            var words = line.TrimStart('\n');
            if (words.Length > 0 && words[0] is not (' ' or '\t' or '#' or '\r' or '-' or ']' or '}'))
            {
                inside = keys.Any(key => words.StartsWith($"{key}:", StringComparison.Ordinal));
                if (!inside) kept.Append(waiting);
                waiting.Clear();
            }
            if (!inside) kept.Append(line);
            else if (words.Trim().Length == 0 || words[0] == '#') waiting.Append(line);
            else waiting.Clear();
        }
        return new ExperimentText(File, kept.Append(waiting).ToString());
    }

    /// <summary>A value as YAML: as it is where that is one plain word or more, else quoted.</summary>
    public static string Written(string value) =>
        value.Length > 0 && value.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '+' or '_' or ' ')
            && value[0] is not ('-' or ' ') && value[^1] != ' ' || double.TryParse(value, CultureInfo.InvariantCulture, out _)
            ? value
            : $"\"{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
