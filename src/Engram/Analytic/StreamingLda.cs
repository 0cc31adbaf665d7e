using System.Text.Json.Nodes;
using Engram.Models;

namespace Engram.Analytic;

/// <summary>
/// Gaussian classes with one shared covariance: W = Λμ_c, b = −½μ_cᵀΛμ_c with Λ = ((1 − ε)Σ + εI)⁻¹ (Hayes and Kanan 2020,
/// "Lifelong Machine Learning with Deep Streaming Linear Discriminant Analysis").
/// </summary>
/// <remarks>
/// Deviation: Σ is the pooled within-class covariance (Σφφᵀ − Σ n_c μ_cμ_cᵀ)/n, exact and free of order; the paper's running
/// Σ uses the means known at each step and so depends on the order. Class sizes weigh in Σ; the prior is uniform, as in the
/// paper, unless asked for.
/// </remarks>
public sealed class StreamingLda : LinearAnalyticLearner, IClassDistances
{
    private readonly double _shrinkage;
    private Tensor? _whitening; // L⁻¹, float64 [features, features], once distances were asked for

    /// <summary>Creates it.</summary>
    /// <param name="features">φ; the learner owns it.</param>
    /// <param name="shrinkage">ε, above 0 and at most 1; default 1e-4, the paper's.</param>
    /// <param name="scaling">How stored samples become inputs; by default bytes to 0..1.</param>
    /// <param name="prior">Whether classes learnt from more samples are expected more often; default not.</param>
    /// <exception cref="ArgumentException">ε out of range, or features too many for the memory.</exception>
    public StreamingLda(
        FeatureExtractor features, double shrinkage = 1e-4, InputScaling? scaling = null, ClassPrior prior = ClassPrior.Uniform)
        // Before anything is taken: what is refused holds nothing.
        : base(features, scaling, shrinkage is > 0 and <= 1
            ? Products.Shared
            : throw new ArgumentException($"shrinkage: {shrinkage}, expected above 0 and at most 1", nameof(shrinkage))) =>
        (_shrinkage, Prior) = (shrinkage, prior);

    /// <summary>How often classes are expected.</summary>
    public ClassPrior Prior { get; }

    /// <summary>Squared Mahalanobis distances (φ − μ_c)ᵀΛ(φ − μ_c).</summary>
    /// <param name="inputs"><c>[batch, ...]</c>, Byte or Float32.</param>
    /// <returns>float32 <c>[batch, classes]</c>; infinity for a class without samples.</returns>
    /// <remarks>The first call after learning solves once more and keeps features² numbers.</remarks>
    public Tensor Distances(Tensor inputs) => DistancesOf(inputs, phi =>
    {
        _whitening ??= PositiveSolve.Whitening(Covariance(), _shrinkage).DetachFromDisposeScope();
        var (white, means) = (phi.matmul(_whitening.t()), Moments.Means().matmul(_whitening.t()));
        // Not cdist: near zero, its way by products would lose what the whitening kept.
        return stack([.. Enumerable.Range(0, (int)means.size(0)).Select(id => white.sub(means[id]).pow(Held(2)).sum([1L]))], 1);
    });

    private protected override string Kind => "slda";

    private protected override long StatisticsBytes => base.StatisticsBytes + (8 * (_whitening?.numel() ?? 0));

    private protected override JsonObject Options() =>
        new() { ["shrinkage"] = _shrinkage, ["prior"] = $"{Prior}", ["fastProducts"] = FastProducts, ["smallUpdates"] = SmallUpdates };

    private protected override Tensor Solve() => PositiveSolve.Of(Covariance(), _shrinkage, Moments.Means().t());

    private protected override Tensor Bias(Tensor weights)
    {
        var bias = Moments.Means().t().mul(weights).sum([0L]).mul(Held(-0.5));
        return Prior == ClassPrior.Uniform ? bias : bias.add(Moments.LogPrior(), alpha: Held(1));
    }

    // Multiplied by n/(1 − ε), so that a sample changes the matrix by few rows, and the ridge by 1/n of it.
    private protected override LinearSystem? System()
    {
        if (_shrinkage == 1) return null;
        var scale = Moments.Counts.sum().item<double>() / (1 - _shrinkage);
        var ridge = scale * _shrinkage;
        return new LinearSystem(
            Moments.Within, v => Moments.WithinTimes(v).add_(v, alpha: Held(ridge)), ridge, Moments.Means().t(), v => v.mul(Held(scale)));
    }

    private protected override Tensor Rows(Tensor features, Tensor ids) => Moments.WithinRows(features, ids);

    private protected override void DropHead()
    {
        base.DropHead();
        _whitening?.Dispose();
        _whitening = null;
    }

    // (1 − ε)Σ
    private Tensor Covariance() =>
        Moments.Within().div_(Moments.Counts.sum().clamp_min(Held(1))).mul_(Held(1 - _shrinkage));
}
