using Engram.Data;
using Engram.Learning;
using Engram.Retention.Sensitivity;

namespace Engram.Retention;

/// <summary>How <see cref="MemoryAwareSynapses"/> weighs the past.</summary>
public sealed record MasOptions
{
    /// <summary>λ in equation 3: how much old experiences count against the new one.</summary>
    /// <value>Default 1; 0 or more.</value>
    public double Lambda { get; init; } = 1;

    /// <summary>How λ grows with the number n of experiences learnt: λ·n^growth. 1 lets it grow in proportion.</summary>
    /// <value>Default 0: constant.</value>
    public double Growth { get; init; }

    /// <summary>Samples to estimate the importance from; null means all of the experience.</summary>
    /// <value>Default 1,000.</value>
    public int? Samples { get; init; } = 1000;
}

/// <summary>
/// Memory aware synapses: holds the weights to which the outputs are sensitive; labels are not needed. Aljundi et al. 2018,
/// "Memory Aware Synapses: Learning what (not) to forget": Ω = (1/N) Σ_x |∂‖F(x;θ)‖²₂ / ∂θ| (equation 2 with the squared
/// norm of section 4.1), L(θ) = L_n(θ) + λ Σ Ω (θ − θ*)² (equation 3).
/// </summary>
/// <remarks>
/// The absolute value is taken per sample, as equation 2 says; common implementations take it of a batch's mean gradient.
/// Importances of experiences are summed and the anchor is the parameters of the last, as in the authors' code. The
/// outputs are the logits; in task-incremental learning those of the task at hand.
/// </remarks>
public sealed class MemoryAwareSynapses : WeightPenalty
{
    private readonly MasOptions _options;

    /// <summary>Creates it.</summary>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public MemoryAwareSynapses(MasOptions? options = null)
    {
        _options = options ?? new MasOptions();
        if (!(_options.Lambda >= 0 && double.IsFinite(_options.Lambda)))
            throw new ArgumentException($"Lambda: {_options.Lambda}, expected 0 or more");
        CheckGrowth(_options.Growth);
        if (_options.Samples < 1) throw new ArgumentException($"Samples: {_options.Samples}, expected 1 or more");
    }

    /// <inheritdoc/>
    protected internal override object? Recipe => _options;

    /// <inheritdoc/>
    public override string Name => "mas";

    /// <inheritdoc/>
    protected internal override void AddGradient(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        Penalty.AddGradient(step.Context.Arena, 2 * Grown(_options.Lambda, _options.Growth, step)); // derivative of λ Ω (θ − θ*)²
    }

    /// <inheritdoc/>
    protected internal override void EndExperience(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        using var scope = NewDisposeScope();
        var importance = Importance(context, _options.Samples);
        using var _ = no_grad();
        if (Penalty.Importance is { } earlier) importance.add_(earlier, alpha: Held(1));
        Penalty.Replace(importance, context.Arena.Values.clone());
    }

    /// <summary>Ω of one experience at the present parameters, float32 in the arena's layout.</summary>
    internal static Tensor Importance(LearningContext context, int? samples, bool vectorised = true) =>
        PerSampleGradients.Mean(
            context, samples, "mas", GradientPower.Absolute, (logits, part) => [OfNorm(context, logits, part)], vectorised);

    // ∂‖z‖²/∂z = 2z over the outputs in the running.
    private static Tensor OfNorm(LearningContext context, Tensor logits, BatchPart part)
    {
        using var _ = no_grad();
        var term = logits.mul(Held(2));
        return context.Targets.Kind == TargetKind.Classes && part.Tasks is not null
            ? term.masked_fill_(context.Targets.Mask(logits, part.Tasks).isneginf(), Held(0))
            : term;
    }
}
