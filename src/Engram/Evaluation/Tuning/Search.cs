using Engram.Data;

namespace Engram.Evaluation.Tuning;

/// <summary>
/// Which settings to try. A search is a function of what it varies, its seed and the scores known so far, so that one which was
/// stopped goes on by asking again.
/// </summary>
public abstract class Search
{
    /// <summary>Creates it.</summary>
    /// <param name="dimensions">What is varied; one or more, each key once.</param>
    /// <exception cref="ArgumentException">Nothing to vary, or a key twice.</exception>
    protected Search(IReadOnlyList<SearchDimension> dimensions)
    {
        ArgumentNullException.ThrowIfNull(dimensions);
        if (dimensions.Count == 0) throw new ArgumentException("vary: nothing, expected one key or more");
        if (dimensions.GroupBy(dimension => dimension.Key).FirstOrDefault(same => same.Count() > 1) is { } twice)
            throw new ArgumentException($"vary: {twice.Key} occurs {twice.Count()} times, expected once");
        Dimensions = [.. dimensions];
    }

    /// <summary>What is varied.</summary>
    public IReadOnlyList<SearchDimension> Dimensions { get; }

    /// <summary>How many trials there are in all.</summary>
    public abstract int Trials { get; }

    /// <summary>The work of all trials, in trials on everything; for progress.</summary>
    public virtual double Work => Trials;

    /// <summary>The trials that can be measured now, in any order; none when the search is over.</summary>
    /// <param name="scores">The score of each trial measured so far, by its key: greater is better, NaN is worst.</param>
    public abstract IReadOnlyList<Trial> Next(IReadOnlyDictionary<(int Number, double Share), double> scores);

    /// <summary>The best of the trials measured on everything; null where none was, or all diverged. The earlier of two that are equal.</summary>
    /// <param name="results">What was measured.</param>
    /// <param name="score">The score of a result.</param>
    public static TrialResult? Best(IEnumerable<TrialResult> results, Func<TrialResult, double> score)
    {
        ArgumentNullException.ThrowIfNull(results);
        ArgumentNullException.ThrowIfNull(score);
        return results.Where(result => result.Trial.Share == 1 && !double.IsNaN(score(result)))
            .OrderByDescending(score).ThenBy(result => result.Trial.Number).FirstOrDefault();
    }

    /// <summary>Where a score stands: settings that diverged stand last.</summary>
    /// <param name="score">The score.</param>
    protected static double Rank(double score) => double.IsNaN(score) ? double.NegativeInfinity : score;

    /// <summary>Settings by chance, all different where the dimensions have as many.</summary>
    /// <param name="count">How many.</param>
    /// <param name="seed">Decides which.</param>
    protected IReadOnlyList<IReadOnlyDictionary<string, string>> Drawn(int count, long seed)
    {
        const int Patience = 100; // draws in vain before a repeat is taken for the end of all that there is
        var random = new SeededRandom(seed, "search");
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var drawn = new List<IReadOnlyDictionary<string, string>>();
        for (var vain = 0; drawn.Count < count && vain < Patience;)
        {
            var values = Dimensions.ToDictionary(dimension => dimension.Key, dimension => dimension.Draw(random));
            if (!seen.Add(string.Join('\n', values.Values)))
            {
                vain++;
                continue;
            }
            vain = 0;
            drawn.Add(values);
        }
        return drawn;
    }
}

/// <summary>Every combination of choices and of evenly spread points of ranges.</summary>
public sealed class GridSearch : Search
{
    private const int Most = 100_000;

    private readonly Trial[] _trials;

    /// <summary>Creates it.</summary>
    /// <param name="dimensions">What is varied.</param>
    /// <param name="points">Points of each range.</param>
    /// <exception cref="ArgumentException">More combinations than anybody would wait for.</exception>
    public GridSearch(IReadOnlyList<SearchDimension> dimensions, int points = 5) : base(dimensions)
    {
        var all = Dimensions.Select(dimension => dimension.Points(points)).ToArray();
        var count = all.Aggregate((Int128)1, (product, values) => product * values.Count);
        if (count > Most) throw new ArgumentException($"vary: {count} combinations, expected at most {Most}");
        _trials = [.. Enumerable.Range(0, (int)count).Select(number => new Trial(number, Values(all, number)))];
    }

    /// <inheritdoc/>
    public override int Trials => _trials.Length;

