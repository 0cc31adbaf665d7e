using System.CommandLine;
using System.CommandLine.Help;
using System.Reflection;
using Engram.Cli.Commands;
using Engram.Cli.Commands.Bench;
using Engram.Cli.Commands.Tune;

namespace Engram.Cli;

/// <summary>The tree of commands and how a command line is carried out.</summary>
internal static class CommandLine
{
    /// <summary>The tool's version, with the commit where the build knew it.</summary>
    public static string Version { get; } =
        typeof(CommandLine).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
        ?? "unknown";

    /// <summary>Carries out a command line; never throws.</summary>
    public static int Run(IReadOnlyList<string> args, CliHost host)
    {
        var parsed = Build(host).Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        var asksForHelp = parsed.Action?.ClearsParseErrors == true;
        if (parsed.Errors.Count > 0 && !asksForHelp)
        {
            host.Error.WriteLine($"engram: {ParseErrors.Explain(parsed)}");
            return ExitCode.Usage;
        }
        return ErrorPolicy.Guard(host, parsed, () => parsed.Invoke(new InvocationConfiguration
        {
            Output = host.Out,
            Error = host.Error,
            EnableDefaultExceptionHandler = false,
        }));
    }

    /// <summary>A word of a command as a shell takes it: in quotes where it needs them.</summary>
    public static string Quoted(string word) =>
        word.Length > 0 && word.All(letter => char.IsLetterOrDigit(letter) || letter is '.' or '-' or '_' or '+' or '/' or '\\' or ':' or ',' or '=' or '~')
            ? word
            : $"\"{word.Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    /// <summary>What a printed command says of the data: nothing where they were found.</summary>
    /// <param name="data">Where they are, as the user gave it.</param>
    public static string DataOption(string? data) => data is null ? "" : $" --data {Quoted(data)}";

    /// <summary>The tree of commands.</summary>
    public static RootCommand Build(CliHost host)
    {
        var root = new RootCommand(
            "Continual learning for .NET: models that keep learning from new data without forgetting what they knew.")
        {
            HelpName = "engram",
        };
        root.Options.Clear();
        root.Options.Add(new HelpOption { Description = "Show help and examples." });
        root.Options.Add(new VersionOption { Action = new PrintVersion() });
        root.Subcommands.Add(RunCommand.Build(host));
        root.Subcommands.Add(InitCommand.Build(host));
        root.Subcommands.Add(BenchCommand.Build(host));
        root.Subcommands.Add(TuneCommand.Build(host));
        root.Subcommands.Add(CompareCommand.Build(host));
        root.Subcommands.Add(ReportCommand.Build(host));
        root.Subcommands.Add(PredictCommand.Build(host));
        root.Subcommands.Add(InspectCommand.Build(host));
        root.Subcommands.Add(ExportCommand.Build(host));
        root.Subcommands.Add(ServeCommand.Build(host));
        root.Subcommands.Add(KeysCommand.Build(host));
        root.Subcommands.Add(DoctorCommand.Build(host));
        root.SetAction(parsed => new Examples.HelpWithExamples().Invoke(parsed));

        Examples.Of(root, "engram run digits --quick", "engram serve", "engram doctor", "engram run digits --help");
        Examples.Install(root);
        return root;
    }

    private sealed class PrintVersion : System.CommandLine.Invocation.SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            parseResult.InvocationConfiguration.Output.WriteLine($"engram {Version}");
            return ExitCode.Success;
        }
    }
}
