namespace Engram.Analytic;

/// <summary>Solves symmetric positive systems by Cholesky, in float64, and says what happens when they are singular.</summary>
/// <remarks>
/// Each feature is brought to a diagonal of one first (Golub and Van Loan 2013, section 4.2), so that features of unequal units are not
/// mistaken for dependent ones. Where the matrix is singular all the same, a share of each feature's own diagonal is added to it.
/// </remarks>
internal static class PositiveSolve
{
    /// <summary>X with (A + ridge·I) X = B.</summary>
    /// <param name="matrix">A, float64 <c>[n, n]</c>, positive semidefinite up to rounding.</param>
    /// <param name="ridge">0 or more; more is added, in steps of ten, only where the matrix is singular to float64.</param>
    /// <param name="right">B, float64 <c>[n, k]</c>.</param>
    /// <returns>X, never NaN or infinite.</returns>
    public static Tensor Of(Tensor matrix, double ridge, Tensor right) => Regular(
        matrix, ridge, (factor, deviations) => right.div(deviations.unsqueeze(1)).cholesky_solve(factor).div(deviations.unsqueeze(1)));

    /// <summary>L⁻¹ with LLᵀ = A + ridge·I: after multiplying by it, Mahalanobis distances are Euclidean ones.</summary>
    /// <param name="matrix">As in <see cref="Of"/>.</param>
    /// <param name="ridge">As in <see cref="Of"/>.</param>
    public static Tensor Whitening(Tensor matrix, double ridge) => Regular(
        matrix, ridge, (factor, deviations) => linalg.solve_triangular(factor, deviations.reciprocal().diag(), upper: false));

    /// <summary>(A + ridge·I)⁻¹; null where that is singular to float64.</summary>
    /// <param name="matrix">As in <see cref="Of"/>.</param>
    /// <param name="ridge">As in <see cref="Of"/>.</param>
    public static Tensor? Inverse(Tensor matrix, double ridge)
    {
        using var scope = NewDisposeScope();
        var (scaled, deviations) = Scaled(matrix, ridge);
        return Factor(scaled) is { } factor
            ? eye(matrix.shape[0], dtype: ScalarType.Float64).cholesky_solve(factor).div_(deviations).div_(deviations.unsqueeze(1)).MoveToOuterDisposeScope()
            : null;
    }

    private static Tensor Regular(Tensor matrix, double ridge, Func<Tensor, Tensor, Tensor> use)
    {
        var (scaled, deviations) = Scaled(matrix, ridge);
        if (!deviations.isfinite().all().item<bool>()) throw Corrupt();
        var least = matrix.shape[0] * 1e-14;
        for (var added = 0.0; added <= 1; added = Math.Max(10 * added, least))
        {
            var regular = scaled.clone();
            regular.diagonal().add_(Held(added), alpha: Held(1));
            if (Factor(regular) is not { } factor) continue;
            var result = use(factor, deviations);
            if (result.isfinite().all().item<bool>()) return result;
        }
        throw Corrupt();
    }

    // D⁻½(A + ridge·I)D⁻½ and the roots of D, the diagonal; a feature without any keeps its zeros.
    private static (Tensor Matrix, Tensor Deviations) Scaled(Tensor matrix, double ridge)
    {
        var regular = matrix.clone();
        regular.diagonal().add_(Held(ridge), alpha: Held(1));
        var diagonal = regular.diagonal().clone();
        var deviations = diagonal.sqrt().masked_fill(diagonal.le(Held(1e-300)), Held(1));
        return (regular.div_(deviations).div_(deviations.unsqueeze(1)), deviations);
    }

    // L, or null where a pivot is at the level of rounding: the matrix is singular then, whether or not the factorisation came through.
    private static Tensor? Factor(Tensor matrix)
    {
        var (factor, info) = linalg.cholesky_ex(matrix);
        return info.item<int>() == 0 && factor.diagonal().pow(Held(2)).min().item<double>() > matrix.shape[0] * 2.3e-16 ? factor : null;
    }

    private static InvalidOperationException Corrupt() =>
        new("statistics: not finite or not positive, expected sums of learnt samples only");
}
