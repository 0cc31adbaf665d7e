using Engram.Server.Serving;
using Engram.Server.Store;

namespace Engram.Server.Gating;

/// <summary>What a candidate, and the published version beside it, say of held-out samples and pinned examples.</summary>
internal sealed class Examination
{
    private const int FewestForCalibration = 20;
    private const int LatencyAsked = 21;
    private readonly IReadOnlyList<LabelledSample> _samples;
    private readonly bool[] _right;
    private readonly bool[]? _rightBefore;

    /// <param name="candidate">The candidate.</param>
    /// <param name="champion">The published version; null before the first.</param>
    /// <param name="heldOut">Held-out samples; those whose label neither knows are left out.</param>
    /// <param name="examples">Pinned examples.</param>
    /// <param name="clock">Measures latency.</param>
    /// <param name="betweenBatches">Called between batches; may wait.</param>
    public Examination(
        ServedModel candidate, ServedModel? champion, IReadOnlyList<LabelledSample> heldOut, IReadOnlyList<StoredExample> examples,
        TimeProvider clock, Action betweenBatches)
    {
        var known = candidate.Labels.Concat(champion?.Labels ?? []).ToHashSet(StringComparer.Ordinal);
        _samples = [.. heldOut.Where(sample => known.Contains(sample.Label))];
        var scored = candidate.Score(_samples, betweenBatches);
        _right = Right(scored);
        candidate.Calibration = Calibrated(scored);
        CalibrationError = CrossFitted(scored.Known());
        if (champion is not null) _rightBefore = Right(champion.Score(_samples, betweenBatches));
        LabelledSample[] pinned = [.. examples.Select(example => new LabelledSample(0, example.Input, example.Label))];
        var (now, before) = (Right(candidate.Score(pinned)), champion is null ? null : Right(champion.Score(pinned)));
        Pinned = pinned.Length;
        PinnedRight = now.Count(right => right);
        Lost = before is null ? [] : [.. examples.Where((_, i) => before[i] && !now[i]).Select(example => example.Id)];
        LatencyMs = _samples.Count == 0 ? null : Latency(candidate, _samples[^1].Input, clock);
    }

    /// <summary>Held-out samples asked.</summary>
    public int Count => _samples.Count;

    /// <summary>Share of them that is right; null without any.</summary>
    public double? Accuracy => Count == 0 ? null : Share(_right);

    /// <summary>The published version's; null without any.</summary>
    public double? AccuracyBefore => Count == 0 || _rightBefore is null ? null : Share(_rightBefore);

    /// <summary>Expected calibration error, each half measured with the temperature of the other; null where too few are held out.</summary>
    public double? CalibrationError { get; }

    /// <summary>Median milliseconds of one prediction; null where there was nothing to ask.</summary>
    public double? LatencyMs { get; }

    /// <summary>Pinned examples.</summary>
    public int Pinned { get; }

    /// <summary>Those that are right.</summary>
    public int PinnedRight { get; }

    /// <summary>Ids of pinned examples that the published version has right and the candidate wrong.</summary>
    public IReadOnlyList<string> Lost { get; }

    /// <summary>Held-out samples by class, and how many are right now and were before.</summary>
    public IEnumerable<(string Label, int Samples, int Right, int? RightBefore, Drop Drop)> Classes =>
        _samples.Select((sample, i) => (sample.Label, i)).GroupBy(pair => pair.Label, StringComparer.Ordinal).Select(group => (
            group.Key, group.Count(), group.Count(pair => _right[pair.i]), _rightBefore is null ? (int?)null : group.Count(pair => _rightBefore[pair.i]),
            DropOver(group.Select(pair => pair.i))));

    /// <summary>Recall by class.</summary>
    public IReadOnlyDictionary<string, double> ClassAccuracy => Classes.ToDictionary(one => one.Label, one => (double)one.Right / one.Samples);

    /// <summary>How far the candidate falls below the published version, over all.</summary>
    public Drop Total => DropOver(Enumerable.Range(0, Count));

    private Drop DropOver(IEnumerable<int> places)
    {
        var (worse, better, count) = (0, 0, 0);
        foreach (var i in places)
        {
            count++;
            if (_rightBefore is null || _rightBefore[i] == _right[i]) continue;
            if (_right[i]) better++;
            else worse++;
        }
        return new Drop(worse, better, count);
    }

    private static Calibration Calibrated(ScoredSamples scored) => Calibration.Choose(scored.Known());

    private static double? CrossFitted(ScoredSamples known)
    {
        if (known.Count < FewestForCalibration) return null;
        var (even, odd) = (known.Known(i => i % 2 == 0), known.Known(i => i % 2 == 1));
        return ((ErrorOf(even, Calibration.Fit(odd)) * even.Count) + (ErrorOf(odd, Calibration.Fit(even)) * odd.Count)) / known.Count;
    }

    // Σ_m |B_m|/n · |accuracy(B_m) − confidence(B_m)| over 15 bins ((m − 1)/15, m/15] (Guo et al. 2017).
    private static double ErrorOf(ScoredSamples scored, double temperature)
    {
        const int Bins = 15;
        var gaps = new double[Bins];
        for (var i = 0; i < scored.Count; i++)
        {
            var confidence = scored.Confidence(i, temperature);
            gaps[Math.Clamp((int)Math.Ceiling(confidence * Bins) - 1, 0, Bins - 1)] += confidence - (scored.Best(i) == scored.Truth[i] ? 1 : 0);
        }
        return gaps.Sum(Math.Abs) / scored.Count;
    }

    private static double Latency(ServedModel model, byte[] input, TimeProvider clock)
    {
        var took = new double[LatencyAsked];
        for (var i = 0; i < took.Length; i++)
        {
            var started = clock.GetTimestamp();
            model.Score([input]);
            took[i] = clock.GetElapsedTime(started).TotalMilliseconds;
        }
        Array.Sort(took);
        return took[took.Length / 2];
    }

    private static bool[] Right(ScoredSamples scored)
    {
        var right = new bool[scored.Count];
        for (var i = 0; i < right.Length; i++) right[i] = scored.Truth[i] >= 0 && scored.Best(i) == scored.Truth[i];
        return right;
    }

    private static double Share(bool[] right) => (double)right.Count(one => one) / right.Length;
}

/// <summary>How a candidate differs from the published version on the same samples.</summary>
/// <param name="Worse">Right before and wrong now.</param>
/// <param name="Better">Wrong before and right now.</param>
/// <param name="Count">Samples in all.</param>
internal readonly record struct Drop(int Worse, int Better, int Count)
{
    /// <summary>By how much accuracy falls.</summary>
    public double Share => Count == 0 ? 0 : (double)(Worse - Better) / Count;

    /// <summary>
    /// Whether accuracy falls by more than a bound, and by more than chance: the difference of a pair of classifiers on the same samples
    /// has variance (worse + better)/n² where both are equally good (McNemar 1947). One standard error is asked for, and of the worst of
    /// K classes √(2 ln K), about where the largest of K chance falls lies.
    /// </summary>
    /// <param name="bound">The bound.</param>
    /// <param name="among">K, the classes that are judged together.</param>
    public bool Exceeds(double bound, int among = 1) =>
        Share > bound && Worse - Better > Math.Max(1, Math.Sqrt(2 * Math.Log(among))) * Math.Sqrt(Worse + Better);
}
