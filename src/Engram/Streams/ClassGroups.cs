using Engram.Data;

namespace Engram.Streams;

/// <summary>Which classes come together.</summary>
public static class ClassGroups
{
    private static readonly string[] s_places =
        ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"];

    /// <summary>Cuts a list of labels into groups.</summary>
    /// <param name="labels">All labels.</param>
    /// <param name="sizes">The size of each group; the sum is the number of labels.</param>
    /// <param name="seed">Shuffles the labels first, as protocols with a class order per seed do; null keeps their order.</param>
    /// <exception cref="ArgumentException">Sizes that do not add up, or a size below 1.</exception>
    public static Label[][] Split(IReadOnlyList<Label> labels, IReadOnlyList<int> sizes, long? seed = null)
    {
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentNullException.ThrowIfNull(sizes);
        if (sizes.Any(size => size < 1) || sizes.Sum() != labels.Count)
            throw new ArgumentException(
                $"sizes: [{string.Join(", ", sizes)}], expected positive numbers with the sum {labels.Count}", nameof(sizes));
        Label[] order = [.. labels];
        if (seed is { } number) new SeededRandom(number, "class order").Shuffle<Label>(order);
        var start = 0;
        return [.. sizes.Select(size => order[start..(start += size)])];
    }

    /// <summary>Cuts a list of labels into groups of equal size.</summary>
    /// <param name="labels">All labels.</param>
    /// <param name="groups">How many groups; divides the number of labels.</param>
    /// <param name="seed">Shuffles the labels first; null keeps their order.</param>
    public static Label[][] Split(IReadOnlyList<Label> labels, int groups, long? seed = null)
    {
        ArgumentNullException.ThrowIfNull(labels);
        return groups > 0 && labels.Count % groups == 0
            ? Split(labels, [.. Enumerable.Repeat(labels.Count / groups, groups)], seed)
            : throw new ArgumentException($"groups: {groups}, expected a divisor of {labels.Count} labels", nameof(groups));
    }

    /// <summary>Names for the outputs that domain-incremental tasks share: <c>first</c>, <c>second</c>, ...</summary>
    /// <param name="count">How many.</param>
    public static Label[] Places(int count) =>
        [.. Enumerable.Range(0, count).Select(place => (Label)(place < s_places.Length ? s_places[place] : $"{place + 1}th"))];

    internal static void Check(ISampleSource train, IReadOnlyList<IReadOnlyList<Label>> groups)
    {
        ArgumentNullException.ThrowIfNull(groups);
        if (groups.Count == 0 || groups.Any(group => group.Count == 0))
            throw new ArgumentException("groups: expected one or more groups of one or more labels", nameof(groups));
        foreach (var twice in groups.SelectMany(group => group).GroupBy(label => label).Where(same => same.Count() > 1))
            throw new ArgumentException($"groups: label {twice.Key} occurs twice, expected once", nameof(groups));
        foreach (var label in groups.SelectMany(group => group).Except(train.Labels))
            throw new ArgumentException(
                $"groups: label {label} has no training sample, expected one of {string.Join(", ", train.Labels)}",
                nameof(groups));
    }
}
