using Engram.Data;

namespace Engram.Streams;

/// <summary>Parts a source in two, class by class, by seed.</summary>
public static class StratifiedSplit
{
    /// <summary>Sets a share of every class aside; both parts keep the source's order.</summary>
    /// <param name="source">What to part. Sources without classes are parted as one group.</param>
    /// <param name="fraction">The share to set aside, above 0 and below 1.</param>
    /// <param name="random">Decides which samples.</param>
    /// <returns>
    /// The rest and the part set aside. A class of n samples gives round(n · fraction), at least 1 and at most n − 1 where
    /// it has two or more; a class of one sample stays whole in the rest.
    /// </returns>
    /// <exception cref="ArgumentException">The fraction is out of range.</exception>
    public static (SubsetSource Kept, SubsetSource Aside) Of(ISampleSource source, double fraction, SeededRandom random)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(random);
        if (fraction is not (> 0 and < 1))
            throw new ArgumentException($"fraction: {fraction}, expected above 0 and below 1", nameof(fraction));
        var aside = new bool[source.Count];
        foreach (var members in ByClass(source))
        {
            random.Shuffle<int>(members);
            var share = (int)Math.Round(members.Length * fraction, MidpointRounding.AwayFromZero);
            share = members.Length < 2 ? 0 : Math.Clamp(share, 1, members.Length - 1);
            foreach (var index in members.AsSpan(0, share)) aside[index] = true;
        }
        return (Where(false), Where(true));

        SubsetSource Where(bool side) =>
            new(source, [.. Enumerable.Range(0, source.Count).Where(index => aside[index] == side)]);
    }

    /// <summary>The indices of the samples of every label code, ascending; one group of all where there are no classes.</summary>
    internal static int[][] ByClass(ISampleSource source)
    {
        if (source.TargetKind != TargetKind.Classes) return [[.. Enumerable.Range(0, source.Count)]];
        var members = source.Labels.Select(_ => new List<int>()).ToArray();
        var codes = source.Codes.Span;
        for (var index = 0; index < codes.Length; index++) members[codes[index]].Add(index);
        return [.. members.Select(list => list.ToArray())];
    }
}
