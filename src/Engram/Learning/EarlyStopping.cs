namespace Engram.Learning;

/// <summary>
/// Ends an experience when its validation loss has stopped falling, and goes back to the weights that had the lowest.
/// Every experience needs a <see cref="Streams.Experience.Validation"/> source.
/// </summary>
/// <remarks>
/// The loss is the usual one of the targets (cross-entropy for classes), over the present experience's validation samples
/// alone, after each epoch. Weights and the model's buffers go back; the optimiser's moments and what mechanisms gathered
/// on the way stay. (Prechelt 1998, "Early stopping, but when?", patience in place of strips.)
/// </remarks>
public sealed record EarlyStopping
{
    /// <summary>Epochs without a new lowest loss after which the experience ends.</summary>
    /// <value>Default 3.</value>
    public int Patience { get; init; } = 3;

    /// <summary>How much lower a loss must be to count as new lowest.</summary>
    /// <value>Default 0.</value>
    public double MinimumGain { get; init; }

    internal void Validate()
    {
        if (Patience < 1) throw new ArgumentException($"Patience: {Patience}, expected 1 or more");
        if (!(MinimumGain >= 0 && double.IsFinite(MinimumGain)))
            throw new ArgumentException($"MinimumGain: {MinimumGain}, expected 0 or more");
    }
}
