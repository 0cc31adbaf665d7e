using Engram.Evaluation;
using Engram.Persistence;

namespace Engram.Reporting;

/// <summary>Writes everything a reader wants to have of a run into one folder.</summary>
public static class ReportWriter
{
    /// <summary>Name of the machine-readable results (schema: docs/results.md).</summary>
    public const string ResultsFile = "results.json";

    /// <summary>Name of the self-contained report.</summary>
    public const string ReportFile = "report.html";

    /// <summary>Name of the picture with the learning curves.</summary>
    public const string AccuracyFile = "accuracy.png";

    /// <summary>Name of the picture with the accuracy matrices.</summary>
    public const string MatrixFile = "matrix.png";

    /// <summary>Writes results.json, report.html, accuracy.png and matrix.png, each whole or not at all.</summary>
    /// <param name="results">What was measured.</param>
    /// <param name="directory">Where to; created if need be. Files of an earlier report are replaced.</param>
    /// <returns>Full paths of the files, in the order they were written: the results first.</returns>
    /// <exception cref="ArgumentException">The accuracies of a strategy form no matrix of fractions.</exception>
    /// <exception cref="IOException">The folder cannot be written to; files written before stay.</exception>
    public static IReadOnlyList<string> Write(RunResults results, string directory)
    {
        ArgumentNullException.ThrowIfNull(results);
        ArgumentException.ThrowIfNullOrEmpty(directory);
        var folder = Directory.CreateDirectory(directory).FullName;
        // The results go first: whatever may fail to draw them, the numbers of a long run are safe.
        return
        [
            AtomicFile.Write(Path.Combine(folder, ResultsFile), results.ToJson() + "\n"),
            AtomicFile.Write(Path.Combine(folder, ReportFile), HtmlReport.Render(results)),
            AtomicFile.Write(Path.Combine(folder, AccuracyFile), AccuracyPlot.RenderPng(results)),
            AtomicFile.Write(Path.Combine(folder, MatrixFile), MatrixPlot.RenderPng(results)),
        ];
    }
}
