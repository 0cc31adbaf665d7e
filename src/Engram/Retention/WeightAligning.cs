using Engram.Learning;
using Engram.Models;
using Engram.Persistence;

namespace Engram.Retention;

/// <summary>How <see cref="WeightAligning"/> treats the head.</summary>
public sealed record WeightAligningOptions
{
    /// <summary>Whether the head's weights are kept from being negative after every step, as the paper advises.</summary>
    /// <value>Default false.</value>
    public bool NonNegative { get; init; }
}

/// <summary>
/// Weight aligning: after each experience, new classes' weight vectors are made as long on average as old ones', so that
/// new classes are not favoured. Zhao et al. 2020, "Maintaining Discrimination and Fairness in Class Incremental
/// Learning", section 4.2: Ŵ_new = γ W_new with γ = mean ‖w_old‖ / mean ‖w_new‖.
/// </summary>
/// <remarks>
/// It keeps no knowledge by itself: the paper's method is this with distillation and replay, the strategy <c>wa</c>.
/// Biases stay as they are (the paper's layer has none). The optimiser's moments are not scaled.
/// </remarks>
public sealed class WeightAligning : RetentionMechanism
{
    private const string Weight = "head.weight";
    private readonly WeightAligningOptions _options;

    /// <summary>Creates it.</summary>
    /// <param name="options">Null for the defaults.</param>
    public WeightAligning(WeightAligningOptions? options = null) => _options = options ?? new WeightAligningOptions();

    /// <inheritdoc/>
    public override string Name => "wa";

    /// <inheritdoc/>
    protected internal override object? Recipe => _options;

    /// <inheritdoc/>
    public override Seams Seams => Seams.Parameters;

    /// <inheritdoc/>
    public override long MemoryBytes => 0;

    /// <summary>γ of the last experience; 1 before the second one.</summary>
    public double Gamma { get; private set; } = 1;

    /// <inheritdoc/>
    protected internal override string? WhyNot(LearnerOptions options) =>
        options?.Scenario == Scenario.ClassIncremental
            ? options.InitialLabels.Count > 0 ? ExemplarMechanism.OutputsTellNewFromOld : null
            : $"aligns new classes with old ones that compete with them, expected class-incremental learning, not {options?.Scenario}";

    /// <inheritdoc/>
    protected internal override void Attach(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Model.Head is not LinearHead)
            throw new ArgumentException(
                $"mechanisms: wa aligns the weights of a linear head, expected no {context.Model.Head.Architecture} head");
    }

    /// <inheritdoc/>
    protected internal override void AfterStep(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        if (!_options.NonNegative) return;
        var arena = step.Context.Arena;
        arena[Weight].Of(arena.Values).clamp_min_(Held(0));
    }

    /// <inheritdoc/>
    protected internal override void EndExperience(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var (old, all) = (context.KnownBefore, context.Classes.Count);
        if (old == 0 || old == all) return;
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var weights = context.Arena[Weight].Of(context.Arena.Values); // [classes, features]
        Gamma = Factor(weights, old);
        weights.narrow(0, old, all - old).mul_(Held(Gamma));
    }

    /// <inheritdoc/>
    protected internal override void Save(MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        state.Values["gamma"] = Gamma;
    }

    /// <inheritdoc/>
    protected internal override void Load(LearningContext context, MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        Gamma = state.Values.Value<double>("gamma");
    }

    // γ; new weights of length 0 have no direction to scale.
    internal static double Factor(Tensor weights, int old)
    {
        var norms = weights.to(ScalarType.Float64).pow(Held(2)).sum(1).sqrt();
        var (before, after) = (norms[..old].mean().item<double>(), norms[old..].mean().item<double>());
        return after > 0 ? before / after : 1;
    }
}
