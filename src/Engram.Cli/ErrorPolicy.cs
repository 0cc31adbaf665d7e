using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;
using Engram.Evaluation;

namespace Engram.Cli;

/// <summary>The command is wrong; the message names the field, the value and what was expected.</summary>
internal class UsageException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The command is right and could not be done; the message says what, and what to do.</summary>
internal sealed class FailureException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Turns what goes wrong into one line on standard error and an exit code.</summary>
internal static partial class ErrorPolicy
{
    // EFBIG, ENOSPC and EDQUOT, as .NET reports them on Linux; ERROR_HANDLE_DISK_FULL and ERROR_DISK_FULL.
    private static readonly int[] s_diskFull = [27, 28, 122, unchecked((int)0x80070027), unchecked((int)0x80070070)];

    /// <summary>Shows stack traces too. Every command has it.</summary>
    public static Option<bool> Verbose() => new("--verbose") { Description = "Show details of errors, for bug reports." };

    /// <summary>Carries out a command.</summary>
    public static int Guard(CliHost host, ParseResult parsed, Func<int> command)
    {
        try
        {
            return command();
        }
        catch (OperationCanceledException) when (host.CancellationToken.IsCancellationRequested)
        {
            host.Error.WriteLine("engram: interrupted");
            return ExitCode.Interrupted;
        }
#pragma warning disable CA1031 // The one place where every exception ends: the user gets a line, not a stack trace.
        catch (Exception problem)
        {
            host.Error.WriteLine($"engram: {Line(problem)}");
            if (parsed.GetResult("--verbose") is OptionResult { Implicit: false }) host.Error.WriteLine(problem);
            // A missing file is one that was named, and so is the folder of a damaged place.
            return problem is UsageException or FileNotFoundException or DamagedCheckpointException ? ExitCode.Usage : ExitCode.Failure;
        }
#pragma warning restore CA1031
    }

    /// <summary>One line for people.</summary>
    public static string Line(Exception problem)
    {
        var message = Parameter().Replace(string.Join(' ', problem.Message.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries)), "");
        return problem switch
        {
            UsageException or FailureException or DamagedCheckpointException => message,
            _ when IsDiskFull(problem) =>
                $"disk: {message}, expected free space; files written before are whole",
            InvalidDataException or FileNotFoundException => $"data: {message}",
            IOException or UnauthorizedAccessException => $"file: {message}",
            DllNotFoundException or TypeInitializationException or BadImageFormatException or NotSupportedException
                when IsAboutLibtorch(problem) =>
                "libtorch: cannot be loaded, expected the native library beside the program (see: engram doctor)",
            _ => $"unexpected: {message} ({problem.GetType().Name}; --verbose shows where)",
        };
    }

    /// <summary>Whether there is no space left.</summary>
    public static bool IsDiskFull(Exception problem) =>
        problem is IOException && (s_diskFull.Contains(problem.HResult) || problem.InnerException is { } inner && IsDiskFull(inner));

    // What .NET adds to messages about arguments: a name in our code, which users don't know.
    [GeneratedRegex(@" \(Parameter '\w+'\)")]
    private static partial Regex Parameter();

    private static bool IsAboutLibtorch(Exception problem) =>
        problem.ToString().Contains("torch", StringComparison.OrdinalIgnoreCase);
}
