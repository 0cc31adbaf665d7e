using System.Text.Json;
using Engram.Evaluation;
using Engram.Reporting;
using Engram.Reporting.Tuning;

namespace Engram.Cli.Commands;

/// <summary>What left a folder of results.</summary>
internal enum RunKind
{
    /// <summary><c>engram run</c>.</summary>
    Run,

    /// <summary><c>engram bench</c>.</summary>
    Benchmark,

    /// <summary><c>engram tune</c>.</summary>
    Search,
}

/// <summary>What a finished run left in its folder.</summary>
internal static class RunFolder
{
    /// <summary>Reads a run's results.</summary>
    /// <exception cref="UsageException">There are none, or the file is damaged; the message names it.</exception>
    public static RunResults Results(string folder) => Read(folder, ReportWriter.ResultsFile, RunResults.FromJson);

    /// <summary>What left the folder; a run where nothing tells otherwise.</summary>
    public static RunKind KindOf(string folder)
    {
        if (File.Exists(Path.Combine(folder, TuningReport.ResultsFile))) return RunKind.Search;
        var results = Path.Combine(folder, ReportWriter.ResultsFile);
        if (!File.Exists(results)) return RunKind.Run;
        try
        {
            using var stream = File.OpenRead(results);
            using var document = JsonDocument.Parse(stream);
            return document.RootElement is { ValueKind: JsonValueKind.Object } root && root.TryGetProperty("benchmark", out _)
                ? RunKind.Benchmark : RunKind.Run;
        }
        catch (JsonException)
        {
            return RunKind.Run; // whose reader says what is damaged
        }
    }

    /// <summary>Reads results.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="name">Name of the file.</param>
    /// <param name="parse">Makes results of its text, or throws a <see cref="FormatException"/>.</param>
    /// <exception cref="UsageException">There are none, or the file is damaged; the message names it.</exception>
    public static T Read<T>(string folder, string name, Func<string, T> parse)
    {
        var file = Path.Combine(folder, name);
        if (!File.Exists(file)) throw new UsageException($"RUN: \"{folder}\" holds no {name}, expected the folder of a run");
        try
        {
            return parse(File.ReadAllText(file));
        }
        catch (FormatException problem)
        {
            throw new UsageException($"RUN: {file}: damaged ({problem.Message}), expected results as a run wrote them", problem);
        }
    }
}
