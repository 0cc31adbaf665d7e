using System.Globalization;
using System.Text;
using Engram.Evaluation.Benchmarks;
using Engram.Persistence;

namespace Engram.Reporting.Benchmarks;

/// <summary>Writes a benchmark's table for programs and for people.</summary>
public static class BenchmarkReport
{
    /// <summary>Name of the file with the table.</summary>
    public const string ResultsFile = "results.json";

    /// <summary>Writes results.json, results.csv, table.png and report.html, each whole or not at all.</summary>
    /// <param name="table">The table.</param>
    /// <param name="directory">Where to; created if need be. Files of an earlier table are replaced.</param>
    /// <returns>Full paths of the files, in the order they were written.</returns>
    /// <exception cref="IOException">The folder cannot be written to; files written before stay.</exception>
    public static IReadOnlyList<string> Write(BenchmarkTable table, string directory)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentException.ThrowIfNullOrEmpty(directory);
        var folder = Directory.CreateDirectory(directory).FullName;
        return
        [
            AtomicFile.Write(Path.Combine(folder, ResultsFile), table.ToJson() + "\n"),
            AtomicFile.Write(Path.Combine(folder, "results.csv"), Csv(table)),
            AtomicFile.Write(Path.Combine(folder, "table.png"), BenchmarkPlot.RenderPng(table)),
            AtomicFile.Write(Path.Combine(folder, "report.html"), BenchmarkPage.Render(table)),
        ];
    }

    /// <summary>One line per method, scenario and seed.</summary>
    /// <param name="table">The table.</param>
    public static string Csv(BenchmarkTable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        var text = new StringBuilder("benchmark,scenario,method,seed,accuracy,published_mean,published_sem,backward_transfer,published_backward_transfer\n");
        foreach (var entry in table.Entries)
            for (var i = 0; i < entry.Seeds.Count; i++)
                text.Append(CultureInfo.InvariantCulture,
                    $"{table.Benchmark},{table.NameOf(entry.Scenario)},{entry.Method},{entry.Seeds[i]},{entry.Accuracies[i]:R},{entry.Published?.Mean},{entry.Published?.Sem},{entry.Transfer?.Values[i]:R},{entry.Transfer?.Published?.Mean}\n");
        return text.ToString();
    }
}
