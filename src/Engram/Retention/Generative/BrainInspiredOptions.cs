namespace Engram.Retention;

/// <summary>Size and parts of <see cref="BrainInspiredReplay"/>.</summary>
public sealed record BrainInspiredOptions : GeneratedReplayOptions
{
    /// <summary>Soft targets, as in the paper.</summary>
    public BrainInspiredOptions() => Targets = ReplayTargets.Soft;

    /// <summary>Width of each hidden layer of the decoder, from z down; an encoder of the same widths mirrors it.</summary>
    /// <value>Default 400, 400, as the study's MLP on Split MNIST.</value>
    public IReadOnlyList<int> Widths { get; init; } = [400, 400];

    /// <summary>Size of z.</summary>
    /// <value>Default 100.</value>
    public int LatentSize { get; init; } = 100;

    /// <summary>X: share of the decoder's hidden units that each class silences (gating by internal context).</summary>
    /// <value>Default 0.1, as the study on Split MNIST class-incremental (0.7 on Split CIFAR-100); 0 to below 1.</value>
    public double GateShare { get; init; } = 0.1;

    /// <summary>The loss of a reconstruction.</summary>
    /// <value>Default <see cref="Reconstruction.Bernoulli"/>.</value>
    public Reconstruction Reconstruction { get; init; }

    internal BrainInspiredOptions Validated()
    {
        if (GateShare is not (>= 0 and < 1)) throw new ArgumentException($"GateShare: {GateShare}, expected 0 to below 1");
        _ = new VaeOptions { Widths = Widths, LatentSize = LatentSize, Reconstruction = Reconstruction }.Validated();
        return this;
    }
}
