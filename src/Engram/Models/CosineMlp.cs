using Engram.Retention;
using TorchSharp.Modules;

namespace Engram.Models;

/// <summary>
/// An MLP that reads images through a fixed front: the lowest coefficients of their two-dimensional cosine transform. What
/// <see cref="CompressedReplay"/> keeps is then all that the network ever sees of an image, so that replayed and new samples
/// differ in nothing but rounding.
/// </summary>
public sealed class CosineMlp : Backbone
{
    private readonly CosineCodec _codec;
    private readonly Linear[] _layers;

    /// <summary>Creates it.</summary>
    /// <param name="shape">Of an image, <c>[channels, height, width]</c>.</param>
    /// <param name="coefficients">Per channel, at most height · width; as in <see cref="CompressedReplayOptions.Coefficients"/>.</param>
    /// <param name="widths">Width of each hidden layer; at least one.</param>
    public CosineMlp(IReadOnlyList<long> shape, int coefficients, params int[] widths)
        : base("cosine-mlp", Mlp.Validate(coefficients, widths)[^1])
    {
        ArgumentNullException.ThrowIfNull(shape);
        if (shape.Count != 3 || shape.Any(size => size < 1) || shape[1] * shape[2] < coefficients)
            throw new ArgumentException(
                $"shape: [{string.Join(", ", shape)}], expected [channels, height, width] of {coefficients} pixels or more", nameof(shape));
        _codec = new CosineCodec(shape, coefficients);
        Architecture = $"cosine-mlp {string.Join('x', shape)} {coefficients}-{string.Join('-', widths)}";
        int[] sizes = [(int)shape[0] * coefficients, .. widths];
        _layers = new Linear[widths.Length];
        for (var i = 0; i < widths.Length; i++) register_module($"fc{i + 1}", _layers[i] = nn.Linear(sizes[i], sizes[i + 1]));
    }

    /// <inheritdoc/>
    public override string Architecture { get; }

    /// <summary>What the front multiplies each channel's pixels with, <c>[height · width, coefficients]</c>.</summary>
    internal Tensor Basis => _codec.Basis;

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var hidden = _codec.Transform(input);
        foreach (var layer in _layers) hidden = layer.call(hidden).relu_();
        return hidden;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) _codec.Dispose();
        base.Dispose(disposing);
    }
}
