using YamlDotNet.Core;

namespace Engram.Cli.Experiments;

/// <summary>An experiment's file is wrong; the message names file, line and key.</summary>
internal sealed class YamlProblem(string file, Mark at, string message, Exception? inner = null)
    : UsageException($"{file}: line {at.Line}: {message}", inner)
{
    /// <summary>The message without file and line.</summary>
    public string Said { get; } = message;
}
