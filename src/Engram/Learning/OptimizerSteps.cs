using System.Numerics;
using System.Runtime.CompilerServices;
using Engram.Models;

namespace Engram.Learning;

/// <summary>Algorithm 1 of Kingma and Ba 2015 for a few numbers, with both kinds of weight decay.</summary>
/// <param name="decay">L2 in the gradient.</param>
/// <param name="shrink">What values are multiplied by (Loshchilov and Hutter 2019).</param>
/// <param name="beta1">β₁.</param>
/// <param name="beta2">β₂.</param>
/// <param name="root">√(1 − β₂ᵗ).</param>
/// <param name="epsilon">ε.</param>
/// <param name="rate">α / (1 − β₁ᵗ).</param>
internal readonly unsafe struct AdamStep(
    double decay, double shrink, double beta1, double beta2, double root, double epsilon, double rate) : IOptimizerStep
{
    private readonly Vector<float> _decay = new((float)decay), _shrink = new((float)shrink);
    private readonly Vector<float> _beta1 = new((float)beta1), _new1 = new((float)(1 - beta1));
    private readonly Vector<float> _beta2 = new((float)beta2), _new2 = new((float)(1 - beta2));
    private readonly Vector<float> _root = new((float)(1 / root)), _epsilon = new((float)epsilon), _rate = new((float)rate);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<float> Take(Vector<float> values, Vector<float> gradient, float* first, float* second)
    {
        var g = gradient + (_decay * values);
        var m = (_beta1 * Vector.Load(first)) + (_new1 * g);
        var v = (_beta2 * Vector.Load(second)) + (_new2 * g * g);
        var step = _rate * m;
        Vector.Store(Subnormal.Dropped(m, step), first);
        Vector.Store(Subnormal.Dropped(v, v), second);
        return (_shrink * values) - (step / ((Vector.SquareRoot(v) * _root) + _epsilon));
    }
}

/// <summary>Gradient descent with momentum for a few numbers, as in PyTorch: velocity = μ velocity + g, value −= α velocity.</summary>
/// <param name="decay">L2 in the gradient.</param>
/// <param name="momentum">μ.</param>
/// <param name="rate">α.</param>
internal readonly unsafe struct SgdStep(double decay, double momentum, double rate) : IOptimizerStep
{
    private readonly Vector<float> _decay = new((float)decay), _momentum = new((float)momentum), _rate = new((float)rate);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<float> Take(Vector<float> values, Vector<float> gradient, float* first, float* second)
    {
        var velocity = (_momentum * Vector.Load(first)) + gradient + (_decay * values);
        var step = _rate * velocity;
        Vector.Store(Subnormal.Dropped(velocity, step), first);
        return values - step;
    }
}

/// <summary>Numbers too small for full precision, which processors compute with a hundred times slower.</summary>
/// <remarks>
/// Where gradients stay zero, under pixels that are rarely lit, a moment shrinks by a constant factor until rounding stops it among the subnormal numbers,
/// for ever: after 1,200 steps on MNIST 4 % of an MLP's first moments.
/// </remarks>
internal static class Subnormal
{
    private const float LeastNormal = 1.17549435e-38f; // 2^-126

    /// <summary>Values, zero where their effect is subnormal.</summary>
    public static Vector<float> Dropped(Vector<float> values, Vector<float> effect) =>
        Vector.AndNot(values, Vector.LessThan(Vector.Abs(effect), new Vector<float>(LeastNormal)).As<int, float>());
}
