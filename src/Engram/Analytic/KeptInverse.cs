namespace Engram.Analytic;

/// <summary>
/// R ≈ (A + λI)⁻¹, kept up to date by Woodbury's identity while A changes by few rows, R ← R ∓ RXᵀ(I ± XRXᵀ)⁻¹XR, so that a head
/// follows a new sample without a factorisation.
/// </summary>
/// <remarks>
/// R only guides: heads are solved by conjugate gradients with R as preconditioner (Hestenes and Stiefel 1952) against the sums
/// themselves, to a stated residual. So neither rounding nor a λ that moved a little makes them drift; where R no longer helps, the
/// caller solves from the start.
/// </remarks>
internal sealed class KeptInverse : IDisposable
{
    private const double Tolerance = 1e-10; // ‖R(B − AW)‖ / ‖W‖ of each column, an estimate of the error of W
    private const int MostSteps = 16;

    private readonly Tensor _inverse; // float64 [n, n]

    private KeptInverse(Tensor inverse) => _inverse = inverse.DetachFromDisposeScope();

    /// <summary>R, float64 <c>[n, n]</c>.</summary>
    public Tensor Inverse => _inverse;

    /// <summary>8 bytes for each number.</summary>
    public long Bytes => 8 * _inverse.numel();

    /// <summary>Inverts A + λI; null where that is singular to float64.</summary>
    public static KeptInverse? Of(Tensor matrix, double ridge)
    {
        using var scope = NewDisposeScope();
        return PositiveSolve.Inverse(matrix, ridge) is { } inverse ? new KeptInverse(inverse) : null;
    }

    /// <summary>Takes over a saved R.</summary>
    public static KeptInverse From(Tensor inverse) => new(inverse);

    /// <summary>Follows A ← A ± XᵀX.</summary>
    /// <param name="rows">X, float64 <c>[k, n]</c>.</param>
    /// <param name="sign">+1 or −1.</param>
    /// <returns>False where the change is no longer positive; R is spoilt then.</returns>
    public bool Update(Tensor rows, int sign)
    {
        if (rows.shape[0] == 0) return true;
        using var scope = NewDisposeScope();
        var projected = rows.matmul(_inverse); // XR
        var inner = projected.matmul(rows.t()).mul_(Held(sign));
        inner.diagonal().add_(Held(1), alpha: Held(1)); // I ± XRXᵀ = LLᵀ
        var (factor, info) = linalg.cholesky_ex(inner);
        if (info.item<int>() != 0) return false;
        var half = linalg.solve_triangular(factor, projected, upper: false); // T = L⁻¹XR, R ∓ TᵀT
        _inverse.addmm_(half.t(), half, 1, -sign);
        return true;
    }

    /// <summary>W with (A + λI)W = B.</summary>
    /// <param name="times">V to (A + λI)V.</param>
    /// <param name="right">B, float64 <c>[n, k]</c>.</param>
    /// <param name="start">A W to begin with, <c>[n, k]</c>.</param>
    /// <returns>Null where it does not come within the tolerance in few steps.</returns>
    public Tensor? Solve(Func<Tensor, Tensor> times, Tensor right, Tensor start)
    {
        using var scope = NewDisposeScope();
        var (weights, residual) = (start.clone(), right.sub(times(start)));
        var guided = _inverse.matmul(residual);
        var (direction, product) = (guided.clone(), residual.mul(guided).sum([0L]));
        for (var step = 0; step <= MostSteps; step++)
        {
            // Written so that NaN is not within.
            if (guided.norm(dim: 0).le(weights.norm(dim: 0).mul(Held(Tolerance))).all().item<bool>()) return weights.MoveToOuterDisposeScope();
            var moved = times(direction);
            var length = product.div(direction.mul(moved).sum([0L]).clamp_min(Held(double.Epsilon)));
            weights.add_(direction.mul(length), alpha: Held(1));
            residual.sub_(moved.mul(length));
            guided = _inverse.matmul(residual);
            var next = residual.mul(guided).sum([0L]);
            direction = guided.add(direction.mul(next.div(product.clamp_min(Held(double.Epsilon)))), alpha: Held(1));
            product = next;
        }
        return null;
    }

    /// <inheritdoc/>
    public void Dispose() => _inverse.Dispose();
}
