namespace Engram.Analytic;

/// <summary>The equations (A + λI)V = B of a linear head, whose weights follow from V with little work.</summary>
/// <param name="Matrix">Computes A, float64 <c>[features, features]</c>, a copy.</param>
/// <param name="Times">V to (A + λI)V, without A where that is cheaper.</param>
/// <param name="Ridge">λ, above 0.</param>
/// <param name="Right">B, float64 <c>[features, classes]</c>.</param>
/// <param name="Weights">V to the head's weights, a copy; by default they are V.</param>
internal sealed record LinearSystem(
    Func<Tensor> Matrix, Func<Tensor, Tensor> Times, double Ridge, Tensor Right, Func<Tensor, Tensor>? Weights = null)
{
    /// <summary>The head's weights, a copy.</summary>
    public Tensor WeightsOf(Tensor solution) => Weights?.Invoke(solution) ?? solution.clone();
}
