namespace Engram.Analytic;

/// <summary>Solves symmetric positive systems by Cholesky, in float64, and says what happens when they are singular.</summary>
internal static class PositiveSolve
{
    /// <summary>X with (A + ridge·I) X = B.</summary>
    /// <param name="matrix">A, float64 <c>[n, n]</c>, positive semidefinite up to rounding.</param>
    /// <param name="ridge">0 or more; more is added, in steps of ten, only where the matrix is singular to float64.</param>
    /// <param name="right">B, float64 <c>[n, k]</c>.</param>
    /// <returns>X, never NaN or infinite.</returns>
    public static Tensor Of(Tensor matrix, double ridge, Tensor right) =>
        Regular(matrix, ridge, factor => right.cholesky_solve(factor));

    /// <summary>L⁻¹ with LLᵀ = A + ridge·I: after multiplying by it, Mahalanobis distances are Euclidean ones.</summary>
    /// <param name="matrix">As in <see cref="Of"/>.</param>
    /// <param name="ridge">As in <see cref="Of"/>.</param>
    public static Tensor Whitening(Tensor matrix, double ridge) => Regular(
        matrix, ridge, factor => linalg.solve_triangular(factor, eye(matrix.shape[0], dtype: ScalarType.Float64), upper: false));

    /// <summary>(A + ridge·I)⁻¹; null where that is singular to float64.</summary>
    /// <param name="matrix">As in <see cref="Of"/>.</param>
    /// <param name="ridge">As in <see cref="Of"/>.</param>
    public static Tensor? Inverse(Tensor matrix, double ridge)
    {
        using var scope = NewDisposeScope();
        var regular = matrix.clone();
        regular.diagonal().add_(Held(ridge), alpha: Held(1));
        var (factor, info) = linalg.cholesky_ex(regular);
        return info.item<int>() == 0 && IsRegular(factor, matrix.shape[0])
            ? eye(matrix.shape[0], dtype: ScalarType.Float64).cholesky_solve(factor).MoveToOuterDisposeScope()
            : null;
    }

    private static Tensor Regular(Tensor matrix, double ridge, Func<Tensor, Tensor> use)
    {
        var n = matrix.shape[0];
        var scale = Math.Max(matrix.diagonal().mean().item<double>(), double.Epsilon);
        if (!double.IsFinite(scale)) throw Corrupt();
        for (var added = ridge; ; added = Math.Max(10 * added, n * 1e-15 * scale))
        {
            var regular = matrix.clone();
            regular.diagonal().add_(Held(added), alpha: Held(1));
            var (factor, info) = linalg.cholesky_ex(regular);
            if (info.item<int>() == 0 && IsRegular(factor, n))
            {
                var result = use(factor);
                if (result.isfinite().all().item<bool>()) return result;
            }
            // All features zero: any ridge does.
            if (added > Math.Max(scale, 1)) throw Corrupt();
            if (scale <= 1e-300) scale = 1e15;
        }
    }

    // A pivot at the level of rounding means that the matrix is singular, whether or not the factorisation came through.
    private static bool IsRegular(Tensor factor, long n)
    {
        var pivots = factor.diagonal().square();
        return pivots.min().item<double>() > n * 2.3e-16 * pivots.max().item<double>();
    }

    private static InvalidOperationException Corrupt() =>
        new("statistics: not finite or not positive, expected sums of learnt samples only");
}
