using Engram.Data;
using Engram.Evaluation.Benchmarks;

namespace Engram.Cli.Commands.Bench;

/// <summary>Where the data of benchmarks are, and how they are read.</summary>
internal static class BenchData
{
    /// <summary>Where a benchmark's data are.</summary>
    /// <exception cref="FailureException">Nowhere.</exception>
    public static string Find(Benchmark benchmark, string? asked) => benchmark.DataName switch
    {
        "mnist" => DataFolder.Mnist(asked),
        _ => throw new FailureException($"--data: no loader of {benchmark.DataName}, expected mnist"),
    };

    public static TrainAndTest Load(Benchmark benchmark, string path) => benchmark.DataName switch
    {
        "mnist" => Mnist.Load(path) is var digits ? new TrainAndTest(digits.Train, digits.Test) : null!,
        _ => throw new FailureException($"--data: no loader of {benchmark.DataName}, expected mnist"),
    };
}
