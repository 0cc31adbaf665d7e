namespace Engram.Data;

/// <summary>
/// Samples of another source that tell their task, so that those of several tasks can be joined (<see cref="ConcatSource"/>) and
/// learnt together in task-incremental learning, as joint training does.
/// </summary>
public sealed class TaskSource : ISampleSource
{
    private readonly ISampleSource _source;

    /// <summary>Creates a view.</summary>
    /// <param name="source">Samples of one task.</param>
    /// <param name="task">The task, 0 or more.</param>
    /// <exception cref="ArgumentException">A negative task, or samples that tell their tasks already.</exception>
    public TaskSource(ISampleSource source, int task)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (task < 0) throw new ArgumentException($"task: {task}, expected 0 or more", nameof(task));
        if (source.LabelTasks is not null)
            throw new ArgumentException("source: tells its tasks already, expected samples of one task", nameof(source));
        _source = source;
        LabelTasks = [.. Enumerable.Repeat(task, source.Labels.Count)];
    }

    /// <inheritdoc/>
    public int Count => _source.Count;

    /// <inheritdoc/>
    public IReadOnlyList<long> InputShape => _source.InputShape;

    /// <inheritdoc/>
    public ScalarType InputType => _source.InputType;

    /// <inheritdoc/>
    public TargetKind TargetKind => _source.TargetKind;

    /// <inheritdoc/>
    public IReadOnlyList<Label> Labels => _source.Labels;

    /// <inheritdoc/>
    public ReadOnlyMemory<int> Codes => _source.Codes;

    /// <inheritdoc/>
    public IReadOnlyList<int>? LabelTasks { get; }

    /// <inheritdoc/>
    public bool IsFinite => _source.IsFinite;

    /// <inheritdoc/>
    public Batch Gather(ReadOnlySpan<long> indices) => _source.Gather(indices);

    /// <summary>The samples with their task where there is one to tell and they do not tell it themselves.</summary>
    internal static ISampleSource Of(ISampleSource samples, int? task) =>
        task is { } known && samples.LabelTasks is null ? new TaskSource(samples, known) : samples;
}
