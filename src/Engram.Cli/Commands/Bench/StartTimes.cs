using System.Diagnostics;
using Engram.Evaluation.Speed;

namespace Engram.Cli.Commands.Bench;

/// <summary>How soon the program answers, measured on processes of its own.</summary>
internal static class StartTimes
{
    private const int Rounds = 5;

    public static IEnumerable<SpeedRow> Run(string data)
    {
        yield return new SpeedRow("engram --version", Median(() => Seconds(["--version"], line => line.Length > 0)), "s", 0.25, false);
        var folder = Path.Combine(Path.GetTempPath(), $"engram-speed-{Environment.ProcessId}");
        try
        {
            var round = 0;
            // The first line after the start tells of the first phase, which is short: its own time is taken off.
            yield return new SpeedRow("engram run, to its first batch", Median(() => Seconds(
                ["run", "digits", "--quick", "--json", "--data", data, "--out", Path.Combine(folder, $"{round++}")],
                line => line.Contains("\"event\":\"start\"", StringComparison.Ordinal))), "s", 2.5, false, "to the line that says that it starts");
        }
        finally
        {
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        }
    }

    private static double Median(Func<double> seconds) => PairedRuns.Median(Enumerable.Range(0, Rounds).Select(_ => seconds()));

    // From the start of the process to the first line that is wanted; the process ends there.
    private static double Seconds(string[] arguments, Predicate<string> wanted)
    {
        var began = Stopwatch.GetTimestamp();
        using var process = Process.Start(OwnProgram.With(arguments))!;
        while (process.StandardOutput.ReadLine() is { } line)
            if (wanted(line)) break;
        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        process.Kill();
        process.WaitForExit();
        return seconds;
    }
}
