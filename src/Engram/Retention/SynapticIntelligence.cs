using Engram.Learning;

namespace Engram.Retention;

/// <summary>How <see cref="SynapticIntelligence"/> weighs the past.</summary>
public sealed record SiOptions
{
    /// <summary>c in equation 4: how much old experiences count against the new one.</summary>
    /// <value>Default 100, chosen on validation data of Split MNIST with Adam; 0 or more.</value>
    public double C { get; init; } = 100;

    /// <summary>How c grows with the number n of experiences learnt: c·n^growth. 1 lets it grow in proportion.</summary>
    /// <value>Default 0: constant.</value>
    public double Growth { get; init; }

    /// <summary>ξ in equation 5: keeps the importance of parameters that hardly moved from exploding.</summary>
    /// <value>Default 0.1; above 0.</value>
    public double Xi { get; init; } = 0.1;
}

/// <summary>
/// Synaptic intelligence: holds the weights whose movement brought earlier losses down. Importance is gathered while
/// learning, without a pass over the data afterwards. Zenke, Poole and Ganguli 2017, "Continual Learning Through Synaptic
/// Intelligence": L̃ = L + c Σ_k Ω_k (θ̃_k − θ_k)² (equation 4), Ω_k = Σ_ν ω_k^ν / ((Δ_k^ν)² + ξ) (equation 5),
/// ω_k = −Σ_t g_k(t) Δθ_k(t) (equation 3).
/// </summary>
/// <remarks>
/// The path integral uses the gradient without the penalty, and Ω is cut at 0 after each experience, as in the authors'
/// code. It must be listed before other quadratic penalties, whose pull it would count as loss. One penalty
/// anchored at the parameters of the last experience, whatever the number of experiences.
/// </remarks>
public sealed class SynapticIntelligence : WeightPenalty
{
    private readonly SiOptions _options;
    private readonly PathIntegral _path = new();

    /// <summary>Creates it.</summary>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public SynapticIntelligence(SiOptions? options = null)
    {
        _options = options ?? new SiOptions();
        if (!(_options.C >= 0 && double.IsFinite(_options.C)))
            throw new ArgumentException($"C: {_options.C}, expected 0 or more");
        CheckGrowth(_options.Growth);
        if (!(_options.Xi > 0 && double.IsFinite(_options.Xi)))
            throw new ArgumentException($"Xi: {_options.Xi}, expected a positive number");
    }

    /// <inheritdoc/>
    protected internal override object? Recipe => _options;

    /// <inheritdoc/>
    public override string Name => "si";

    /// <inheritdoc/>
    public override long MemoryBytes => base.MemoryBytes + _path.Bytes;

    /// <inheritdoc/>
    protected internal override void BeginExperience(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        _path.Begin(context.Arena);
    }

    /// <inheritdoc/>
    protected internal override bool ReadsLossGradient => true;

    /// <inheritdoc/>
    protected internal override void AddGradient(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        _path.Follow(step.Context.Arena, Penalty, 2 * Grown(_options.C, _options.Growth, step)); // derivative of c Ω (θ − θ̃)²
    }

    /// <inheritdoc/>
    protected internal override void EndExperience(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var values = context.Arena.Values;
        var distance = values.sub(_path.Start!);
        var importance = _path.Contribution!.div(distance.mul_(distance).add_(Held(_options.Xi), alpha: Held(1)));
        if (Penalty.Importance is { } earlier) importance.add_(earlier, alpha: Held(1));
        Penalty.Replace(importance.clamp_min_(Held(0)), values.clone());
        _path.Dispose();
    }

    /// <inheritdoc/>
    protected internal override void Save(MechanismState state)
    {
        base.Save(state);
        _path.Save(state);
    }

    /// <inheritdoc/>
    protected internal override void Load(LearningContext context, MechanismState state)
    {
        base.Load(context, state);
        _path.Load(state);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _path.Dispose();
    }
}
