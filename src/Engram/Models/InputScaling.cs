namespace Engram.Models;

/// <summary>Turns samples as stored into what a backbone reads: bytes become (x / 255 − mean) / std, floats (x − mean) / std.</summary>
/// <param name="Mean">Subtracted; default 0.</param>
/// <param name="Std">Divided by; default 1.</param>
public sealed record InputScaling(double Mean = 0, double Std = 1)
{
    /// <summary>Scales a batch.</summary>
    /// <param name="inputs"><c>[batch, ...]</c>, Byte or Float32.</param>
    /// <returns>float32 of the same shape.</returns>
    public Tensor Apply(Tensor inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        var unit = inputs.dtype == ScalarType.Byte ? inputs.to(ScalarType.Float32).div_(255) : inputs;
        return Mean == 0 && Std == 1 ? unit : unit.sub(Mean).div_(Std);
    }
}
