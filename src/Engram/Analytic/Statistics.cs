using Engram.Retention;

namespace Engram.Analytic;

/// <summary>Reads saved numbers without trusting them.</summary>
internal static class Statistics
{
    /// <summary>A copy of a saved tensor, in the dispose scope at hand: what is refused half-way goes with it.</summary>
    /// <param name="state">Where from.</param>
    /// <param name="name">Its name.</param>
    /// <param name="shape">Its shape; −1 for any size.</param>
    /// <param name="type">Its element type.</param>
    /// <exception cref="InvalidDataException">It is missing, has another type or shape, or is not finite.</exception>
    public static Tensor Take(MechanismState state, string name, ReadOnlySpan<long> shape, ScalarType type)
    {
        if (!state.Tensors.TryGetValue(name, out var saved))
            throw new InvalidDataException($"statistics: {name} is missing, expected a tensor");
        var fits = saved.dtype == type && saved.dim() == shape.Length;
        for (var i = 0; fits && i < shape.Length; i++) fits = shape[i] < 0 || saved.shape[i] == shape[i];
        if (!fits)
            throw new InvalidDataException(
                $"statistics: {name} is {saved.dtype} [{string.Join(", ", saved.shape)}], "
                + $"expected {type} [{string.Join(", ", shape.ToArray().Select(size => size < 0 ? "any" : $"{size}"))}]");
        using (NewDisposeScope())
            if (!saved.isfinite().all().item<bool>())
                throw new InvalidDataException($"statistics: {name} has NaN or infinite numbers, expected finite ones");
        return saved.clone();
    }

    /// <summary>A copy of a saved float64 tensor, in the dispose scope at hand.</summary>
    /// <param name="state">Where from.</param>
    /// <param name="name">Its name.</param>
    /// <param name="shape">Its shape; −1 for any size.</param>
    public static Tensor Take(MechanismState state, string name, params ReadOnlySpan<long> shape) =>
        Take(state, name, shape, ScalarType.Float64);
}
