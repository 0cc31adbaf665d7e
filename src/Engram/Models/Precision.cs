using TorchSharp.Modules;

namespace Engram.Models;

/// <summary>What a backbone computes its products in.</summary>
public enum Precision
{
    /// <summary>float32 throughout.</summary>
    Float32,

    /// <summary>
    /// Products in bfloat16 (8 bits of mantissa), summed in float32; parameters, their gradients, features, head and loss stay
    /// float32. Twice as fast where the processor has bfloat16 instructions (AVX-512 BF16, AMX), slower where it has none.
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

    private static Tensor Lowered(Tensor values) => values.dtype == ScalarType.BFloat16 ? values : values.to(ScalarType.BFloat16);
}
