using Engram.Learning;
using Engram.Models;
using Engram.Persistence;

namespace Engram.Retention;

/// <summary>How <see cref="RiemannianWalk"/> weighs the past.</summary>
public sealed record RWalkOptions
{
    /// <summary>λ in equation 8: how much old experiences count against the new one.</summary>
    /// <value>Default 10; 0 or more.</value>
    public double Lambda { get; init; } = 10;

    /// <summary>How λ grows with the number n of experiences learnt: λ·n^growth. 1 lets it grow in proportion.</summary>
    /// <value>Default 0: constant.</value>
    public double Growth { get; init; }

    /// <summary>α in equation 6: weight of the newest estimate in the running Fisher information.</summary>
    /// <value>Default 0.9; above 0, at most 1.</value>
    public double Alpha { get; init; } = 0.9;

    /// <summary>Δt in equation 7: steps between two updates of Fisher information and score.</summary>
    /// <value>Default 10; 1 or more.</value>
    public int Interval { get; init; } = 10;

    /// <summary>ε in equation 7: keeps scores of parameters that hardly moved finite.</summary>
    /// <value>Default 1e-3; above 0.</value>
    public double Epsilon { get; init; } = 1e-3;
}

/// <summary>
/// Riemannian walk: holds weights by two measures at once, a running Fisher information and a score of how much loss each
/// weight saved per distance (in KL divergence) it went. Chaudhry et al. 2018, "Riemannian Walk for Incremental Learning":
/// F_t = α F̂_t + (1 − α) F_{t−1} (equation 6), s = Σ_t ΔL_t / (½ F_t Δθ_t² + ε) (equation 7),
/// L̃ = L + λ Σ (F + s)(θ − θ*)² (equation 8).
/// </summary>
/// <remarks>
/// As in the authors' code F̂ is the mean, over Δt steps, of the squared gradient of a batch; negative scores become 0, the
/// score after an experience is the mean of the earlier and the new one, and F and s are divided by their greatest value.
/// It must be listed before other quadratic penalties, whose pull it would count as loss.
/// </remarks>
public sealed class RiemannianWalk : WeightPenalty
{
    private readonly RWalkOptions _options;
    private readonly PathIntegral _path = new();
    private Tensor? _squares; // Σ g² since the last update of F
    private Tensor? _fisher;  // F
    private Tensor? _walked;  // Σ ΔL / (½ F Δθ² + ε) of this experience
    private Tensor? _score;   // s of all experiences before
    private int _waiting;     // steps since the last update

    /// <summary>Creates it.</summary>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public RiemannianWalk(RWalkOptions? options = null)
    {
        _options = options ?? new RWalkOptions();
        if (!(_options.Lambda >= 0 && double.IsFinite(_options.Lambda)))
            throw new ArgumentException($"Lambda: {_options.Lambda}, expected 0 or more");
        CheckGrowth(_options.Growth);
        if (_options.Alpha is not (> 0 and <= 1))
            throw new ArgumentException($"Alpha: {_options.Alpha}, expected above 0, at most 1");
        if (_options.Interval < 1) throw new ArgumentException($"Interval: {_options.Interval}, expected 1 or more");
        if (!(_options.Epsilon > 0 && double.IsFinite(_options.Epsilon)))
            throw new ArgumentException($"Epsilon: {_options.Epsilon}, expected a positive number");
    }

    /// <inheritdoc/>
    protected internal override object? Recipe => _options;

    /// <inheritdoc/>
    public override string Name => "rwalk";

    /// <inheritdoc/>
    public override long MemoryBytes => base.MemoryBytes + _path.Bytes
        + new[] { _squares, _fisher, _walked, _score }.Sum(vector => vector is null ? 0 : 4 * vector.numel());

    /// <inheritdoc/>
    protected internal override void OnGrowth(LearningContext context, ArenaChange change)
    {
        ArgumentNullException.ThrowIfNull(change);
        base.OnGrowth(context, change);
        if (_fisher is not null) _fisher = change.Carry(_fisher);
        if (_score is not null) _score = change.Carry(_score);
    }

    /// <inheritdoc/>
    protected internal override void BeginExperience(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        _path.Begin(context.Arena);
        Drop(ref _squares);
        Drop(ref _walked);
        _squares = zeros_like(context.Arena.Values).DetachFromDisposeScope();
        _walked = zeros_like(context.Arena.Values).DetachFromDisposeScope();
        _waiting = 0;
    }

    /// <inheritdoc/>
    protected internal override bool ReadsLossGradient => true;

    /// <inheritdoc/>
    protected internal override void AddGradient(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        var lambda = 2 * Grown(_options.Lambda, _options.Growth, step); // derivative of λ (F + s)(θ − θ*)²
        _path.Follow(step.Context.Arena, Penalty, lambda, _squares);
    }

    /// <inheritdoc/>
    protected internal override void AfterStep(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        if (++_waiting == _options.Interval) Update(step.Context.Arena);
    }

    /// <inheritdoc/>
    protected internal override void EndExperience(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        if (_waiting > 0) Update(context.Arena);
        var score = _walked!.clamp_min(Held(0));
        if (_score is not null) score.add_(_score, alpha: Held(1)).div_(Held(2));
        Drop(ref _score);
        _score = score.DetachFromDisposeScope();
        Penalty.Replace(AtMostOne(_fisher!).add_(AtMostOne(_score), alpha: Held(1)), context.Arena.Values.clone());
        _path.Dispose();
        Drop(ref _squares);
        Drop(ref _walked);
    }

    /// <inheritdoc/>
    protected internal override void Save(MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        base.Save(state);
        _path.Save(state);
        state.Values["waiting"] = _waiting;
        foreach (var (name, vector) in new[]
            { ("squares", _squares), ("fisher", _fisher), ("walked", _walked), ("score", _score) })
            if (vector is not null) state.Tensors[name] = vector;
    }

    /// <inheritdoc/>
    protected internal override void Load(LearningContext context, MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        base.Load(context, state);
        _path.Load(state);
        _waiting = state.Values.Value<int>("waiting");
        (_squares, _fisher) = (state.Take("squares"), state.Take("fisher"));
        (_walked, _score) = (state.Take("walked"), state.Take("score"));
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _path.Dispose();
        Drop(ref _squares);
        Drop(ref _fisher);
        Drop(ref _walked);
        Drop(ref _score);
    }

    // Equations 6 and 7 over the steps since the last update.
    private void Update(ParameterArena arena)
    {
        using var scope = NewDisposeScope();
        var newest = _squares!.div(Held(_waiting));
        _fisher = _fisher is null
            ? newest.DetachFromDisposeScope()
            : _fisher.mul_(Held(1 - _options.Alpha)).add_(newest, alpha: Held(_options.Alpha));
        var distance = arena.Values.sub(_path.Start!);
        var divergence = distance.mul_(distance).mul_(_fisher).mul_(Held(0.5)).add_(Held(_options.Epsilon), alpha: Held(1));
        _walked!.addcdiv_(_path.Contribution!, divergence, Held(1));
        _path.Restart(arena);
        _squares.zero_();
        _waiting = 0;
    }

    private static Tensor AtMostOne(Tensor values) => values.div(values.max().clamp_min_(Held(1e-30)));

    private static void Drop(ref Tensor? vector)
    {
        vector?.Dispose();
        vector = null;
    }
}
