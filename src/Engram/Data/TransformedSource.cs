namespace Engram.Data;

/// <summary>Samples of another source with their inputs changed on the way out: permuted pixels, rotated images.</summary>
/// <remarks>
/// The change is a fixed function of the stored input and keeps shape and type, so bytes stay bytes and a replay memory
/// stores what the model saw. Nothing is computed before a sample is asked for.
/// </remarks>
public sealed class TransformedSource : ISampleSource
{
    private readonly ISampleSource _source;
    private readonly Func<Tensor, Tensor> _transform;

    /// <summary>Creates a view.</summary>
    /// <param name="source">Where the samples are.</param>
    /// <param name="transform">Inputs <c>[batch, ...]</c> as stored to inputs of the same shape and type; must be deterministic.</param>
    public TransformedSource(ISampleSource source, Func<Tensor, Tensor> transform)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(transform);
        (_source, _transform) = (source, transform);
    }

    /// <summary>All samples with their numbers in one other order: "permuted MNIST" (Goodfellow et al. 2013).</summary>
    /// <param name="source">Where the samples are.</param>
    /// <param name="random">Draws the order.</param>
    public static TransformedSource Permuted(ISampleSource source, SeededRandom random)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(random);
        var length = checked((int)source.InputShape.Aggregate(1L, (product, size) => product * size));
        var order = tensor(Array.ConvertAll(random.Permutation(length), place => (long)place)).DetachFromDisposeScope();
        return new TransformedSource(source, inputs => inputs.flatten(1).index_select(1, order).view(inputs.shape));
    }

    /// <summary>All images turned counter-clockwise about their centre, bilinear, black outside: "rotated MNIST".</summary>
    /// <param name="source">Images <c>[channels, height, width]</c>.</param>
    /// <param name="degrees">The angle.</param>
    /// <exception cref="ArgumentException">The samples are no images, or the angle is not finite.</exception>
    public static TransformedSource Rotated(ISampleSource source, double degrees)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (source.InputShape.Count != 3)
            throw new ArgumentException(
                $"source: samples of shape [{string.Join(", ", source.InputShape)}], expected [channels, height, width]",
                nameof(source));
        if (!double.IsFinite(degrees))
            throw new ArgumentException($"degrees: {degrees}, expected a finite angle", nameof(degrees));
        var (height, width) = ((double)source.InputShape[1], (double)source.InputShape[2]);
        var (sin, cos) = Math.SinCos(degrees * Math.PI / 180);
        // Output places to input places, in coordinates from −1 to 1 with y downwards; the ratios undo their scaling.
        float[,] map = { { (float)cos, (float)(-sin * height / width), 0 }, { (float)(sin * width / height), (float)cos, 0 } };
        return new TransformedSource(source, inputs => Rotate(inputs, map));
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
    public IReadOnlyList<int>? LabelTasks => _source.LabelTasks;

    /// <inheritdoc/>
    public bool IsFinite => InputType == ScalarType.Byte;

    /// <inheritdoc/>
    public Batch Gather(ReadOnlySpan<long> indices)
    {
        using var scope = NewDisposeScope();
        var batch = _source.Gather(indices);
        var inputs = _transform(batch.Inputs);
        return inputs.dtype == batch.Inputs.dtype && inputs.shape.SequenceEqual(batch.Inputs.shape)
            ? new Batch(inputs.MoveToOuterDisposeScope(), batch.Targets.MoveToOuterDisposeScope())
            : throw new InvalidOperationException(
                $"transform: gave {inputs.dtype} [{string.Join(", ", inputs.shape)}], "
                + $"expected {batch.Inputs.dtype} [{string.Join(", ", batch.Inputs.shape)}] as it was given");
    }

    private static Tensor Rotate(Tensor inputs, float[,] map)
    {
        using var _ = no_grad();
        var bytes = inputs.dtype == ScalarType.Byte;
        var images = bytes ? inputs.to(ScalarType.Float32) : inputs;
        var places = nn.functional.affine_grid(
            tensor(map).unsqueeze(0).expand(inputs.size(0), 2, 3), inputs.shape, align_corners: false);
        var turned = nn.functional.grid_sample(
            images, places, GridSampleMode.Bilinear, GridSamplePaddingMode.Zeros, align_corners: false);
        return bytes ? turned.round_().clamp_(Held(0), Held(255)).to(ScalarType.Byte) : turned;
    }
}
