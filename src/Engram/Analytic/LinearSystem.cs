namespace Engram.Analytic;

/// <summary>The equations of a linear head, (A + λI)W = B, up to a factor of W that bears no work.</summary>
/// <param name="Matrix">Computes A, float64 <c>[features, features]</c>.</param>
/// <param name="Times">V to (A + λI)V, without A where that is cheaper.</param>
/// <param name="Ridge">λ, above 0.</param>
/// <param name="Right">B, float64 <c>[features, classes]</c>.</param>
/// <param name="Scale">The head's weights are so many times W.</param>
internal sealed record LinearSystem(Func<Tensor> Matrix, Func<Tensor, Tensor> Times, double Ridge, Tensor Right, double Scale = 1);
