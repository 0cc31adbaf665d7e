namespace Engram.Retention;

/// <summary>
/// Images as a few bytes: the lowest coefficients of the two-dimensional cosine transform, one byte each (Ahmed, Natarajan and
/// Rao 1974; the idea of JPEG, with one block for the whole image).
/// </summary>
/// <remarks>
/// Needs no training and no state: the basis is a function of the shape, so codes mean the same for ever. With pixels in 0..1
/// no coefficient of the orthonormal transform exceeds √(height · width), which is what 127 stands for.
/// </remarks>
internal sealed class CosineCodec : IExemplarCodec
{
    private readonly int _channels;
    private readonly double _step;

    /// <param name="shape">[channels, height, width].</param>
    /// <param name="coefficients">Per channel; at most height · width.</param>
    public CosineCodec(IReadOnlyList<long> shape, int coefficients)
    {
        var (height, width) = ((int)shape[1], (int)shape[2]);
        _channels = (int)shape[0];
        _step = Math.Sqrt(height * width) / 127;
        var lowest = Enumerable.Range(0, height * width).Select(place => (V: place / width, U: place % width))
            .OrderBy(f => (f.V * f.V) + (f.U * f.U)).ThenBy(f => f.V).Take(coefficients).ToArray();
        var basis = new float[height * width * lowest.Length];
        for (var pixel = 0; pixel < height * width; pixel++)
            for (var c = 0; c < lowest.Length; c++)
                basis[(pixel * lowest.Length) + c] = (float)(Cosine(pixel / width, lowest[c].V, height) * Cosine(pixel % width, lowest[c].U, width));
        Basis = tensor(basis).view(height * width, lowest.Length).DetachFromDisposeScope();
    }

    /// <summary><c>[height · width, coefficients]</c>, orthonormal columns; stays the codec's.</summary>
    public Tensor Basis { get; }

    /// <summary>Codes, uint8 <c>[n, channels · coefficients]</c>, of inputs in 0..1, float32 <c>[n, channels · height · width]</c>.</summary>
    public Tensor Encode(Tensor inputs) =>
        Transform(inputs).div_(Held(_step)).round_().clamp_(Held(-127), Held(127)).add_(Held(128), alpha: Held(1)).to(ScalarType.Byte);

    /// <summary>Coefficients, float32 <c>[n, channels · coefficients]</c>, of inputs <c>[n, ...]</c>.</summary>
    public Tensor Transform(Tensor inputs) => inputs.reshape(-1, Basis.size(0)).mm(Basis).view(inputs.size(0), -1);

    /// <summary>Inputs, float32 <c>[n, channels · height · width]</c>, of codes.</summary>
    /// <remarks>Not clamped to 0..1: their transform is then that of the codes, as a network behind the same transform sees new images.</remarks>
    public Tensor Decode(Tensor codes) =>
        codes.reshape(codes.size(0) * _channels, -1).to(ScalarType.Float32).sub_(Held(128)).mul_(Held(_step))
            .mm(Basis.t()).view(codes.size(0), -1);

    public void Dispose() => Basis.Dispose();

    private static double Cosine(int x, int frequency, int length) =>
        Math.Sqrt((frequency == 0 ? 1.0 : 2.0) / length) * Math.Cos(Math.PI * ((2 * x) + 1) * frequency / (2.0 * length));
}
