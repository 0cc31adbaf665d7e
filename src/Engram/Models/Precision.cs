using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Engram.Data;
using TorchSharp.Modules;

namespace Engram.Models;

/// <summary>What a backbone computes its products in.</summary>
public enum Precision
{
    /// <summary>float32 throughout.</summary>
    Float32,

    /// <summary>
    /// Products in bfloat16 (8 bits of mantissa), summed in float32; parameters, their gradients, features, head and loss stay
    /// float32. Up to twice as fast on AMD's processors with AVX-512 BF16; slower on Intel's, whose AVX-512 multiplies bfloat16 at half the rate
    /// of float32 (AMX is kept off), and wherever there are no such instructions.
    /// </summary>
    MixedBFloat16,
}

/// <summary>A backbone whose layers can compute in less than float32.</summary>
public interface IMixedPrecision
{
    /// <summary>What its products are computed in; its parameters and its output are float32 always.</summary>
    Precision Precision { get; set; }
}

/// <summary>Layers in bfloat16, over parameters in float32.</summary>
internal static class BFloat16Layers
{
    /// <summary>A linear layer, <c>[batch, in]</c> of either type to bfloat16 <c>[batch, out]</c>.</summary>
    public static Tensor Apply(Linear layer, Tensor input) =>
        nn.functional.linear(Lowered(input), Lowered(layer.weight), layer.bias is { } bias ? Lowered(bias) : null);

    /// <summary>A convolution without padding, images of either type to bfloat16.</summary>
    public static Tensor Apply(Conv2d layer, Tensor input) =>
        nn.functional.conv2d(Lowered(input), Lowered(layer.weight), layer.bias is { } bias ? Lowered(bias) : null);

    /// <summary>Dropout (Srivastava et al. 2014), its probability rounded to 1/256: a random byte decides on each number.</summary>
    /// <remarks>torch draws one number of its generator each, which takes longer than the convolutions of <see cref="DigitsCnn"/> do; it gives the seed here.</remarks>
    public static Tensor Apply(Dropout layer, Tensor input)
    {
        if (!layer.training) return input;
        var chance = new SeededRandom(randint(long.MaxValue, [1], ScalarType.Int64).item<long>(), "dropout");
        var count = input.numel();
        var factors = empty((count + 7) / 8 * 8, ScalarType.BFloat16); // 0, or what makes up for the dropped
        var places = MemoryMarshal.Cast<byte, ushort>(factors.bytes);
        var least = Vector128.Create((ushort)Math.Round(layer.p * 256));
        var kept = Vector128.Create((ushort)((BitConverter.SingleToUInt32Bits((float)(1 / (1 - layer.p))) + 0x8000) >> 16)); // rounded to bfloat16
        for (var i = 0; i < places.Length; i += 8)
        {
            var bytes = Vector128.WidenLower(Vector128.CreateScalar(chance.NextBits()).AsByte());
            (Vector128.GreaterThanOrEqual(bytes, least) & kept).CopyTo(places[i..]);
        }
        return input.mul(factors.as_strided(input.shape, input.stride()));
    }

    private static Tensor Lowered(Tensor values) => values.dtype == ScalarType.BFloat16 ? values : values.to(ScalarType.BFloat16);
}
