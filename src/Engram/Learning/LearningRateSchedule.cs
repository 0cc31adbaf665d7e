namespace Engram.Learning;

/// <summary>The step size over one experience, as a factor of the optimiser's; it starts anew with each experience.</summary>
/// <remarks>A function of the step alone, so that resuming needs no state. No schedule means a constant step size.</remarks>
public abstract record LearningRateSchedule
{
    /// <summary>The factor for one step.</summary>
    /// <param name="step">The step in its experience, from 0.</param>
    /// <param name="stepsPerEpoch">Steps in one pass.</param>
    /// <param name="steps">Steps of the experience.</param>
    public abstract double Factor(long step, long stepsPerEpoch, long steps);

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentException">Names the option, its value and what was expected.</exception>
    public abstract void Validate();
}

/// <summary>Multiplies the step size at given epochs, as PyTorch's MultiStepLR.</summary>
public sealed record StepSchedule : LearningRateSchedule
{
    /// <summary>Epochs, from 0, before which the step size is multiplied.</summary>
    /// <value>Default none.</value>
    public IReadOnlyList<int> Milestones { get; init; } = [];

    /// <summary>γ: the factor at each milestone.</summary>
    /// <value>Default 0.1; above 0 and at most 1.</value>
    public double Gamma { get; init; } = 0.1;

    /// <inheritdoc/>
    public override double Factor(long step, long stepsPerEpoch, long steps) =>
        Math.Pow(Gamma, Milestones.Count(epoch => step / stepsPerEpoch >= epoch));

    /// <inheritdoc/>
    public override void Validate()
    {
        if (Gamma is not (> 0 and <= 1)) throw new ArgumentException($"Gamma: {Gamma}, expected above 0 and at most 1");
        if (Milestones.Any(epoch => epoch < 1))
            throw new ArgumentException($"Milestones: {string.Join(", ", Milestones)}, expected 1 or more");
    }
}

/// <summary>Half a cosine from 1 down (Loshchilov and Hutter 2017, "SGDR", equation 5, without restarts inside an experience).</summary>
public sealed record CosineSchedule : LearningRateSchedule
{
    /// <summary>The factor that the end approaches.</summary>
    /// <value>Default 0; 0 to 1.</value>
    public double Minimum { get; init; }

    /// <inheritdoc/>
    public override double Factor(long step, long stepsPerEpoch, long steps) =>
        Minimum + ((1 - Minimum) * (1 + Math.Cos(Math.PI * step / steps)) / 2);

    /// <inheritdoc/>
    public override void Validate()
    {
        if (Minimum is not (>= 0 and <= 1)) throw new ArgumentException($"Minimum: {Minimum}, expected 0 to 1");
    }
}

/// <summary>Rises linearly over the first steps, then follows another schedule over the rest.</summary>
public sealed record WarmUpSchedule : LearningRateSchedule
{
    /// <summary>Steps to rise over.</summary>
    /// <value>Default 100; 1 or more.</value>
    public int Steps { get; init; } = 100;

    /// <summary>What follows; null for a constant step size.</summary>
    /// <value>Default null.</value>
    public LearningRateSchedule? Then { get; init; }

    /// <inheritdoc/>
    public override double Factor(long step, long stepsPerEpoch, long steps) => step < Steps
        ? (step + 1.0) / Steps
        : Then?.Factor(step - Steps, stepsPerEpoch, Math.Max(1, steps - Steps)) ?? 1;

    /// <inheritdoc/>
    public override void Validate()
    {
        if (Steps < 1) throw new ArgumentException($"Steps: {Steps}, expected 1 or more");
        Then?.Validate();
    }
}
