using Engram.Learning;

namespace Engram.Retention;

/// <summary>What a decoder says of each number of a sample.</summary>
public enum Reconstruction
{
    /// <summary>The probability that it is one; binary cross-entropy. For numbers in 0..1, such as pixels.</summary>
    Bernoulli,

    /// <summary>Its mean, with unit variance; half the squared error. For any numbers.</summary>
    Gaussian,
}

/// <summary>Size and training of a <see cref="Vae"/>.</summary>
public sealed record VaeOptions
{
    /// <summary>Width of each hidden layer of the encoder; the decoder has them in reverse.</summary>
    /// <value>Default 400, 400, as in "Three types of incremental learning" on Split MNIST.</value>
    public IReadOnlyList<int> Widths { get; init; } = [400, 400];

    /// <summary>Size of z.</summary>
    /// <value>Default 100.</value>
    public int LatentSize { get; init; } = 100;

    /// <summary>The loss of a reconstruction.</summary>
    /// <value>Default <see cref="Reconstruction.Bernoulli"/>.</value>
    public Reconstruction Reconstruction { get; init; }

    /// <summary>The generator's own optimiser.</summary>
    /// <value>Default Adam at 1e-3.</value>
    public OptimizerOptions Optimizer { get; init; } = new AdamOptions();

    internal VaeOptions Validated()
    {
        if (Widths.Count == 0 || Widths.Any(width => width < 1))
            throw new ArgumentException($"Widths: [{string.Join(", ", Widths)}], expected one or more positive widths");
        if (LatentSize < 1) throw new ArgumentException($"LatentSize: {LatentSize}, expected 1 or more");
        if (!Enum.IsDefined(Reconstruction)) throw new ArgumentException($"Reconstruction: {Reconstruction}, expected Bernoulli or Gaussian");
        Optimizer.Build().Dispose();
        return this;
    }
}
