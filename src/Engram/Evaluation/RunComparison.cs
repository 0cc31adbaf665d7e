using Engram.Evaluation.Benchmarks;

namespace Engram.Evaluation;

/// <summary>Runs of the same experiment side by side, strategy by strategy: means over runs, and differences run by run.</summary>
/// <param name="Baseline">Name of the strategy that the others are held against.</param>
/// <param name="Rows">One row per strategy, in the order they first occur.</param>
public sealed record RunComparison(string Baseline, IReadOnlyList<ComparedStrategy> Rows)
{
    private const string Seed = "seed";

    // The name of a file says nothing of what is in it, and a strategy may be missing in some runs.
    private static readonly string[] s_free = [Seed, "file", "strategies"];

    /// <summary>Compares runs.</summary>
    /// <param name="runs">The runs; a strategy may be missing in some.</param>
    /// <param name="baseline">The strategy to hold the others against; null for the first.</param>
    /// <exception cref="ArgumentException">
    /// Runs of different experiments, groups of classes or settings but the seed, one seed twice, nothing to compare, or no such baseline.
    /// </exception>
    public static RunComparison Of(IReadOnlyList<RunResults> runs, string? baseline = null)
    {
        ArgumentNullException.ThrowIfNull(runs);
        if (runs.Count == 0) throw new ArgumentException("runs: none, expected one or more");
        foreach (var run in runs)
            if (run.Experiment != runs[0].Experiment || run.Groups.Count != runs[0].Groups.Count || !Classes(run).SetEquals(Classes(runs[0])))
                throw new ArgumentException(
                    $"runs: {run.Experiment} ({string.Join("; ", run.Groups.Select(group => group.Name))}) beside "
                    + $"{runs[0].Experiment} ({string.Join("; ", runs[0].Groups.Select(group => group.Name))}), expected runs of one experiment");
        CheckSettings(runs);
        var strategies = runs.SelectMany(run => run.Strategies).Select(strategy => strategy.Name).Distinct().ToArray();
        if (strategies.Length == 0) throw new ArgumentException("runs: no strategy came to its end, expected one or more");
        baseline ??= strategies[0];
        if (!strategies.Contains(baseline))
            throw new ArgumentException($"baseline: \"{baseline}\", expected one of {string.Join(", ", strategies)}");
        return new RunComparison(baseline, [.. strategies.Select(name => Row(runs, name, baseline))]);
    }

    // A mean over settings, or over one seed counted twice, would be none over seeds.
    private static void CheckSettings(IReadOnlyList<RunResults> runs)
    {
        foreach (var run in runs)
            foreach (var name in runs[0].Settings.Keys.Union(run.Settings.Keys).Except(s_free))
                if (Of(run, name) != Of(runs[0], name))
                    throw new ArgumentException(
                        $"runs: {name}: \"{Of(run, name) ?? "nothing"}\" beside \"{Of(runs[0], name) ?? "nothing"}\", expected runs that differ in the seed alone");
        var pairs = runs.SelectMany(run => run.Strategies.Select(strategy => (strategy.Name, Seed: Of(run, Seed)))).Where(pair => pair.Seed is not null);
        if (pairs.GroupBy(pair => pair).FirstOrDefault(same => same.Count() > 1) is { Key: var twice } found)
            throw new ArgumentException($"runs: seed {twice.Seed} of {twice.Name} is there {found.Count()} times, expected each seed once");

        static string? Of(RunResults run, string name) => run.Settings.GetValueOrDefault(name);
    }

    // Seeds may deal the classes to other experiences; the classes are the same.
    private static HashSet<string> Classes(RunResults run) => [.. run.Groups.SelectMany(group => group.Classes)];

    private static ComparedStrategy Row(IReadOnlyList<RunResults> runs, string name, string baseline)
    {
        var found = runs.Select(run => run.Strategies.FirstOrDefault(strategy => strategy.Name == name)).ToArray();
        var pairs = found.Zip(runs.Select(run => run.Strategies.FirstOrDefault(strategy => strategy.Name == baseline)))
            .Where(pair => pair.First is not null && pair.Second is not null)
            .Select(pair => Final(pair.First!) - Final(pair.Second!)).ToArray();
        StrategyResult[] there = [.. found.OfType<StrategyResult>()];
        return new ComparedStrategy(
            name, there[0].Title, [.. found.Select(strategy => strategy is null ? double.NaN : Final(strategy))],
            MeasuredNumber.Of([.. there.Select(Final)]),
            MeasuredNumber.Of([.. there.Select(strategy => 100 * strategy.Metrics.GetValueOrDefault(MetricNames.Forgetting, double.NaN))]),
            name == baseline || pairs.Length == 0 ? null : MeasuredNumber.Of(pairs));
    }

    private static double Final(StrategyResult strategy) => 100 * strategy.AccuracySoFar[^1];
}

/// <summary>A strategy over several runs; all numbers in per cent.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Title">Its title.</param>
/// <param name="PerRun">Accuracy over all classes at the end of each run; NaN where the run has no such strategy.</param>
/// <param name="Accuracy">Their mean and standard error.</param>
/// <param name="Forgetting">Mean and standard error of forgetting.</param>
/// <param name="Difference">Mean and standard error of the differences to the baseline, run by run; null for the baseline itself.</param>
public sealed record ComparedStrategy(
    string Name, string Title, IReadOnlyList<double> PerRun, MeasuredNumber Accuracy, MeasuredNumber Forgetting,
    MeasuredNumber? Difference);
