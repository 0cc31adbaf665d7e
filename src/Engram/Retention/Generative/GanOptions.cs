using Engram.Learning;

namespace Engram.Retention;

/// <summary>Size and training of a <see cref="GanGenerator"/>.</summary>
public sealed record GanOptions
{
    /// <summary>Channels at half and at a quarter of the image's side, in generator and critic alike.</summary>
    /// <value>Default 32, 64; two positive numbers.</value>
    public IReadOnlyList<int> Widths { get; init; } = [32, 64];

    /// <summary>Size of z.</summary>
    /// <value>Default 64.</value>
    public int LatentSize { get; init; } = 64;

    /// <summary>The generator's optimiser.</summary>
    /// <value>Default Adam at 1e-3 with β₁ = 0.5.</value>
    public OptimizerOptions Optimizer { get; init; } = new AdamOptions { LearningRate = 1e-3, Beta1 = 0.5 };

    /// <summary>The critic's optimiser.</summary>
    /// <value>Default Adam at 2e-3 with β₁ = 0.5: the critic learns faster, as two-time-scale training has it (Heusel et al. 2017).</value>
    public OptimizerOptions CriticOptimizer { get; init; } = new AdamOptions { LearningRate = 2e-3, Beta1 = 0.5 };

    /// <summary>Decay of the running average of the generator's weights, from which samples come.</summary>
    /// <value>Default 0.98; 0 (the weights themselves) to below 1.</value>
    public double Averaging { get; init; } = 0.98;

    internal GanOptions Validated()
    {
        if (Widths.Count != 2 || Widths.Any(width => width < 1))
            throw new ArgumentException($"Widths: [{string.Join(", ", Widths)}], expected two positive widths");
        if (LatentSize < 1) throw new ArgumentException($"LatentSize: {LatentSize}, expected 1 or more");
        if (Averaging is not (>= 0 and < 1)) throw new ArgumentException($"Averaging: {Averaging}, expected 0 to below 1");
        Optimizer.Build().Dispose();
        CriticOptimizer.Build().Dispose();
        return this;
    }
}
