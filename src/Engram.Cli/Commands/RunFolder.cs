using System.Text.Json;
using Engram.Evaluation;
using Engram.Evaluation.Benchmarks;
using Engram.Evaluation.Tuning;
using Engram.Reporting;
using Engram.Reporting.Tuning;

namespace Engram.Cli.Commands;

/// <summary>What a finished run, benchmark or search left in its folder.</summary>
internal static class RunFolder
{
    /// <summary>Reads the results of a run.</summary>
    /// <exception cref="UsageException">There are none, they are of something else, or the file is damaged; the message names it.</exception>
    public static RunResults Run(string folder) => Results(folder) switch
    {
        RunResults run => run,
        var other => throw new UsageException(
            $"RUN: \"{folder}\" holds {(other is BenchmarkTable ? "a benchmark's table" : "a search")}, expected the folder of a run (engram run)"),
    };

    /// <summary>Reads what is there: <see cref="RunResults"/>, a <see cref="BenchmarkTable"/> or <see cref="TuningResults"/>.</summary>
    /// <exception cref="UsageException">There is none of them, or the file is damaged; the message names it.</exception>
    public static object Results(string folder)
    {
        var search = Path.Combine(folder, TuningReport.ResultsFile);
        var file = File.Exists(search) ? search : Path.Combine(folder, ReportWriter.ResultsFile);
        if (!File.Exists(file)) throw new UsageException($"RUN: \"{folder}\" holds no {ReportWriter.ResultsFile}, expected the folder of a run");
        try
        {
            var json = File.ReadAllText(file);
            return file == search ? TuningResults.FromJson(json) : IsBenchmark(json) ? BenchmarkTable.FromJson(json) : RunResults.FromJson(json);
        }
        catch (FormatException problem)
        {
            throw new UsageException($"RUN: {file}: damaged ({problem.Message}), expected results as a run wrote them", problem);
        }
    }

    private static bool IsBenchmark(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return document.RootElement is { ValueKind: JsonValueKind.Object } root && root.TryGetProperty("benchmark", out _);
        }
        catch (JsonException)
        {
            return false; // the reader of runs says what is damaged
        }
    }
}
