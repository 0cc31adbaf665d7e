using System.Globalization;
using Engram.Evaluation.Benchmarks;
using Engram.Learning;

namespace Engram.Cli.Commands.Bench;

/// <summary>What <c>engram bench</c> was asked for.</summary>
internal sealed record BenchSettings
{
    public required Benchmark Benchmark { get; init; }

    public required IReadOnlyList<Scenario> Scenarios { get; init; }

    /// <summary>Names; null for all those of the paper.</summary>
    public IReadOnlyList<string>? Methods { get; init; }

    public required int Seeds { get; init; }

    public required int Jobs { get; init; }

    public required string Out { get; init; }

    public string? Data { get; init; }

    public int? Iterations { get; init; }

    public int? PerClass { get; init; }

    public string? Markdown { get; init; }

    public bool Json { get; init; }

    /// <summary>The command that computes the table; without the folder of results, which is nobody else's.</summary>
    public string Command => CommandFor(
        Scenarios.Count > 1 ? "all" : Benchmark.NameOf(Scenarios[0]), Methods is null ? "all" : string.Join(',', Methods), Seeds, Cells()[0]);

    /// <summary>The command that computes a cell's method in its scenario for a number of seeds from 0.</summary>
    public string CommandOf(BenchmarkCell cell, int seeds) => CommandFor(Benchmark.NameOf(cell.Scenario), cell.Method, seeds, cell);

    /// <summary>The cells, seed by seed, so that a table with few seeds is whole before one with many.</summary>
    /// <exception cref="UsageException">A method is unknown, or made for none of the scenarios.</exception>
    public IReadOnlyList<BenchmarkCell> Cells()
    {
        var names = Methods ?? [.. Benchmark.Methods.Select(method => method.Name)];
        if (names.GroupBy(name => name).FirstOrDefault(same => same.Count() > 1) is { } twice)
            throw new UsageException($"--methods: \"{twice.Key}\" occurs {twice.Count()} times, expected once");
        var pairs = new List<(string Method, Scenario Scenario)>();
        foreach (var name in names)
        {
            var method = Known(name);
            Scenario[] own = [.. Scenarios.Where(method.Scenarios.Contains)];
            if (own.Length == 0 && Methods is not null)
                throw new UsageException(
                    $"--methods: \"{name}\" is not made for {string.Join(", ", Scenarios.Select(Benchmark.NameOf))}, "
                    + $"expected a scenario of {string.Join(", ", method.Scenarios.Select(Benchmark.NameOf))}");
            pairs.AddRange(own.Select(scenario => (name, scenario)));
        }
        return [.. from seed in Enumerable.Range(0, Seeds)
                   from pair in pairs
                   select new BenchmarkCell(Benchmark.Name, pair.Scenario, pair.Method, seed, Iterations, PerClass)];
    }

    private string CommandFor(string scenario, string methods, int seeds, BenchmarkCell like) => string.Create(
        CultureInfo.InvariantCulture,
        $"engram bench {Benchmark.Family} --scenario {scenario} --methods {methods} --seeds {seeds}{like.Shortening}{CommandLine.DataOption(Data)}");

    private BenchmarkMethod Known(string name)
    {
        try
        {
            return Benchmark.Method(name);
        }
        catch (ArgumentException problem)
        {
            throw new UsageException($"--{problem.Message}", problem);
        }
    }
}
