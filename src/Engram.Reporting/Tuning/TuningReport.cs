using Engram.Evaluation.Tuning;
using Engram.Persistence;

namespace Engram.Reporting.Tuning;

/// <summary>Writes a search for programs and for people.</summary>
public static class TuningReport
{
    /// <summary>Name of the file with the numbers.</summary>
    public const string ResultsFile = "tuning.json";

    /// <summary>Writes tuning.json, tradeoff.png and report.html, each whole or not at all.</summary>
    /// <param name="results">What was measured.</param>
    /// <param name="directory">Where to; created if need be. Files of an earlier search are replaced.</param>
    /// <returns>Full paths of the files, in the order they were written.</returns>
    /// <exception cref="IOException">The folder cannot be written to; files written before stay.</exception>
    public static IReadOnlyList<string> Write(TuningResults results, string directory)
    {
        ArgumentNullException.ThrowIfNull(results);
        ArgumentException.ThrowIfNullOrEmpty(directory);
        var folder = Directory.CreateDirectory(directory).FullName;
        var numbers = AtomicFile.Write(Path.Combine(folder, ResultsFile), results.ToJson() + "\n");
        var picture = TradeOffPlot.RenderPng(results);
        return
        [
            numbers,
            AtomicFile.Write(Path.Combine(folder, "tradeoff.png"), picture),
            AtomicFile.Write(Path.Combine(folder, "report.html"), TuningPage.Render(results, picture)),
        ];
    }
}
