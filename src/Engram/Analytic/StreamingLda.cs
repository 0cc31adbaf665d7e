using Engram.Models;

namespace Engram.Analytic;

/// <summary>
/// Gaussian classes with one shared covariance: W = Λμ_c, b = −½μ_cᵀΛμ_c with Λ = ((1 − ε)Σ + εI)⁻¹ (Hayes and Kanan 2020,
/// "Lifelong Machine Learning with Deep Streaming Linear Discriminant Analysis").
/// </summary>
/// <remarks>
/// Deviation: Σ is the pooled within-class covariance (Σφφᵀ − Σ n_c μ_cμ_cᵀ)/n, exact and free of order; the paper's running
/// Σ uses the means known at each step and so depends on the order. Class sizes weigh in Σ only; the prior is uniform.
/// </remarks>
public sealed class StreamingLda : LinearAnalyticLearner
{
    private readonly double _shrinkage;

    /// <summary>Creates it.</summary>
    /// <param name="features">φ; the learner owns it.</param>
    /// <param name="shrinkage">ε, above 0 and at most 1; default 1e-4, the paper's.</param>
    /// <param name="scaling">How stored samples become inputs; by default bytes to 0..1.</param>
    /// <exception cref="ArgumentException">ε out of range.</exception>
    public StreamingLda(FeatureExtractor features, double shrinkage = 1e-4, InputScaling? scaling = null)
        : base(features, scaling, withProducts: true) => _shrinkage = shrinkage is > 0 and <= 1
            ? shrinkage
            : throw new ArgumentException($"shrinkage: {shrinkage}, expected above 0 and at most 1", nameof(shrinkage));

    private protected override (Tensor Weights, Tensor Bias) Solve()
    {
        var means = Moments.Means(); // [classes, features]
        var covariance = Moments.Products.sub(Moments.Sums.t().matmul(means)).div_(Moments.Counts.sum().clamp_min(Held(1)));
        var weights = PositiveSolve.Of(covariance.mul_(Held(1 - _shrinkage)), _shrinkage, means.t());
        return (weights, means.t().mul(weights).sum([0L]).mul(Held(-0.5)));
    }
}
