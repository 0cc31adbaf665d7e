using Engram.Data;
using Engram.Learning;

namespace Engram.Evaluation.Benchmarks;

/// <summary>Every benchmark by name.</summary>
public static class BenchmarkList
{
    /// <summary>All benchmarks.</summary>
    public static IReadOnlyList<Benchmark> All { get; } =
    [
        new SplitMnist(), new PermutedMnist(), new RotatedMnist(), new SplitCifar(10, 5), new SplitCifar(100, 10),
        .. Enum.GetValues<Core50Protocol>().Select(protocol => new Core50Benchmark(protocol)),
    ];

    /// <summary>A scenario's name on the command line, as the benchmark calls it where this library has it.</summary>
    /// <param name="benchmark">Name of the benchmark.</param>
    /// <param name="scenario">The scenario.</param>
    internal static string NameOf(string benchmark, Scenario scenario) =>
        All.FirstOrDefault(known => known.Name == benchmark)?.NameOf(scenario) ?? BenchmarkCell.NameOf(scenario);

    /// <summary>The benchmark of a name.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="ArgumentException">There is none of that name; the message lists all.</exception>
    public static Benchmark Named(string name) =>
        All.FirstOrDefault(benchmark => benchmark.Name == name)
        ?? throw new ArgumentException(
            $"benchmark: \"{name}\" is unknown, expected one of {string.Join(", ", All.Select(benchmark => benchmark.Name))}");
}
