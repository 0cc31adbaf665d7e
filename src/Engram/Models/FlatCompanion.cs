using System.Numerics;
using System.Runtime.CompilerServices;

namespace Engram.Models;

/// <summary>An optimiser's step for a few neighbouring numbers.</summary>
internal unsafe interface IOptimizerStep
{
    /// <summary>The values after the step; it changes its two moments in place.</summary>
    Vector<float> Take(Vector<float> values, Vector<float> gradient, float* first, float* second);
}

/// <summary>What a mechanism does to a few neighbouring numbers around the optimiser's step, with up to four vectors of its own.</summary>
internal unsafe interface ICompanionStep
{
    /// <summary>The gradient that the optimiser is to see.</summary>
    Vector<float> Before(Vector<float> values, Vector<float> gradient, float* first, float* second);

    /// <summary>Takes in what the optimiser made of it; the gradient is the one without what <see cref="Before"/> added.</summary>
    void After(Vector<float> before, Vector<float> after, Vector<float> gradient, float* third, float* fourth);
}

/// <summary>Nothing: the optimiser goes alone.</summary>
internal readonly unsafe struct Alone : ICompanionStep
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<float> Before(Vector<float> values, Vector<float> gradient, float* first, float* second) => gradient;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void After(Vector<float> before, Vector<float> after, Vector<float> gradient, float* third, float* fourth)
    {
    }
}

/// <summary>
/// What a mechanism does right before the optimiser's step and right after it. It goes along with the optimiser, in the same trip through memory; where
/// somebody asks for the gradient earlier, it begins then and ends after the step: the same numbers, more slowly.
/// </summary>
internal abstract class FlatCompanion
{
    /// <summary>Takes the optimiser's step, with what belongs around it.</summary>
    public abstract void Accompany<T>(T step, Tensor values, Tensor gradient, (Tensor First, Tensor Second) moments) where T : struct, IOptimizerStep;

    /// <summary>What comes before the step, on all numbers; called without autograd.</summary>
    public abstract void Before(Tensor values, Tensor gradient);

    /// <summary>What comes after it, on all numbers.</summary>
    public abstract void After(Tensor values);
}
