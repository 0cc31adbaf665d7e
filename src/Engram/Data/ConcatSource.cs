namespace Engram.Data;

/// <summary>Several sources one after another, their labels merged.</summary>
/// <remarks>
/// Samples of several tasks (<see cref="TaskSource"/>) keep the labels of each task apart. Of multi-label and regression sources
/// the outputs are merged too: what a part does not know of is NaN, "unknown", which the loss leaves out.
/// </remarks>
public sealed class ConcatSource : ISampleSource
{
    private readonly ISampleSource[] _parts;
    private readonly int[] _starts;
    private readonly int[] _codes;
    private readonly Tensor[] _recode;

    /// <summary>Joins sources of the same shape, type and kind of targets.</summary>
    /// <param name="parts">At least one source.</param>
    /// <exception cref="ArgumentException">No source, or sources that do not fit together.</exception>
    public ConcatSource(params ISampleSource[] parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        if (parts.Length == 0) throw new ArgumentException("parts: none, expected at least one source", nameof(parts));
        foreach (var part in parts)
            if (!part.InputShape.SequenceEqual(parts[0].InputShape) || part.InputType != parts[0].InputType
                || part.TargetKind != parts[0].TargetKind)
                throw new ArgumentException(
                    $"parts: {Describe(part)} beside {Describe(parts[0])}, expected the same kind", nameof(parts));
        if (parts.FirstOrDefault(part => part.LabelTasks is null != parts[0].LabelTasks is null) is not null)
            throw new ArgumentException("parts: some tell their tasks and some do not, expected all or none", nameof(parts));
        _parts = [.. parts];
        _starts = new int[parts.Length + 1];
        for (var p = 0; p < parts.Length; p++) _starts[p + 1] = checked(_starts[p] + parts[p].Count);
        var named = parts.Select(part => part.Labels.Select((label, code) => (Label: label, Task: part.LabelTasks?[code])).ToArray()).ToArray();
        (Label Label, int? Task)[] merged = [.. named.SelectMany(labels => labels).Distinct()];
        Labels = [.. merged.Select(pair => pair.Label)];
        LabelTasks = parts[0].LabelTasks is null ? null : [.. merged.Select(pair => pair.Task!.Value)];

        var codeOf = merged.Select((pair, code) => (pair, code)).ToDictionary(p => p.pair, p => p.code);
        var recode = named.Select(labels => labels.Select(pair => (long)codeOf[pair]).ToArray()).ToArray();
        _recode = [.. recode.Select(map => tensor(map).DetachFromDisposeScope())];
        _codes = parts[0].TargetKind != TargetKind.Classes ? [] : new int[_starts[^1]];
        if (_codes.Length == 0) return;
        for (var p = 0; p < parts.Length; p++)
            for (var i = 0; i < parts[p].Count; i++)
                _codes[_starts[p] + i] = (int)recode[p][parts[p].Codes.Span[i]];
    }

    /// <inheritdoc/>
    public int Count => _starts[^1];

    /// <inheritdoc/>
    public IReadOnlyList<long> InputShape => _parts[0].InputShape;

    /// <inheritdoc/>
    public ScalarType InputType => _parts[0].InputType;

    /// <inheritdoc/>
    public TargetKind TargetKind => _parts[0].TargetKind;

    /// <inheritdoc/>
    public IReadOnlyList<Label> Labels { get; }

    /// <inheritdoc/>
    public ReadOnlyMemory<int> Codes => _codes;

    /// <inheritdoc/>
    public IReadOnlyList<int>? LabelTasks { get; }

    /// <inheritdoc/>
    public bool IsFinite => _parts.All(part => part.IsFinite);

    /// <inheritdoc/>
    public Batch Gather(ReadOnlySpan<long> indices)
    {
        using var scope = NewDisposeScope();
        var inputs = new List<Tensor>();
        var targets = new List<Tensor>();
        var positions = new List<long>();
        for (var p = 0; p < _parts.Length; p++)
        {
            var inner = new List<long>();
            for (var i = 0; i < indices.Length; i++)
            {
                if (indices[i] < _starts[p] || indices[i] >= _starts[p + 1]) continue;
                inner.Add(indices[i] - _starts[p]);
                positions.Add(i);
            }
            if (inner.Count == 0) continue;
            var batch = _parts[p].Gather([.. inner]);
            inputs.Add(batch.Inputs);
            targets.Add(TargetKind == TargetKind.Classes ? _recode[p].index_select(0, batch.Targets) : Widened(batch.Targets, p));
        }
        // The parts arrive part by part; the inverse permutation restores the order asked for.
        var order = argsort(tensor(positions.ToArray()));
        return new Batch(
            cat(inputs).index_select(0, order).MoveToOuterDisposeScope(),
            cat(targets).index_select(0, order).MoveToOuterDisposeScope());
    }

    private Tensor Widened(Tensor values, int part) =>
        full(values.size(0), Labels.Count, Held(float.NaN)).index_copy_(1, _recode[part], values);

    private static string Describe(ISampleSource source) =>
        $"{source.TargetKind} {source.InputType} [{string.Join(", ", source.InputShape)}]";
}
