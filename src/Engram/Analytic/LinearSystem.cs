namespace Engram.Analytic;

/// <summary>The equations (A + λI)W = B of a linear head, and how A changes with a block of samples.</summary>
/// <param name="Matrix">Computes A, float64 <c>[features, features]</c>.</param>
/// <param name="Times">V to (A + λI)V, without A where that is cheaper.</param>
/// <param name="Ridge">λ, above 0.</param>
/// <param name="Right">B, float64 <c>[features, classes]</c>.</param>
internal sealed record LinearSystem(Func<Tensor> Matrix, Func<Tensor, Tensor> Times, double Ridge, Tensor Right);
