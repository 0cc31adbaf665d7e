namespace Engram.Models;

/// <summary>The inputs themselves as features, flattened: for mechanisms that model samples and not what a network makes of them.</summary>
/// <param name="inputs">Numbers per sample.</param>
public sealed class RawInputs(int inputs) : Backbone("raw", Positive(inputs))
{
    /// <inheritdoc/>
    public override string Architecture => $"raw {FeatureCount}";

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return input.dim() == 2 ? input.alias() : input.flatten(1);
    }

    private static int Positive(int inputs)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(inputs, 1);
        return inputs;
    }
}
