using Engram.Learning;

namespace Engram.Retention;

/// <summary>How <see cref="ElasticWeightConsolidation"/> weighs the past.</summary>
public sealed record EwcOptions
{
    /// <summary>λ in equation 3: how much old experiences count against the new one.</summary>
    /// <value>Default 1,000; 0 or more.</value>
    public double Lambda { get; init; } = 1000;

    /// <summary>How λ grows with the number n of experiences learnt: λ·n^growth. 1 lets it grow in proportion.</summary>
    /// <value>Default 0: constant.</value>
    public double Growth { get; init; }

    /// <summary>γ of online EWC (Schwarz et al. 2018, equation 9): decay of earlier importance; null keeps one penalty per experience.</summary>
    /// <value>Default null; 0 to 1.</value>
    public double? Gamma { get; init; }

    /// <summary>Samples to estimate the Fisher information from; null means all of the experience.</summary>
    /// <value>Default 1,000.</value>
    public int? FisherSamples { get; init; } = 1000;

    /// <summary>Which labels the Fisher information is taken over.</summary>
    /// <value>Default <see cref="FisherLabels.Observed"/>.</value>
    public FisherLabels Labels { get; init; } = FisherLabels.Observed;
}

/// <summary>
/// Elastic weight consolidation: holds weights that mattered to old experiences near their old values.
/// Kirkpatrick et al. 2017, "Overcoming catastrophic forgetting in neural networks", equation 3:
/// L(θ) = L_B(θ) + Σ_i λ/2 F_i (θ_i − θ*_{A,i})².
/// </summary>
/// <remarks>
/// One penalty per experience, merged exactly (<see cref="QuadraticPenalty"/>), or one running penalty with decay γ:
/// λ/2 F̃_t (θ − θ*_t)² with F̃_t = γ F̃_{t−1} + F_t. Schwarz et al. multiply it by γ once more, which is a matter of λ.
/// It cannot separate classes that never occur together: in class-incremental learning expect little of it alone.
/// </remarks>
public sealed class ElasticWeightConsolidation : WeightPenalty
{
    private readonly EwcOptions _options;

    /// <summary>Creates it.</summary>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public ElasticWeightConsolidation(EwcOptions? options = null)
    {
        _options = options ?? new EwcOptions();
        if (!(_options.Lambda >= 0 && double.IsFinite(_options.Lambda)))
            throw new ArgumentException($"Lambda: {_options.Lambda}, expected 0 or more");
        CheckGrowth(_options.Growth);
        if (_options.Gamma is { } gamma && gamma is not (>= 0 and <= 1))
            throw new ArgumentException($"Gamma: {gamma}, expected 0 to 1");
        if (_options.FisherSamples < 1)
            throw new ArgumentException($"FisherSamples: {_options.FisherSamples}, expected 1 or more");
    }

    /// <inheritdoc/>
    protected internal override object? Recipe => _options;

    /// <inheritdoc/>
    public override string Name => "ewc";

    /// <inheritdoc/>
    protected internal override void AddGradient(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        Penalty.AddGradient(step.Context.Arena, Grown(_options.Lambda, _options.Growth, step));
    }

    /// <inheritdoc/>
    protected internal override void EndExperience(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        using var scope = NewDisposeScope();
        var fisher = FisherInformation.Diagonal(context, _options.FisherSamples, _options.Labels);
        using var _ = no_grad();
        if (_options.Gamma is not { } gamma)
            Penalty.Add(fisher, context.Arena.Values);
        else
            Penalty.Replace(
                Penalty.Importance is { } old ? old.mul(Held(gamma)).add_(fisher, alpha: Held(1)) : fisher, context.Arena.Values.clone());
    }
}
