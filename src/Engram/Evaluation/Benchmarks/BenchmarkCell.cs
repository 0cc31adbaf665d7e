using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Engram.Data;
using Engram.Learning;

namespace Engram.Evaluation.Benchmarks;

/// <summary>Training and test samples of one data set.</summary>
/// <param name="Train">Training samples.</param>
/// <param name="Test">Test samples.</param>
public sealed record TrainAndTest(ISampleSource Train, EvaluationSet Test);

/// <summary>One run of a benchmark: one method, scenario and seed.</summary>
/// <param name="Benchmark">Name of the benchmark.</param>
/// <param name="Scenario">What is known at test time.</param>
/// <param name="Method">Name of the method.</param>
/// <param name="Seed">Seed.</param>
/// <param name="Iterations">Steps per context instead of the protocol's, for a short look; null for the protocol's.</param>
/// <param name="PerClass">Samples of each class instead of all, for a short look; null for all.</param>
/// <param name="Data">Fingerprint of the files with the data; null where they are not told apart.</param>
/// <param name="Reader">Fingerprint of the sources that read them, where those are not the library's; null where they are.</param>
public sealed record BenchmarkCell(
    string Benchmark, Scenario Scenario, string Method, long Seed, int? Iterations = null, int? PerClass = null, string? Data = null,
    string? Reader = null)
{
    /// <summary>Whether the protocol is shortened, so that nothing may be compared with published numbers.</summary>
    [JsonIgnore]
    public bool IsShort => Iterations is not null || PerClass is not null;

    /// <summary>A file name for its result: the same cell, computed by the same code from the same data, has the same.</summary>
    [JsonIgnore]
    public string Key
    {
        get
        {
            var all = JsonSerializer.SerializeToUtf8Bytes(new { Cell = this, Code = RunEnvironment.LibrarySources }, ResultsJson.Options);
            var hash = Convert.ToHexStringLower(SHA256.HashData(all))[..12];
            var scenario = $"-{BenchmarkList.NameOf(Benchmark, Scenario)}";
            var named = Benchmark.EndsWith(scenario, StringComparison.Ordinal) ? Benchmark : Benchmark + scenario;
            return $"{named}-{Method.Replace("+", "-and-", StringComparison.Ordinal)}-{Seed}-{hash}";
        }
    }

    /// <summary>A scenario's name on the command line: <c>task</c>, <c>domain</c> or <c>class</c>.</summary>
    /// <param name="scenario">The scenario.</param>
    public static string NameOf(Scenario scenario) => scenario switch
    {
        Scenario.TaskIncremental => "task",
        Scenario.DomainIncremental => "domain",
        _ => "class",
    };
}

/// <summary>What a cell came to.</summary>
/// <param name="Cell">The cell.</param>
/// <param name="CodeVersion">Version of the library that computed it.</param>
/// <param name="Sources">Fingerprint of the library's sources that computed it, committed or not.</param>
/// <param name="Processor">Processor that computed it.</param>
/// <param name="Seconds">Time it took, interruptions not counted.</param>
/// <param name="Accuracy">The protocol's metric in per cent: the mean of the accuracies on all contexts at the end.</param>
/// <param name="Result">Everything measured.</param>
public sealed record CellResult(
    BenchmarkCell Cell, string CodeVersion, string Sources, string Processor, double Seconds, double Accuracy, StrategyResult Result)
{
    /// <summary>From a run's measurements.</summary>
    /// <param name="cell">The cell.</param>
    /// <param name="seconds">Time it took.</param>
    /// <param name="result">What was measured.</param>
    public static CellResult Of(BenchmarkCell cell, double seconds, StrategyResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        return new CellResult(cell, RunEnvironment.EngramVersion, RunEnvironment.LibrarySources, RunEnvironment.Processor(), seconds, AccuracyOf(result), result);
    }

    /// <summary>Writes it as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ResultsJson.Options);

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <param name="json">The text.</param>
    /// <exception cref="FormatException">It is no result of a cell.</exception>
    public static CellResult FromJson(string json)
    {
        var read = ResultsJson.Read<CellResult>(json, "cell");
        read.Result.Check("result");
        ResultsJson.CheckSeconds("seconds", read.Seconds);
        return Math.Abs(read.Accuracy - AccuracyOf(read.Result)) < ResultsJson.Rounding
            ? read
            : throw new FormatException($"accuracy: {read.Accuracy}, expected {AccuracyOf(read.Result)}, the mean of the last row of result.accuracy in per cent");
    }

    private static double AccuracyOf(StrategyResult result) => 100 * result.Accuracy[^1].Average();
}
