using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Runtime.CompilerServices;

namespace Engram.Cli;

/// <summary>Adds a section of examples to the help of every command.</summary>
internal static class Examples
{
    private static readonly ConditionalWeakTable<Command, string[]> s_examples = [];

    /// <summary>Says how a command is used.</summary>
    public static void Of(Command command, params string[] lines) => s_examples.AddOrUpdate(command, lines);

    /// <summary>Makes the help option of this tree show them.</summary>
    public static void Install(RootCommand root) =>
        root.Options.OfType<HelpOption>().Single().Action = new HelpWithExamples();

    /// <summary>The usual help, then the examples.</summary>
    internal sealed class HelpWithExamples : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            new HelpAction().Invoke(parseResult);
            if (!s_examples.TryGetValue(parseResult.CommandResult.Command, out var lines)) return ExitCode.Success;
            var output = parseResult.InvocationConfiguration.Output;
            output.WriteLine("Examples:");
            foreach (var line in lines) output.WriteLine($"  {line}");
            output.WriteLine();
            return ExitCode.Success;
        }
    }
}
