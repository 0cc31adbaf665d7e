namespace Engram.Data;

/// <summary>Some samples of another source, in a chosen order.</summary>
public sealed class SubsetSource : ISampleSource
{
    private readonly ISampleSource _source;
    private readonly int[] _indices;
    private readonly int[] _codes;
    private readonly bool _renumbered;

    /// <summary>Creates a view; nothing is copied but the indices.</summary>
    /// <param name="source">Where the samples are.</param>
    /// <param name="indices">Which samples.</param>
    /// <exception cref="ArgumentException">An index is out of range.</exception>
    public SubsetSource(ISampleSource source, int[] indices)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(indices);
        foreach (var index in indices)
            if ((uint)index >= (uint)source.Count)
                throw new ArgumentException($"indices: {index}, expected 0 to {source.Count - 1}", nameof(indices));
        (_source, _indices) = (source, indices);
        (Labels, LabelTasks) = (source.Labels, source.LabelTasks);
        _codes = [];
        if (source.TargetKind != TargetKind.Classes) return;

        // Only the labels that occur here are labels of the subset: codes are renumbered in the source's order.
        var codes = source.Codes.Span;
        var occurs = new bool[source.Labels.Count];
        foreach (var index in indices) occurs[codes[index]] = true;
        var recode = new int[occurs.Length];
        var labels = new List<Label>();
        for (var code = 0; code < occurs.Length; code++)
        {
            recode[code] = occurs[code] ? labels.Count : -1;
            if (occurs[code]) labels.Add(source.Labels[code]);
        }
        Labels = labels;
        LabelTasks = source.LabelTasks is { } tasks ? [.. tasks.Where((_, code) => occurs[code])] : null;
        _codes = new int[indices.Length];
        for (var i = 0; i < indices.Length; i++) _codes[i] = recode[codes[indices[i]]];
        _renumbered = labels.Count < occurs.Length;
    }

    /// <summary>The samples of <paramref name="source"/> that carry one of the <paramref name="labels"/>.</summary>
    /// <param name="source">A classification source.</param>
    /// <param name="labels">The labels to keep.</param>
    public static SubsetSource WithLabels(ISampleSource source, IReadOnlyCollection<Label> labels)
    {
        ArgumentNullException.ThrowIfNull(source);
        var wanted = source.Labels.Select(label => labels.Contains(label)).ToArray();
        return Where(source, (_, code) => wanted[code]);
    }

    /// <summary>At most <paramref name="perClass"/> samples of every class: the first ones, in source order.</summary>
    /// <param name="source">A classification source.</param>
    /// <param name="perClass">Samples to keep of each class.</param>
    public static SubsetSource Balanced(ISampleSource source, int perClass)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentOutOfRangeException.ThrowIfLessThan(perClass, 1);
        var taken = new int[source.Labels.Count];
        return Where(source, (_, code) => taken[code]++ < perClass);
    }

    /// <inheritdoc/>
    public int Count => _indices.Length;

    /// <inheritdoc/>
    public IReadOnlyList<long> InputShape => _source.InputShape;

    /// <inheritdoc/>
    public ScalarType InputType => _source.InputType;

    /// <inheritdoc/>
    public TargetKind TargetKind => _source.TargetKind;

    /// <inheritdoc/>
    public IReadOnlyList<Label> Labels { get; }

    /// <inheritdoc/>
    public ReadOnlyMemory<int> Codes => _codes;

    /// <inheritdoc/>
    public IReadOnlyList<int>? LabelTasks { get; }

    /// <inheritdoc/>
    public bool IsFinite => _source.IsFinite;

    /// <inheritdoc/>
    public Batch Gather(ReadOnlySpan<long> indices)
    {
        var inner = new long[indices.Length];
        for (var i = 0; i < inner.Length; i++) inner[i] = _indices[indices[i]];
        var batch = _source.Gather(inner);
        if (!_renumbered) return batch;
        // No table is kept as a tensor: a stream of thousands of tiny subsets would leave as many to the finaliser.
        batch.Targets.Dispose();
        for (var i = 0; i < inner.Length; i++) inner[i] = _codes[indices[i]];
        return batch with { Targets = tensor(inner) };
    }

    private static SubsetSource Where(ISampleSource source, Func<int, int, bool> keep)
    {
        var codes = source.Codes;
        return new SubsetSource(
            source, [.. Enumerable.Range(0, source.Count).Where(index => keep(index, codes.Span[index]))]);
    }
}
