namespace Engram.Data;

/// <summary>Samples held in one tensor, first dimension first.</summary>
public sealed class TensorSource : ISampleSource
{
    private readonly Tensor _inputs;
    private readonly Tensor _targets;
    private readonly int[] _codes;

    private TensorSource(Tensor inputs, Tensor targets, int[] codes, IReadOnlyList<Label> labels, TargetKind kind)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        if (inputs.dim() < 2)
            throw new ArgumentException(
                $"inputs: shape [{string.Join(", ", inputs.shape)}], expected [samples, ...]", nameof(inputs));
        if (inputs.dtype is not (ScalarType.Byte or ScalarType.Float32))
            throw new ArgumentException($"inputs: {inputs.dtype}, expected Byte or Float32", nameof(inputs));
        if (inputs.dtype == ScalarType.Float32 && !AllFinite(inputs))
            throw new ArgumentException("inputs: NaN or infinite values, expected finite numbers", nameof(inputs));
        if (targets.size(0) != inputs.size(0))
            throw new ArgumentException(
                $"targets: {targets.size(0)} for {inputs.size(0)} samples, expected one for each", nameof(targets));
        _inputs = inputs.detach().DetachFromDisposeScope();
        _targets = targets.DetachFromDisposeScope();
        _codes = codes;
        Labels = labels;
        TargetKind = kind;
        (Count, InputShape) = ((int)inputs.size(0), inputs.shape[1..]);
    }

    /// <summary>A classification source.</summary>
    /// <param name="inputs"><c>[samples, ...]</c>, Byte or Float32; shared, not copied.</param>
    /// <param name="codes">For each sample an index into <paramref name="labels"/>.</param>
    /// <param name="labels">The labels that may occur, without repeats.</param>
    /// <exception cref="ArgumentException">Wrong shape, dtype or length, a non-finite value, a code out of range.</exception>
    public static TensorSource OfClasses(Tensor inputs, int[] codes, IReadOnlyList<Label> labels)
    {
        ArgumentNullException.ThrowIfNull(codes);
        ArgumentNullException.ThrowIfNull(labels);
        if (labels.Distinct().Count() != labels.Count)
            throw new ArgumentException("labels: a label occurs twice, expected distinct labels", nameof(labels));
        foreach (var code in codes)
            if ((uint)code >= (uint)labels.Count)
                throw new ArgumentException(
                    $"codes: {code} is no label code, expected 0 to {labels.Count - 1}", nameof(codes));
        var targets = tensor(Array.ConvertAll(codes, code => (long)code));
        return new TensorSource(inputs, targets, codes, labels, TargetKind.Classes);
    }

    /// <summary>A classification source with one label per sample, of any kind.</summary>
    /// <param name="inputs"><c>[samples, ...]</c>, Byte or Float32; shared, not copied.</param>
    /// <param name="labels">The label of each sample.</param>
    public static TensorSource OfClasses(Tensor inputs, IReadOnlyList<Label> labels)
    {
        ArgumentNullException.ThrowIfNull(labels);
        Label[] distinct = [.. labels.Distinct()];
        var codeOf = distinct.Select((label, code) => (label, code)).ToDictionary(p => p.label, p => p.code);
        return OfClasses(inputs, [.. labels.Select(label => codeOf[label])], distinct);
    }

    /// <summary>A multi-label or regression source.</summary>
    /// <param name="inputs"><c>[samples, ...]</c>, Byte or Float32; shared, not copied.</param>
    /// <param name="targets">float32 <c>[samples, labels]</c>.</param>
    /// <param name="labels">Names of the columns of <paramref name="targets"/>.</param>
    /// <param name="kind"><see cref="TargetKind.MultiLabel"/> or <see cref="TargetKind.Regression"/>.</param>
    public static TensorSource OfValues(Tensor inputs, Tensor targets, IReadOnlyList<Label> labels, TargetKind kind)
    {
        ArgumentNullException.ThrowIfNull(targets);
        ArgumentNullException.ThrowIfNull(labels);
        if (kind == TargetKind.Classes)
            throw new ArgumentException("kind: Classes, expected MultiLabel or Regression", nameof(kind));
        if (targets.dim() != 2 || targets.size(1) != labels.Count || targets.dtype != ScalarType.Float32)
            throw new ArgumentException(
                $"targets: {targets.dtype} [{string.Join(", ", targets.shape)}], expected Float32 [samples, {labels.Count}]",
                nameof(targets));
        return AllFinite(targets)
            ? new TensorSource(inputs, targets.alias(), [], labels, kind)
            : throw new ArgumentException("targets: NaN or infinite values, expected finite numbers", nameof(targets));
    }

    /// <summary>A source as it was saved: values may be unknown (NaN), and labels may repeat where they tell their tasks.</summary>
    internal static TensorSource Stored(
        Tensor inputs, Tensor targets, IReadOnlyList<Label> labels, TargetKind kind, IReadOnlyList<int>? tasks)
    {
        if (kind == TargetKind.Classes && tasks is null)
        {
            using var owned = targets;
            return OfClasses(inputs, Array.ConvertAll(targets.data<long>().ToArray(), code => checked((int)code)), labels);
        }
        var codes = kind == TargetKind.Classes ? Array.ConvertAll(targets.data<long>().ToArray(), code => checked((int)code)) : [];
        return codes.All(code => (uint)code < (uint)labels.Count)
            ? new TensorSource(inputs, targets, codes, labels, kind) { LabelTasks = tasks }
            : throw new ArgumentException($"codes: expected 0 to {labels.Count - 1}");
    }

    /// <inheritdoc/>
    public int Count { get; }

    /// <inheritdoc/>
    public IReadOnlyList<long> InputShape { get; }

    /// <inheritdoc/>
    public ScalarType InputType => _inputs.dtype;

    /// <inheritdoc/>
    public TargetKind TargetKind { get; }

    /// <inheritdoc/>
    public IReadOnlyList<Label> Labels { get; }

    /// <inheritdoc/>
    public ReadOnlyMemory<int> Codes => _codes;

    /// <inheritdoc/>
    public IReadOnlyList<int>? LabelTasks { get; private init; }

    /// <inheritdoc/>
    public bool IsFinite => true;

    /// <inheritdoc/>
    public Batch Gather(ReadOnlySpan<long> indices) => new(Rows.Gather(_inputs, indices), Rows.Gather(_targets, indices));

    /// <summary>Frees the tensors, for who made this source and lets nobody else have it: it is not used again.</summary>
    internal void Free()
    {
        _inputs.Dispose();
        _targets.Dispose();
    }

    private static bool AllFinite(Tensor values)
    {
        using var scope = NewDisposeScope();
        return values.isfinite().all().item<bool>();
    }
}
