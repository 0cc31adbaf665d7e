namespace Engram.Analytic;

/// <summary>Solves symmetric positive systems by Cholesky, in float64, and says what happens when they are singular.</summary>
/// <remarks>
/// Each feature is brought to a diagonal of one first (Golub and Van Loan 2013, section 4.2), so that features of unequal units are not
/// mistaken for dependent ones. Where the matrix is singular all the same, a share of each feature's own diagonal is added to it.
/// The matrix given is overwritten and freed: no more than two of its size are held at a time, the answer included.
/// </remarks>
internal static class PositiveSolve
{
    /// <summary>X with (A + ridge·I) X = B.</summary>
    /// <param name="matrix">A, float64 <c>[n, n]</c>, positive semidefinite up to rounding; overwritten and freed.</param>
    /// <param name="ridge">0 or more; more is added, in steps of ten, only where the matrix is singular to float64.</param>
    /// <param name="right">B, float64 <c>[n, k]</c>.</param>
    /// <returns>X, never NaN or infinite.</returns>
    public static Tensor Of(Tensor matrix, double ridge, Tensor right)
    {
        var (factor, deviations) = Regular(matrix, ridge);
        var half = linalg.solve_triangular(factor, right.div(deviations.unsqueeze(1)), upper: false);
        return Finite(linalg.solve_triangular(factor.t(), half, upper: true).div_(deviations.unsqueeze(1)));
    }

    /// <summary>L⁻¹ with LLᵀ = A + ridge·I: after multiplying by it, Mahalanobis distances are Euclidean ones.</summary>
    /// <param name="matrix">As in <see cref="Of"/>.</param>
    /// <param name="ridge">As in <see cref="Of"/>.</param>
    public static Tensor Whitening(Tensor matrix, double ridge)
    {
        var (factor, deviations) = Regular(matrix, ridge);
        var whitening = deviations.reciprocal().diag();
        linalg.solve_triangular(factor, whitening, upper: false, @out: whitening);
        factor.Dispose();
        return Finite(whitening);
    }

    /// <summary>(A + ridge·I)⁻¹; null where that is singular to float64.</summary>
    /// <param name="matrix">As in <see cref="Of"/>.</param>
    /// <param name="ridge">As in <see cref="Of"/>.</param>
    public static Tensor? Inverse(Tensor matrix, double ridge)
    {
        using var scope = NewDisposeScope();
        var deviations = Scale(matrix, ridge);
        var factor = Factor(matrix);
        matrix.Dispose();
        // It comes by columns; being symmetric, its transpose is the same by rows.
        return factor?.cholesky_inverse().t().div_(deviations).div_(deviations.unsqueeze(1)).MoveToOuterDisposeScope();
    }

    // L with LLᵀ = D⁻½(A + ridge·I)D⁻½, made regular, and the roots of D.
    private static (Tensor Factor, Tensor Deviations) Regular(Tensor matrix, double ridge)
    {
        var deviations = Scale(matrix, ridge);
        if (!deviations.isfinite().all().item<bool>()) throw Corrupt();
        var (diagonal, least) = (matrix.diagonal().clone(), matrix.size(0) * 1e-14);
        for (var added = 0.0; added <= 1; added = Math.Max(10 * added, least))
        {
            matrix.diagonal().copy_(diagonal.add(Held(added), alpha: Held(1)));
            if (Factor(matrix) is not { } factor) continue;
            matrix.Dispose();
            return (factor, deviations);
        }
        throw Corrupt();
    }

    // A ← D⁻½(A + ridge·I)D⁻½; returns the roots of D, the diagonal. A feature without any keeps its zeros.
    private static Tensor Scale(Tensor matrix, double ridge)
    {
        matrix.diagonal().add_(Held(ridge), alpha: Held(1));
        var diagonal = matrix.diagonal().clone();
        var deviations = diagonal.sqrt().masked_fill(diagonal.le(Held(1e-300)), Held(1));
        matrix.div_(deviations).div_(deviations.unsqueeze(1));
        return deviations;
    }

    // L, or null where a pivot is at the level of rounding: the matrix is singular then, whether or not the factorisation came through.
    private static Tensor? Factor(Tensor matrix)
    {
        var (factor, info) = linalg.cholesky_ex(matrix);
        if (info.item<int>() == 0 && factor.diagonal().pow(Held(2)).min().item<double>() > matrix.size(0) * 2.3e-16) return factor;
        factor.Dispose();
        return null;
    }

    // By its sum, which NaN and infinity pass through: isfinite would take another matrix.
    private static Tensor Finite(Tensor result) => double.IsFinite(result.sum().item<double>()) ? result : throw Corrupt();

    private static InvalidOperationException Corrupt() =>
        new("statistics: not finite or not positive, expected sums of learnt samples only");
}
