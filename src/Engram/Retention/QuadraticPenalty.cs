using System.Numerics;
using System.Runtime.CompilerServices;
using Engram.Models;

namespace Engram.Retention;

/// <summary>½ Σ_k Ω_k (θ_k − μ_k)²: the pull that EWC, SI, MAS and RWalk share, merged over any number of experiences.</summary>
/// <remarks>
/// A sum of quadratics is a quadratic: Σ_i Ω_i (θ − θ_i)² = (ΣΩ_i)(θ − μ)² + const with μ = ΣΩ_iθ_i / ΣΩ_i. So time and
/// memory do not grow with the number of experiences. (Huszár 2018, "Note on the quadratic penalties in EWC".)
/// </remarks>
public sealed class QuadraticPenalty : IDisposable
{
    /// <summary>Ω: importance of each parameter, or null before the first experience.</summary>
    public Tensor? Importance { get; private set; }

    /// <summary>μ: where each parameter is pulled to.</summary>
    public Tensor? Anchor { get; private set; }

    /// <summary>Bytes of Ω and μ.</summary>
    public long Bytes => Importance is null ? 0 : 2 * 4 * Importance.numel();

    /// <summary>Adds one more quadratic, Ω_new (θ − θ_new)².</summary>
    /// <param name="importance">Ω_new in the arena's layout; copied.</param>
    /// <param name="values">θ_new: the parameters now; copied.</param>
    public void Add(Tensor importance, Tensor values)
    {
        ArgumentNullException.ThrowIfNull(importance);
        ArgumentNullException.ThrowIfNull(values);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        if (Importance is null)
        {
            Replace(importance.clone(), values.detach().clone());
            return;
        }
        var total = Importance.add(importance, alpha: Held(1));
        // μ moves towards θ_new by its share of the importance; it stays where nothing is important.
        var share = importance.div(total).nan_to_num_(0, 0, 0);
        Replace(total, Anchor!.add(values.sub(Anchor).mul_(share), alpha: Held(1)));
    }

    /// <summary>Puts one quadratic in place of all earlier ones.</summary>
    /// <param name="importance">Ω; taken over.</param>
    /// <param name="anchor">μ; taken over.</param>
    public void Replace(Tensor importance, Tensor anchor)
    {
        ArgumentNullException.ThrowIfNull(importance);
        ArgumentNullException.ThrowIfNull(anchor);
        Dispose();
        Importance = importance.DetachFromDisposeScope();
        Anchor = anchor.DetachFromDisposeScope();
    }

    /// <summary>Adds λ Ω (θ − μ), the gradient of λ/2 Σ Ω (θ − μ)², to the arena's gradient.</summary>
    /// <param name="arena">Parameters and gradient.</param>
    /// <param name="lambda">λ.</param>
    public void AddGradient(ParameterArena arena, double lambda)
    {
        ArgumentNullException.ThrowIfNull(arena);
        AddGradient(arena.Values, arena.Gradient, lambda);
    }

    internal void AddGradient(Tensor values, Tensor gradient, double lambda)
    {
        if (Importance is not null) FlatPass.Run(new Pull(lambda), values, gradient, Importance, Anchor!);
    }

    /// <summary>½ Σ Ω (θ − μ)² at the present parameters.</summary>
    /// <param name="arena">The parameters.</param>
    public double Value(ParameterArena arena)
    {
        ArgumentNullException.ThrowIfNull(arena);
        if (Importance is null) return 0;
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        return 0.5 * arena.Values.sub(Anchor!).pow_(Held(2)).mul_(Importance).sum(ScalarType.Float64).item<double>();
    }

    /// <summary>Carries Ω and μ into a new layout: new places have no importance.</summary>
    /// <param name="change">What moved where.</param>
    public void Carry(ArenaChange change)
    {
        ArgumentNullException.ThrowIfNull(change);
        if (Importance is null) return;
        Importance = change.Carry(Importance);
        Anchor = change.Carry(Anchor!);
    }

    /// <summary>Names Ω and μ, to save them.</summary>
    /// <param name="state">Receives them.</param>
    public void Save(MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (Importance is null) return;
        state.Tensors["importance"] = Importance;
        state.Tensors["anchor"] = Anchor!;
    }

    /// <summary>Puts Ω and μ back.</summary>
    /// <param name="state">What <see cref="Save"/> named.</param>
    /// <param name="arena">The parameters that they belong to.</param>
    /// <exception cref="FormatException">They are not of this arena.</exception>
    public void Load(MechanismState state, ParameterArena arena)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(arena);
        if (!state.Tensors.TryGetValue("importance", out var importance)) return;
        if (!Fits(importance, arena) || !state.Tensors.TryGetValue("anchor", out var anchor) || !Fits(anchor, arena))
            throw new FormatException($"importance and anchor: expected two vectors of {arena.Length} float32");
        Replace(importance.clone(), anchor.clone());
    }

    private static bool Fits(Tensor vector, ParameterArena arena) =>
        vector.dtype == ScalarType.Float32 && vector.dim() == 1 && vector.size(0) == arena.Length;

    /// <inheritdoc/>
    public void Dispose()
    {
        Importance?.Dispose();
        Anchor?.Dispose();
        (Importance, Anchor) = (null, null);
    }

    /// <summary>λ Ω (θ − μ), added to a few numbers of the gradient.</summary>
    internal readonly unsafe struct Pull(double lambda) : IFlatStep
    {
        private readonly Vector<float> _lambda = new((float)lambda);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void At(float* values, float* gradient, float* importance, float* anchor) =>
            Vector.Store(Added(Vector.Load(values), Vector.Load(gradient), importance, anchor), gradient);

        /// <summary>The sum of both.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector<float> Added(Vector<float> values, Vector<float> gradient, float* importance, float* anchor) =>
            gradient + (_lambda * Vector.Load(importance) * (values - Vector.Load(anchor)));
    }
}