    /// <inheritdoc/>
    public override IReadOnlyList<Trial> Next(IReadOnlyDictionary<(int Number, double Share), double> scores) =>
        [.. _trials.Where(trial => !scores.ContainsKey(trial.Key))];

    // The last dimension turns fastest.
    private Dictionary<string, string> Values(IReadOnlyList<string>[] all, int number)
    {
        var values = new string[all.Length];
        for (var d = all.Length - 1; d >= 0; d--, number /= all[d + 1].Count) values[d] = all[d][number % all[d].Count];
        return Dimensions.Zip(values).ToDictionary(pair => pair.First.Key, pair => pair.Second);
    }
}

/// <summary>Settings by chance: Bergstra and Bengio 2012, "Random Search for Hyper-Parameter Optimization".</summary>
public sealed class RandomSearch : Search
{
    private readonly Trial[] _trials;

    /// <summary>Creates it.</summary>
    /// <param name="dimensions">What is varied.</param>
    /// <param name="trials">How many settings; fewer where the dimensions have fewer.</param>
    /// <param name="seed">Decides which.</param>
    public RandomSearch(IReadOnlyList<SearchDimension> dimensions, int trials, long seed) : base(dimensions)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(trials, 1);
        _trials = [.. Drawn(trials, seed).Select((values, number) => new Trial(number, values))];
    }

    /// <inheritdoc/>
    public override int Trials => _trials.Length;

    /// <inheritdoc/>
    public override IReadOnlyList<Trial> Next(IReadOnlyDictionary<(int Number, double Share), double> scores) =>
        [.. _trials.Where(trial => !scores.ContainsKey(trial.Key))];
}

/// <summary>
/// Many settings on little, the better ones on more: successive halving (Jamieson and Talwalkar 2016, "Non-stochastic Best Arm
/// Identification and Hyperparameter Optimization"), by a factor η as in Li et al. 2018, "Hyperband", algorithm 1.
/// </summary>
/// <remarks>What is rationed is the share of each experience's training samples: η^−(K−k) of them in round k of 0 to K.</remarks>
public sealed class SuccessiveHalving : Search
{
    private readonly IReadOnlyList<IReadOnlyDictionary<string, string>> _settings;
    private readonly int _eta;
    private readonly int _last; // K

    /// <summary>Creates it.</summary>
    /// <param name="dimensions">What is varied.</param>
    /// <param name="trials">How many settings the first round has.</param>
    /// <param name="seed">Decides which.</param>
    /// <param name="eta">η: of how many settings one goes on; 2 or more.</param>
    /// <param name="leastShare">Least share of the samples that a round may have, so that it still tells settings apart.</param>
    public SuccessiveHalving(IReadOnlyList<SearchDimension> dimensions, int trials, long seed, int eta = 3, double leastShare = 0.1)
        : base(dimensions)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(trials, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(eta, 2);
        if (leastShare is not (> 0 and <= 1)) throw new ArgumentException($"leastShare: {leastShare}, expected above 0, at most 1");
        (_settings, _eta) = (Drawn(trials, seed), eta);
        for (long room = eta; room <= _settings.Count && 1.0 / room >= leastShare; room *= eta) _last++;
    }

    /// <inheritdoc/>
    public override int Trials => Enumerable.Range(0, _last + 1).Sum(Width);

    /// <inheritdoc/>
    public override double Work => Enumerable.Range(0, _last + 1).Sum(round => Width(round) * Share(round));

    /// <inheritdoc/>
    public override IReadOnlyList<Trial> Next(IReadOnlyDictionary<(int Number, double Share), double> scores)
    {
        ArgumentNullException.ThrowIfNull(scores);
        var there = Enumerable.Range(0, _settings.Count).ToArray();
        for (var round = 0; round <= _last; round++)
        {
            var trials = there.Select(number => new Trial(number, _settings[number], Share(round))).ToArray();
            if (trials.Where(trial => !scores.ContainsKey(trial.Key)).ToArray() is { Length: > 0 } missing) return missing;
            if (round == _last) break;
            there = [.. trials.OrderByDescending(trial => Rank(scores[trial.Key])).ThenBy(trial => trial.Number)
                .Take(Width(round + 1)).Select(trial => trial.Number)];
        }
        return [];
    }

    private int Width(int round) => Math.Max(1, (int)(_settings.Count / Math.Pow(_eta, round)));

    private double Share(int round) => 1 / Math.Pow(_eta, _last - round);
}
