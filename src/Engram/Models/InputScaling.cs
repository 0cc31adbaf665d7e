using Engram.Data;

namespace Engram.Models;

/// <summary>Turns samples as stored into what a backbone reads: bytes become (x / 255 − mean) / std, floats (x − mean) / std.</summary>
/// <param name="Mean">Subtracted; default 0.</param>
/// <param name="Std">Divided by; default 1.</param>
public sealed record InputScaling(double Mean = 0, double Std = 1)
{
    /// <summary>Mean of each channel, instead of <see cref="Mean"/>, for samples <c>[channels, height, width]</c>.</summary>
    /// <value>Default none.</value>
    public IReadOnlyList<double>? ChannelMean { get; init; }

    /// <summary>Standard deviation of each channel, instead of <see cref="Std"/>.</summary>
    /// <value>Default none.</value>
    public IReadOnlyList<double>? ChannelStd { get; init; }

    /// <summary>The scaling of models trained on ImageNet's colours.</summary>
    public static InputScaling ImageNet { get; } =
        new() { ChannelMean = [0.485, 0.456, 0.406], ChannelStd = [0.229, 0.224, 0.225] };

    /// <summary>Scales a batch.</summary>
    /// <param name="inputs"><c>[batch, ...]</c>, Byte or Float32.</param>
    /// <returns>float32 of the same shape.</returns>
    public Tensor Apply(Tensor inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        var plain = ChannelMean is null && ChannelStd is null;
        if (plain && inputs.dtype == ScalarType.Byte && Rows.IsPlain(inputs)) return Rows.ToFloats(inputs, Mean, Std);
        var unit = inputs.dtype == ScalarType.Byte ? inputs.to(ScalarType.Float32).div_(Held(255)) : inputs;
        if (plain) return Mean == 0 && Std == 1 ? unit : unit.sub(Held(Mean)).div_(Held(Std));
        return unit.sub(Row(ChannelMean, Mean, inputs)).div_(Row(ChannelStd, Std, inputs));
    }

    private static Tensor Row(IReadOnlyList<double>? channels, double otherwise, Tensor inputs)
    {
        if (channels is null) return tensor((float)otherwise);
        if (inputs.dim() != 4 || inputs.size(1) != channels.Count)
            throw new ArgumentException(
                $"inputs: [{string.Join(", ", inputs.shape)}], expected [batch, {channels.Count}, height, width]");
        return tensor(channels.Select(value => (float)value).ToArray()).view(1, channels.Count, 1, 1);
    }
}
