using System.Text.RegularExpressions;
using Engram.Server.Api;
using YamlDotNet.Core;

namespace Engram.Cli.Experiments;

/// <summary>An experiment's file is wrong; the message names file, line and key.</summary>
internal sealed partial class YamlProblem(string file, Mark at, string message, Exception? inner = null)
    : UsageException($"{file}: line {at.Line}: {Short(message)}", inner)
{
    private const int Most = 200; // characters of a value; paths are longer than words

    /// <summary>The message without file and line.</summary>
    public string Said { get; } = Short(message);

    // What was put in the wrong place can be as long as a file.
    private static string Short(string message) => Value().Replace(message, value => value.Length <= Most
        ? value.Value
        : Shown.Cut(value.Value, Most) + (value.Value[0] == '"' ? "\"" : ""));

    // In quotes, or a word.
    [GeneratedRegex("\"[^\"]*\"|[^\\s\"]+")]
    private static partial Regex Value();
}
