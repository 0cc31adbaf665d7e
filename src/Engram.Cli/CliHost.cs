using Spectre.Console;

namespace Engram.Cli;

/// <summary>The world around a command, so that tests can put another in its place.</summary>
/// <param name="Out">Standard output, for lines and JSON.</param>
/// <param name="Error">Standard error.</param>
/// <param name="Console">Standard output, for tables and live displays.</param>
/// <param name="IsLive">Whether <paramref name="Console"/> can redraw what it showed.</param>
/// <param name="Clock">Time.</param>
/// <param name="CancellationToken">Set by Ctrl-C.</param>
internal sealed record CliHost(
    TextWriter Out, TextWriter Error, IAnsiConsole Console, bool IsLive, TimeProvider Clock,
    CancellationToken CancellationToken)
{
    private const int PlainWidth = 110;

    /// <summary>The real world.</summary>
    public static CliHost OfProcess(CancellationToken cancellationToken)
    {
        var redirected = System.Console.IsOutputRedirected;
        var console = redirected ? Plain(System.Console.Out) : AnsiConsole.Console;
        return new CliHost(
            System.Console.Out, System.Console.Error, console, !redirected && console.Profile.Capabilities.Ansi,
            TimeProvider.System, cancellationToken);
    }

    /// <summary>A console that never writes escape sequences, whatever the environment says.</summary>
    public static IAnsiConsole Plain(TextWriter writer)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(writer),
            Enrichment = new ProfileEnrichment { UseDefaultEnrichers = false },
        });
        console.Profile.Width = PlainWidth;
        return console;
    }
}
