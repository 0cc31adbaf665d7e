using System.Diagnostics;
using System.Text.Json.Nodes;
using Spectre.Console;
using Spectre.Console.Testing;

namespace Engram.Cli.Tests;

/// <summary>What a command line gave back.</summary>
internal sealed record Outcome(int Code, string Out, string Error)
{
    public string[] ErrorLines => Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public JsonNode[] JsonLines =>
        [.. Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];
}

/// <summary>Runs the tool in this process with writers of its own, or as a process.</summary>
internal static class Terminal
{
    public static Outcome Run(params string[] args) => Run(default, args);

    public static Outcome Run(CancellationToken cancellationToken, params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var host = new CliHost(output, error, CliHost.Plain(output), false, TimeProvider.System, cancellationToken);
        var code = CommandLine.Run(args, host);
        return new Outcome(code, output.ToString(), error.ToString());
    }

    /// <summary>The same on a terminal that can redraw.</summary>
    public static (int Code, string Screen) RunLive(params string[] args)
    {
        using var console = new TestConsole().Interactive().EmitAnsiSequences();
        console.Profile.Width = 120;
        using var error = new StringWriter();
        var host = new CliHost(TextWriter.Null, error, console, true, TimeProvider.System, default);
        return (CommandLine.Run(args, host), console.Output + error);
    }

    /// <summary>Starts the built tool, from a folder of choice, and waits for it.</summary>
    public static Outcome Start(string program, string folder, params string[] args)
    {
        using var process = Process.Start(Info(program, folder, args))!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new Outcome(process.ExitCode, output, error.Result);
    }

    public static ProcessStartInfo Info(string program, string folder, params string[] args)
    {
        var info = new ProcessStartInfo("dotnet")
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // A CI's environment must not bring colours into a pipe.
        info.Environment["GITHUB_ACTIONS"] = "true";
        info.Environment["OMP_NUM_THREADS"] = "1";
        info.ArgumentList.Add(program);
        foreach (var arg in args) info.ArgumentList.Add(arg);
        return info;
    }

    /// <summary>
    /// Whether this process, and so every process it starts, ignores SIGINT, as shells arrange for commands in the
    /// background.
    /// </summary>
    public static bool IgnoresCtrlC => File.Exists("/proc/self/status")
        && File.ReadLines("/proc/self/status").First(line => line.StartsWith("SigIgn:", StringComparison.Ordinal)) is var line
        && (Convert.ToUInt64(line.Split('\t')[1], 16) & 0b10) != 0;

    /// <summary>The tool beside these tests.</summary>
    public static string Program => Path.Combine(AppContext.BaseDirectory, "Engram.Cli.dll");
}

/// <summary>A folder that goes when the test ends.</summary>
internal sealed class Folder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("engram-").FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

/// <summary>Standard output that interrupts when a line with a text is written.</summary>
internal sealed class StopAt(string text, CancellationTokenSource stop) : StringWriter
{
    public override void WriteLine(string? value)
    {
        base.WriteLine(value);
        if (value?.Contains(text, StringComparison.Ordinal) == true) stop.Cancel();
    }
}
