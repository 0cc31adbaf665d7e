using System.Text.Json.Nodes;
using Engram.Models;
using Engram.Retention;

namespace Engram.Analytic;

/// <summary>
/// The weights of <see cref="RidgeClassifier"/>, kept up to date block by block with Woodbury's identity:
/// R ← R − RXᵀ(I + XRXᵀ)⁻¹XR and W ← W + RXᵀ(Y − XW), with R = (G + λI)⁻¹ (Zhuang, Weng, Wei, Xie, Toh and Lin 2022, "ACIL:
/// Analytic Class-Incremental Learning with Absolute Memorization and Privacy Protection"). The head is ready after
/// every sample, without a solve.
/// </summary>
/// <remarks>Unlearning is the same update with the sign of XRXᵀ turned. λ cannot be changed afterwards.</remarks>
public sealed class RecursiveRidge : AnalyticLearner
{
    private readonly double _lambda;
    private Tensor _inverse; // R, float64 [features, features]
    private Tensor _weights; // W, float64 [features, classes]
    private Tensor _counts = zeros([0], ScalarType.Float64).DetachFromDisposeScope(); // [classes]

    /// <summary>Creates it.</summary>
    /// <param name="features">φ; the learner owns it.</param>
    /// <param name="lambda">λ, above 0; default 1. Values far below the features' second moments lose digits.</param>
    /// <param name="scaling">How stored samples become inputs; by default bytes to 0..1.</param>
    /// <exception cref="ArgumentException">λ is not positive, or the features are too many for the memory.</exception>
    public RecursiveRidge(FeatureExtractor features, double lambda = 1, InputScaling? scaling = null) : base(features, scaling)
    {
        _lambda = lambda > 0 && double.IsFinite(lambda)
            ? lambda
            : throw new ArgumentException($"lambda: {lambda}, expected a positive number", nameof(lambda));
        SecondMoments.CheckMemory(Features.FeatureCount, 1);
        using var scope = NewDisposeScope();
        _inverse = eye(Features.FeatureCount, dtype: ScalarType.Float64).div_(Held(_lambda)).DetachFromDisposeScope();
        _weights = zeros([Features.FeatureCount, 0], ScalarType.Float64).DetachFromDisposeScope();
    }

    /// <summary>The head's weights W, float64 <c>[features, classes]</c>, a copy in the caller's scope.</summary>
    /// <exception cref="InvalidOperationException">Nothing was learnt yet.</exception>
    public Tensor Weights() => HasLearnt ? _weights.clone() : throw NothingLearnt("weights");

    /// <inheritdoc/>
    public override void Dispose()
    {
        DropState();
        base.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected override string Kind => "recursive-ridge";

    private protected override JsonObject Options() => new() { ["lambda"] = _lambda };

    private protected override long StatisticsBytes => 8 * (_inverse.numel() + _weights.numel() + _counts.numel());

    private protected override Tensor Counts => _counts;

    private protected override void Add(Tensor features, Tensor ids, int sign)
    {
        Grow(Classes.Count);
        var x = features.to(ScalarType.Float64); // [n, features]
        var y = nn.functional.one_hot(ids, Classes.Count).to(ScalarType.Float64); // [n, classes]
        var projected = x.matmul(_inverse); // XR
        var inner = projected.matmul(x.t()).mul_(Held(sign)); // ±XRXᵀ
        inner.diagonal().add_(Held(1), alpha: Held(1));
        var (factor, info) = linalg.cholesky_ex(inner); // I ± XRXᵀ = LLᵀ
        if (info.item<int>() != 0)
            throw new ArgumentException(
                $"samples: statistics would turn negative; expected samples that were learnt before, and a lambda that is not small beside the features' squares (it is {_lambda})");
        var half = linalg.solve_triangular(factor, projected, upper: false); // T = L⁻¹XR, so that R ∓ TᵀT is symmetric
        var gain = linalg.solve_triangular(factor.t(), half, upper: true); // (RnewXᵀ)ᵀ = L⁻ᵀT
        _weights.add_(gain.t().matmul(y.sub(x.matmul(_weights))), alpha: Held(sign));
        _inverse.addmm_(half.t(), half, 1, -sign);
        _counts.add_(y.sum([0L]), alpha: Held(sign));
    }

    private protected override Tensor Score(Tensor features) => features.matmul(_weights);

    private protected override AnalyticForm Solved() =>
        new LinearForm(_weights, zeros([_weights.size(1)], ScalarType.Float64));

    private protected override void SaveStatistics(MechanismState state) =>
        (state.Tensors["inverse"], state.Tensors["weights"], state.Tensors["counts"]) = (_inverse, _weights, _counts);

    private protected override void LoadStatistics(MechanismState state)
    {
        var counts = Statistics.Take(state, "counts", -1);
        var inverse = Statistics.Take(state, "inverse", _inverse.shape);
        var weights = Statistics.Take(state, "weights", Features.FeatureCount, counts.size(0));
        DropState();
        (_inverse, _weights, _counts) = (inverse.DetachFromDisposeScope(), weights.DetachFromDisposeScope(), counts.DetachFromDisposeScope());
    }

    private void DropState()
    {
        _inverse.Dispose();
        _weights.Dispose();
        _counts.Dispose();
    }

    // A class never seen has target 0 in every sample before, so its column starts at 0, exactly.
    private void Grow(int classes)
    {
        var more = classes - _counts.size(0);
        if (more <= 0) return;
        var (weights, counts) = (_weights, _counts);
        _weights = cat([weights, zeros([Features.FeatureCount, more], ScalarType.Float64)], 1).DetachFromDisposeScope();
        _counts = cat([counts, zeros([more], ScalarType.Float64)]).DetachFromDisposeScope();
        weights.Dispose();
        counts.Dispose();
    }
}
