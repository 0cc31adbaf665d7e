using System.Numerics;
using System.Runtime.CompilerServices;
using Engram.Models;

namespace Engram.Retention;

/// <summary>ω_k = −Σ_t g_k(t) Δθ_k(t): what each parameter contributed to the fall of the loss along the path that training took.</summary>
/// <remarks>
/// Zenke, Poole and Ganguli 2017, equation 3. g is the gradient of the loss as it stands when <see cref="BeforePenalty"/>
/// is called, Δθ what the optimiser made of it. Three vectors beside ω, all in place.
/// </remarks>
internal sealed class PathIntegral : IDisposable
{
    private Tensor? _gradient;
    private Tensor? _before;

    /// <summary>ω, or null outside an experience.</summary>
    public Tensor? Contribution { get; private set; }

    /// <summary>θ where the path began.</summary>
    public Tensor? Start { get; private set; }

    /// <summary>Bytes of the four vectors.</summary>
    public long Bytes => Contribution is null ? 0 : (2 + (_gradient is null ? 0 : 2)) * 4 * Contribution.numel();

    /// <summary>Starts a path here.</summary>
    public void Begin(ParameterArena arena)
    {
        Dispose();
        using var _ = no_grad();
        Contribution = zeros_like(arena.Values).DetachFromDisposeScope();
        Start = arena.Values.clone().DetachFromDisposeScope();
    }

    /// <summary>Notes the gradient of the loss, before any penalty, and the parameters.</summary>
    public void BeforePenalty(ParameterArena arena)
    {
        _gradient ??= empty_like(arena.Gradient).DetachFromDisposeScope();
        _before ??= empty_like(arena.Values).DetachFromDisposeScope();
        FlatPass.Run(default(Note), arena.Values, arena.Gradient, _before, _gradient);
    }

    /// <summary>Adds −g Δθ, after the optimiser's step.</summary>
    public void AfterStep(ParameterArena arena) =>
        FlatPass.Run(default(Progress), arena.Values, _gradient!, _before!, Contribution!);

    /// <summary>The gradient noted last.</summary>
    public Tensor Gradient => _gradient!;

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

    private readonly unsafe struct Note : IFlatStep
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void At(float* values, float* gradient, float* before, float* noted)
        {
            Vector.Store(Vector.Load(values), before);
            Vector.Store(Vector.Load(gradient), noted);
        }
    }

    private readonly unsafe struct Progress : IFlatStep
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void At(float* values, float* gradient, float* before, float* contribution) => Vector.Store(
            Vector.Load(contribution) + (Vector.Load(gradient) * (Vector.Load(before) - Vector.Load(values))), contribution);
    }
}
