using Engram.Models;

namespace Engram.Learning;

/// <summary>Updates the flat parameters from the flat gradient. Its moments are flat vectors, carried along when a head grows.</summary>
public abstract class FlatOptimizer : IDisposable
{
    private readonly Dictionary<string, Tensor> _moments = [];

    /// <summary>The step size now; schedules set it.</summary>
    public double LearningRate { get; set; }

    /// <summary>Steps taken since the start or the last <see cref="Reset"/>.</summary>
    public long Steps { get; private set; }

    /// <summary>The moments by name, in the arena's layout.</summary>
    public IReadOnlyDictionary<string, Tensor> Moments => _moments;

    /// <summary>Takes one step in place.</summary>
    /// <param name="arena">Parameters and gradient.</param>
    public void Step(ParameterArena arena)
    {
        ArgumentNullException.ThrowIfNull(arena);
        using var _ = no_grad();
        Steps++;
        var (companion, hasBegun) = arena.TakeCompanion();
        if (companion is not null && !hasBegun)
        {
            Update(arena.Values, arena.Gradient, companion);
            return;
        }
        Update(arena.Values, arena.Gradient);
        companion?.After(arena.Values);
    }

    /// <summary>Brings the moments into a new layout; new places start at zero.</summary>
    /// <param name="change">What moved where.</param>
    public void Carry(ArenaChange change)
    {
        ArgumentNullException.ThrowIfNull(change);
        foreach (var (name, moment) in _moments.ToArray()) _moments[name] = change.Carry(moment);
    }

    /// <summary>Forgets all moments.</summary>
    public void Reset() => Restore(0, new Dictionary<string, Tensor>());

    /// <summary>Puts back saved state.</summary>
    /// <param name="steps">Steps taken.</param>
    /// <param name="moments">Moments by name; the optimiser takes them over.</param>
    public void Restore(long steps, IReadOnlyDictionary<string, Tensor> moments)
    {
        ArgumentNullException.ThrowIfNull(moments);
        foreach (var moment in _moments.Values) moment.Dispose();
        _moments.Clear();
        foreach (var (name, moment) in moments) _moments[name] = moment.DetachFromDisposeScope();
        Steps = steps;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Reset();
        GC.SuppressFinalize(this);
    }

    /// <summary>Changes the values in place.</summary>
    /// <param name="values">float32 <c>[n]</c>.</param>
    /// <param name="gradient">float32 <c>[n]</c>; may be overwritten.</param>
    protected abstract void Update(Tensor values, Tensor gradient);

    // Around an optimiser of somebody else; those here take the companion along in their pass.
    private protected virtual void Update(Tensor values, Tensor gradient, FlatCompanion companion)
    {
        companion.Before(values, gradient);
        Update(values, gradient);
        companion.After(values);
    }

    /// <summary>A moment, zero at first.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="like">Gives the length.</param>
    protected Tensor Moment(string name, Tensor like)
    {
        if (!_moments.TryGetValue(name, out var moment))
            _moments[name] = moment = zeros_like(like).DetachFromDisposeScope();
        return moment;
    }
}

/// <summary>Which optimiser to use, and how.</summary>
public abstract record OptimizerOptions
{
    /// <summary>Step size.</summary>
    /// <value>Default 1e-3.</value>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Decay of weights: L2 in the gradient, or decoupled in <see cref="AdamOptions.Decoupled"/>.</summary>
    /// <value>Default 0.</value>
    public double WeightDecay { get; init; }

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentException">Names the option, its value and what was expected.</exception>
    public virtual void Validate()
    {
        if (!(LearningRate > 0 && double.IsFinite(LearningRate)))
            throw new ArgumentException($"LearningRate: {LearningRate}, expected a positive number");
        if (!(WeightDecay >= 0 && double.IsFinite(WeightDecay)))
            throw new ArgumentException($"WeightDecay: {WeightDecay}, expected 0 or more");
    }

    /// <summary>Builds the optimiser.</summary>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public FlatOptimizer Build()
    {
        Validate();
        var optimizer = Create();
        optimizer.LearningRate = LearningRate;
        return optimizer;
    }

    /// <summary>Creates the optimiser of these options.</summary>
    protected abstract FlatOptimizer Create();
}

/// <summary>Adam (Kingma and Ba 2015, algorithm 1), or AdamW (Loshchilov and Hutter 2019) when decoupled.</summary>
public sealed record AdamOptions : OptimizerOptions
{
    /// <summary>β₁: decay of the first moment.</summary>
    /// <value>Default 0.9.</value>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>β₂: decay of the second moment.</summary>
    /// <value>Default 0.999.</value>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>ε, added to the root of the second moment.</summary>
    /// <value>Default 1e-8.</value>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Whether weight decay acts on the weights and not on the gradient (AdamW).</summary>
    /// <value>Default false.</value>
    public bool Decoupled { get; init; }

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        foreach (var (name, beta) in new[] { (nameof(Beta1), Beta1), (nameof(Beta2), Beta2) })
            if (beta is not (>= 0 and < 1)) throw new ArgumentException($"{name}: {beta}, expected 0 to below 1");
        if (!(Epsilon > 0)) throw new ArgumentException($"Epsilon: {Epsilon}, expected a positive number");
    }

    /// <inheritdoc/>
    protected override FlatOptimizer Create() => new Adam(this);

    private sealed class Adam(AdamOptions options) : FlatOptimizer
    {
        protected override void Update(Tensor values, Tensor gradient) => Update(values, gradient, null);

        private protected override void Update(Tensor values, Tensor gradient, FlatCompanion? companion)
        {
            var (correction1, correction2) = (1 - Math.Pow(options.Beta1, Steps), 1 - Math.Pow(options.Beta2, Steps));
            var step = new AdamStep(
                options.Decoupled ? 0 : options.WeightDecay, options.Decoupled ? 1 - (LearningRate * options.WeightDecay) : 1,
                options.Beta1, options.Beta2, Math.Sqrt(correction2), options.Epsilon, LearningRate / correction1);
            FlatPass.Run(step, companion, values, gradient, (Moment("m", values), Moment("v", values)));
        }
    }
}

/// <summary>Stochastic gradient descent with momentum, as in PyTorch.</summary>
public sealed record SgdOptions : OptimizerOptions
{
    /// <summary>μ: decay of the velocity.</summary>
    /// <value>Default 0.</value>
    public double Momentum { get; init; }

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        if (Momentum is not (>= 0 and < 1)) throw new ArgumentException($"Momentum: {Momentum}, expected 0 to below 1");
    }

    /// <inheritdoc/>
    protected override FlatOptimizer Create() => new Sgd(this);

    private sealed class Sgd(SgdOptions options) : FlatOptimizer
    {
        protected override void Update(Tensor values, Tensor gradient) => Update(values, gradient, null);

        private protected override void Update(Tensor values, Tensor gradient, FlatCompanion? companion)
        {
            // Without momentum the gradient is its own velocity.
            var velocity = options.Momentum > 0 ? Moment("velocity", values) : gradient;
            FlatPass.Run(new SgdStep(options.WeightDecay, options.Momentum, LearningRate), companion, values, gradient, (velocity, gradient));
        }
    }
}
