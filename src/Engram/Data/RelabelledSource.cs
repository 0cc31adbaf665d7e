namespace Engram.Data;

/// <summary>Samples of another source under other labels; several old labels may become one.</summary>
public sealed class RelabelledSource : ISampleSource
{
    private readonly ISampleSource _source;
    private readonly int[] _codes;
    private readonly Tensor _recode;

    /// <summary>Creates a view.</summary>
    /// <param name="source">A classification source.</param>
    /// <param name="rename">Old label to new label.</param>
    /// <exception cref="ArgumentException">The targets are no classes.</exception>
    public RelabelledSource(ISampleSource source, Func<Label, Label> rename)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(rename);
        if (source.TargetKind != TargetKind.Classes)
            throw new ArgumentException($"source: targets are {source.TargetKind}, expected Classes", nameof(source));
        _source = source;
        // Labels of different tasks stay apart whatever their names.
        (Label Name, int? Task)[] renamed = [.. source.Labels.Select((label, code) => (rename(label), source.LabelTasks?[code]))];
        (Label Name, int? Task)[] labels = [.. renamed.Distinct()];
        Labels = [.. labels.Select(label => label.Name)];
        LabelTasks = source.LabelTasks is null ? null : [.. labels.Select(label => label.Task!.Value)];
        var recode = Array.ConvertAll(renamed, label => Array.IndexOf(labels, label));
        _codes = [.. source.Codes.ToArray().Select(code => recode[code])];
        _recode = tensor(Array.ConvertAll(recode, code => (long)code)).DetachFromDisposeScope();
    }

    /// <summary>Renames labels to their place in a list: domain-incremental tasks then share their outputs.</summary>
    /// <param name="source">A classification source.</param>
    /// <param name="group">The labels that occur, in order.</param>
    /// <param name="names">The name of each place; for example <c>first</c>, <c>second</c>.</param>
    /// <exception cref="ArgumentException">A label of the source is not in the group, or the lengths differ.</exception>
    public static RelabelledSource ByPlace(
        ISampleSource source, IReadOnlyList<Label> group, IReadOnlyList<Label> names)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(group);
        ArgumentNullException.ThrowIfNull(names);
        if (group.Count != names.Count)
            throw new ArgumentException($"names: {names.Count} for {group.Count} labels, expected one for each", nameof(names));
        return new RelabelledSource(source, label => group.ToList().IndexOf(label) is >= 0 and var place
            ? names[place]
            : throw new ArgumentException($"source: label {label}, expected one of {string.Join(", ", group)}", nameof(source)));
    }

    /// <inheritdoc/>
    public int Count => _source.Count;

    /// <inheritdoc/>
    public IReadOnlyList<long> InputShape => _source.InputShape;

    /// <inheritdoc/>
    public ScalarType InputType => _source.InputType;

    /// <inheritdoc/>
    public TargetKind TargetKind => TargetKind.Classes;

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
        var batch = _source.Gather(indices);
        using var targets = batch.Targets;
        return batch with { Targets = _recode.index_select(0, targets) };
    }
}
