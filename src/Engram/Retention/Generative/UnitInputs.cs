using Engram.Data;

namespace Engram.Retention;

/// <summary>What generators learn and give: samples as stored, with bytes brought to 0..1, flat.</summary>
/// <remarks>A model's scaling treats bytes and floats in 0..1 alike, so what is generated enters where stored samples do.</remarks>
internal static class UnitInputs
{
    private const int BatchSize = 1000;

    /// <summary>float32 <c>[n, inputs]</c> of samples as stored.</summary>
    public static Tensor Of(Tensor raw)
    {
        var unit = raw.dtype == ScalarType.Byte ? raw.to(ScalarType.Float32).div_(Held(255)) : raw;
        return unit.dim() == 2 ? unit : unit.flatten(1);
    }

    /// <summary>Numbers per sample.</summary>
    public static int Count(ISampleSource source) => (int)source.InputShape.Aggregate(1L, (product, size) => product * size);

    /// <summary>Why samples are refused that no probability of a pixel can stand for.</summary>
    public static string? WhyNot(ISampleSource source, Reconstruction reconstruction, string name) =>
        reconstruction == Reconstruction.Bernoulli ? WhyNot(source, $"{name} with Bernoulli reconstruction; Gaussian takes any") : null;

    /// <summary>Why numbers below 0 or above 1 are refused; null where there are none.</summary>
    public static string? WhyNot(ISampleSource source, string what)
    {
        if (source.InputType == ScalarType.Byte) return null;
        using var _ = no_grad();
        for (var start = 0; start < source.Count; start += BatchSize)
        {
            using var scope = NewDisposeScope();
            var inputs = source.Gather([.. Enumerable.Range(start, Math.Min(BatchSize, source.Count - start)).Select(i => (long)i)]).Inputs;
            if (WhyNot(inputs, "inputs", what) is { } reason) return reason;
        }
        return null;
    }

    /// <summary>Why numbers, as they are called, are refused; null where all are in 0..1.</summary>
    public static string? WhyNot(Tensor numbers, string called, string what)
    {
        var (least, most) = (numbers.min().item<float>(), numbers.max().item<float>());
        return least >= 0 && most <= 1 ? null : $"{called} from {least} to {most}, expected 0 to 1 for {what}";
    }
}
