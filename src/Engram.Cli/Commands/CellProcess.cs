using System.Diagnostics;
using System.Globalization;
using Engram.Cli.Commands.Bench;

namespace Engram.Cli.Commands;

/// <summary>A cell in a process of its own: one thread of computation each, and a crash of one costs no other.</summary>
internal static class CellProcess
{
    /// <summary>Runs a command of this program to its end; it tells its progress as fractions, a line each.</summary>
    /// <param name="name">What to call the cell in messages.</param>
    /// <param name="arguments">The command.</param>
    /// <param name="progress">Told the share that is done.</param>
    /// <param name="cancellationToken">Asks the process to save its place and end.</param>
    /// <exception cref="UsageException">What it was told is wrong.</exception>
    /// <exception cref="FailureException">The process failed; the message is its last line.</exception>
    public static async Task Run(
        string name, IReadOnlyList<string> arguments, Action<double> progress, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var start = OwnProgram.With(arguments);
        // Waiting threads of OpenMP would take the other cells' cores.
        start.Environment["OMP_NUM_THREADS"] = "1";
        start.Environment["OMP_WAIT_POLICY"] = "PASSIVE";
        using var process = Process.Start(start)!;
        // Closing its input tells the child to stop; it does so too when this process is killed.
        await using var stop = cancellationToken.Register(process.StandardInput.Close);
        var error = process.StandardError.ReadToEndAsync(CancellationToken.None);
        while (await process.StandardOutput.ReadLineAsync(CancellationToken.None).ConfigureAwait(false) is { } line)
            if (double.TryParse(line, CultureInfo.InvariantCulture, out var fraction)) progress(fraction);
        await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        if (process.ExitCode == ExitCode.Success) return;
        var last = (await error.ConfigureAwait(false)).Trim().Split('\n')[^1];
        if (process.ExitCode == ExitCode.Usage) throw new UsageException(last.StartsWith("engram: ", StringComparison.Ordinal) ? last["engram: ".Length..] : last);
        throw new FailureException($"{name}: ended with code {process.ExitCode}: {last}");
    }
}
