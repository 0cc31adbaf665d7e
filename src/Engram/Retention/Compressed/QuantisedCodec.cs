using System.Runtime.InteropServices;

namespace Engram.Retention;

/// <summary>Features as a byte each, in 255 steps from the least of their own sample, which is kept beside them with the step as float32.</summary>
/// <remarks>
/// No number is further from what comes back than half a step, (greatest − least) / 510, and the rounding of float32. Needs no training and no state.
/// </remarks>
internal sealed class QuantisedCodec : IExemplarCodec
{
    /// <summary>Bytes of the range of a sample.</summary>
    public const int RangeBytes = 2 * sizeof(float);

    private const double Levels = 255;
    private const double Smallest = 1e-30; // of a step, so that a sample of equal features comes back

    /// <summary>Codes, uint8 <c>[n, 8 + features]</c>, of features float32 <c>[n, features]</c>.</summary>
    public Tensor Encode(Tensor inputs)
    {
        var wide = inputs.to(ScalarType.Float64); // a range may be beyond float32
        var least = wide.amin([1L], keepdim: true);
        var step = wide.amax([1L], keepdim: true).sub(least).div_(Held(Levels)).clamp_min_(Held(Smallest));
        var ranges = MemoryMarshal.AsBytes<float>(cat([least, step], 1).to(ScalarType.Float32).data<float>().ToArray()).ToArray();
        return cat([tensor(ranges).view(-1, RangeBytes), wide.sub(least).div_(step).round_().to(ScalarType.Byte)], 1);
    }

    /// <summary>Features, float32 <c>[n, features]</c>, of codes.</summary>
    public Tensor Decode(Tensor codes)
    {
        var bytes = codes.narrow(1, 0, RangeBytes).contiguous().data<byte>().ToArray();
        var ranges = tensor(MemoryMarshal.Cast<byte, float>(bytes).ToArray()).view(-1, 2);
        return codes.narrow(1, RangeBytes, codes.size(1) - RangeBytes).to(ScalarType.Float64)
            .mul_(ranges.narrow(1, 1, 1)).add_(ranges.narrow(1, 0, 1), alpha: Held(1)).to(ScalarType.Float32);
    }

    public void Dispose()
    {
    }
}
