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
        Scenarios.Count > 1 ? "all" : Benchmark.NameOf(Scenarios[0]), Methods is null ? "all" : string.Join(',', Methods), Seeds);

    /// <summary>The command that computes a cell's method in its scenario for a number of seeds from 0.</summary>
    public string CommandOf(BenchmarkCell cell, int seeds) => CommandFor(Benchmark.NameOf(cell.Scenario), cell.Method, seeds);

    /// <summary>The cells, seed by seed, so that a table with few seeds is whole before one with many.</summary>
    public IReadOnlyList<BenchmarkCell> Cells() =>
        [.. from seed in Enumerable.Range(0, Seeds)
            from name in Methods ?? [.. Benchmark.Methods.Select(method => method.Name)]
            from scenario in ScenariosOf(name)
            select new BenchmarkCell(Benchmark.Name, scenario, name, seed, Iterations, PerClass)];

    /// <summary>Members of a family that have work, each with those of the methods that are made for one of its scenarios.</summary>
    /// <param name="members">What was asked for, of each member the same methods.</param>
    /// <exception cref="UsageException">A method is unknown, is named twice, or is made for none of the scenarios.</exception>
    public static IReadOnlyList<BenchSettings> WithOwnMethods(IReadOnlyList<BenchSettings> members)
    {
        if (members[0].Methods is not { } names) return members;
        if (names.GroupBy(name => name).FirstOrDefault(same => same.Count() > 1) is { } twice)
            throw new UsageException($"--methods: \"{twice.Key}\" occurs {twice.Count()} times, expected once");
        foreach (var name in names)
            if (!members.Any(member => member.ScenariosOf(name).Length > 0)) throw NotMadeFor(members, name);
        return [.. members
            .Select(member => member with { Methods = [.. names.Where(name => member.ScenariosOf(name).Length > 0)] })
            .Where(member => member.Methods!.Count > 0)];
    }

    private string CommandFor(string scenario, string methods, int seeds) => string.Create(
        CultureInfo.InvariantCulture,
        $"engram bench {Benchmark.Family} --scenario {scenario} --methods {methods} --seeds {seeds}{Shortening}{CommandLine.DataOption(Data)}");

    private string Shortening => string.Create(
        CultureInfo.InvariantCulture,
        $"{(Iterations is null ? "" : " --iterations ")}{Iterations}{(PerClass is null ? "" : " --per-class ")}{PerClass}");

    private static UsageException NotMadeFor(IReadOnlyList<BenchSettings> members, string name)
    {
        var family = BenchmarkList.All.Where(benchmark => benchmark.Family == members[0].Benchmark.Family);
        string[] others = [.. family.SelectMany(benchmark => benchmark.Scenarios
            .Where(benchmark.Method(name).Scenarios.Contains).Select(benchmark.NameOf))];
        return new UsageException(
            $"--methods: \"{name}\" is not made for {string.Join(", ", members.SelectMany(member => member.Scenarios.Select(member.Benchmark.NameOf)))}, "
            + $"expected {(others.Length == 0 ? "another method" : $"a scenario of {string.Join(", ", others)}")}");
    }

    private Scenario[] ScenariosOf(string method) => [.. Scenarios.Where(Known(method).Scenarios.Contains)];

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
