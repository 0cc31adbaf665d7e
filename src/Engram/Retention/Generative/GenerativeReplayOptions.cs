namespace Engram.Retention;

/// <summary>What is asked of generated samples.</summary>
public enum ReplayTargets
{
    /// <summary>The class that the previous solver gives them.</summary>
    Hard,

    /// <summary>The softened probabilities that the previous solver gives them (distillation).</summary>
    Soft,
}

/// <summary>How generated samples are replayed.</summary>
public abstract record GeneratedReplayOptions
{
    /// <summary>What is asked of generated samples.</summary>
    /// <value>Default <see cref="ReplayTargets.Hard"/> for <see cref="GenerativeReplay"/>, <see cref="ReplayTargets.Soft"/> for <see cref="BrainInspiredReplay"/>.</value>
    public ReplayTargets Targets { get; init; }

    /// <summary>T: temperature of soft targets.</summary>
    /// <value>Default 2; a positive number.</value>
    public double Temperature { get; init; } = 2;

    /// <summary>Whether the loss against soft targets counts T² times, so that its gradients do not shrink with T (Hinton, Vinyals and Dean 2015).</summary>
    /// <value>
    /// Default true for <see cref="GenerativeReplay"/>, as van de Ven and Tolias 2018 have it (equation 4); false for
    /// <see cref="BrainInspiredReplay"/>, as the code of van de Ven, Tuytelaars and Tolias 2022.
    /// </value>
    public bool SquaredTemperature { get; init; }

    /// <summary>Generated samples per step.</summary>
    /// <value>Default none: as many as the learner's batch size.</value>
    public int? BatchSize { get; init; }

    internal GeneratedReplayOptions Checked()
    {
        if (!(Temperature > 0 && double.IsFinite(Temperature)))
            throw new ArgumentException($"Temperature: {Temperature}, expected a positive number");
        if (BatchSize is < 1) throw new ArgumentException($"BatchSize: {BatchSize}, expected 1 or more");
        return Enum.IsDefined(Targets) ? this : throw new ArgumentException($"Targets: {Targets}, expected Hard or Soft");
    }
}

/// <summary>How <see cref="GenerativeReplay"/> replays.</summary>
public sealed record GenerativeReplayOptions : GeneratedReplayOptions
{
    /// <summary>Hard targets; soft ones count T² times.</summary>
    public GenerativeReplayOptions() => SquaredTemperature = true;

    /// <summary>Makes the generator.</summary>
    /// <value>Default a <see cref="VaeGenerator"/> of 784-400-400-100 on MNIST.</value>
    public Func<ReplayGenerator> Generator { get; init; } = () => new VaeGenerator();
}
