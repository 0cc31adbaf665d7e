using System.Numerics;
using System.Runtime.CompilerServices;
using Engram.Models;

namespace Engram.Retention;

/// <summary>ω_k = −Σ_t g_k(t) Δθ_k(t): what each parameter contributed to the fall of the loss along the path that training took.</summary>
/// <remarks>
/// Zenke, Poole and Ganguli 2017, equation 3. g is the gradient of the loss as it stands when <see cref="Follow"/> is called, before a penalty is added to it; Δθ what
/// the optimiser makes of both.
/// </remarks>
internal sealed class PathIntegral : FlatCompanion, IDisposable
{
    private (QuadraticPenalty Penalty, double Lambda, Tensor? Squares) _step; // the present one
    private Tensor? _gradient; // g and θ of before the step, where it could not go along with the optimiser
    private Tensor? _before;

    /// <summary>ω, or null outside an experience.</summary>
    public Tensor? Contribution { get; private set; }

    /// <summary>θ where the path began.</summary>
    public Tensor? Start { get; private set; }

    /// <summary>Bytes of the vectors held.</summary>
    public long Bytes => new[] { Contribution, Start, _gradient, _before }.Sum(vector => vector is null ? 0 : 4 * vector.numel());

    /// <summary>Starts a path here.</summary>
    public void Begin(ParameterArena arena)
    {
        Dispose();
        using var _ = no_grad();
        Contribution = zeros_like(arena.Values).DetachFromDisposeScope();
        Start = arena.Values.clone().DetachFromDisposeScope();
    }

    /// <summary>Follows the optimiser's next step.</summary>
    /// <param name="arena">Its gradient is that of the loss.</param>
    /// <param name="penalty">Is added to the gradient that the optimiser sees.</param>
    /// <param name="lambda">λ of the penalty.</param>
    /// <param name="squares">Gets g² added; null for none.</param>
    public void Follow(ParameterArena arena, QuadraticPenalty penalty, double lambda, Tensor? squares = null)
    {
        _step = (penalty, lambda, squares);
        arena.Accompany(this);
    }

    /// <inheritdoc/>
    public override void Accompany<T>(T step, Tensor values, Tensor gradient, (Tensor First, Tensor Second) moments) => FlatPass.Run(
        step, new Passage(_step.Lambda, _step.Penalty.Importance is not null, _step.Squares is not null), values, gradient, moments,
        (_step.Penalty.Importance, _step.Penalty.Anchor, Contribution, _step.Squares));

    /// <inheritdoc/>
    public override void Before(Tensor values, Tensor gradient)
    {
        _gradient ??= empty_like(gradient).DetachFromDisposeScope();
        _before ??= empty_like(values).DetachFromDisposeScope();
        _gradient.copy_(gradient);
        _before.copy_(values);
        _step.Penalty.AddGradient(values, gradient, _step.Lambda);
    }

    /// <inheritdoc/>
    public override void After(Tensor values)
    {
        FlatPass.Run(default(Progress), values, _gradient!, _before!, Contribution!);
        if (_step.Squares is { } squares) FlatPass.Run(default(Square), values, _gradient!, _before!, squares);
    }

    /// <summary>Starts again from here, within an experience.</summary>
    public void Restart(ParameterArena arena)
    {
        Contribution!.zero_();
        Start!.copy_(arena.Values);
    }

    /// <summary>Names what outlives a step.</summary>
    public void Save(MechanismState state)
    {
        if (Contribution is null) return;
        state.Tensors["path"] = Contribution;
        state.Tensors["start"] = Start!;
    }

    /// <summary>Puts it back.</summary>
    public void Load(MechanismState state)
    {
        Dispose();
        (Contribution, Start) = (state.Take("path"), state.Take("start"));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in new[] { Contribution, Start, _gradient, _before }) tensor?.Dispose();
        (Contribution, Start, _gradient, _before) = (null, null, null, null);
    }

    private readonly unsafe struct Progress : IFlatStep
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void At(float* values, float* gradient, float* before, float* contribution) =>
            Add(Vector.Load(before), Vector.Load(values), Vector.Load(gradient), contribution);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Add(Vector<float> before, Vector<float> after, Vector<float> gradient, float* contribution) =>
            Vector.Store(Vector.Load(contribution) + (gradient * (before - after)), contribution);
    }

    private readonly unsafe struct Square : IFlatStep
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void At(float* values, float* gradient, float* before, float* sum) => Add(Vector.Load(gradient), sum);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Add(Vector<float> gradient, float* sum) => Vector.Store(Vector.Load(sum) + (gradient * gradient), sum);
    }

    // All of a step, for a few numbers.
    private readonly unsafe struct Passage(double lambda, bool pulls, bool squares) : ICompanionStep
    {
        private readonly QuadraticPenalty.Pull _pull = new(lambda);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector<float> Before(Vector<float> values, Vector<float> gradient, float* importance, float* anchor) =>
            pulls ? _pull.Added(values, gradient, importance, anchor) : gradient;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void After(Vector<float> before, Vector<float> after, Vector<float> gradient, float* contribution, float* sum)
        {
            Progress.Add(before, after, gradient, contribution);
            if (squares) Square.Add(gradient, sum);
        }
    }
}
