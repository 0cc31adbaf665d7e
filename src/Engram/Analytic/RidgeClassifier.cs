using System.Text.Json.Nodes;
using Engram.Data;
using Engram.Evaluation;
using Engram.Models;
using Engram.Retention;

namespace Engram.Analytic;

/// <summary>
/// Ridge regression onto one-hot labels, W = (G + λI)⁻¹C with G = Σφφᵀ and C = Σφyᵀ: the head of joint training, whatever
/// the order. Over <see cref="RandomFeatures"/> it is RanPAC (McDonnell, Gong, Parvaneh, Abbasnejad and van den Hengel 2023,
/// "RanPAC: Random Projections and Pre-trained Models for Continual Learning").
/// </summary>
/// <remarks>
/// Deviations: λ is given, or chosen when <see cref="ChooseLambda"/> is called, not after every task. Where λ = 0 meets
/// singular statistics, the smallest ridge that makes them regular in float64 is added. There is no intercept, as in the paper.
/// Classes of unequal size (not in the paper): with w_c = n/(classes · n_c), <see cref="ClassBalance.PerClass"/> solves
/// (Σ w_c G_c + λI)W = [w_c s_c]; <see cref="ClassBalance.Pooled"/> puts Σ_W + (n/classes) Σ μ_cμ_cᵀ in place of Σ w_c G_c, where
/// Σ_W = G − Σ n_c μ_cμ_cᵀ: equal where classes spread alike. Both are exact sums, free of order, and unlearn exactly; with
/// classes of equal size both are plain ridge.
/// </remarks>
public sealed class RidgeClassifier : LinearAnalyticLearner
{
    /// <summary>Creates it.</summary>
    /// <param name="features">φ; the learner owns it.</param>
    /// <param name="lambda">λ, 0 or more; default 1.</param>
    /// <param name="scaling">How stored samples become inputs; by default bytes to 0..1.</param>
    /// <param name="balance">Whether frequent classes weigh more; default as in the paper.</param>
    /// <exception cref="ArgumentException">λ is negative or not finite, or the features are too many for the memory.</exception>
    public RidgeClassifier(
        FeatureExtractor features, double lambda = 1, InputScaling? scaling = null, ClassBalance balance = ClassBalance.None)
        // Before anything is taken: what is refused holds nothing.
        : base(features, scaling, Checked(lambda) >= 0 && balance == ClassBalance.PerClass ? Products.PerClass : Products.Shared) =>
        (Lambda, Balance) = (lambda, balance);

    /// <summary>Whether frequent classes weigh more.</summary>
    public ClassBalance Balance { get; }

    /// <summary>λ in use.</summary>
    public double Lambda { get; private set; }

    /// <summary>Takes the λ whose head predicts the most validation samples right; the smaller one of equals.</summary>
    /// <param name="validation">Samples of learnt classes that were not learnt themselves (learn them afterwards if you like).</param>
    /// <param name="candidates">The values tried, each solved once; by default 1e-3 to 1e4 in decades.</param>
    /// <returns>The λ chosen, <see cref="Lambda"/> from now on, also when more is learnt.</returns>
    public double ChooseLambda(ISampleSource validation, IReadOnlyList<double>? candidates = null)
    {
        ArgumentNullException.ThrowIfNull(validation);
        candidates ??= [1e-3, 1e-2, 0.1, 1, 10, 100, 1e3, 1e4];
        if (candidates.Count == 0) throw new ArgumentException("candidates: none, expected at least one", nameof(candidates));
        foreach (var candidate in candidates) Checked(candidate);
        var (set, before) = (new EvaluationSet("validation", validation), Lambda);
        try
        {
            Take(candidates.Select(candidate => (Lambda: candidate, Accuracy: Tried(candidate, set)))
                .OrderByDescending(tried => tried.Accuracy).ThenBy(tried => tried.Lambda).First().Lambda);
        }
        catch
        {
            Take(before);
            throw;
        }
        return Lambda;
    }

    private protected override string Kind => "ridge";

    private protected override JsonObject Options() =>
        new() { ["lambda"] = Lambda, ["balance"] = $"{Balance}", ["fastProducts"] = FastProducts, ["smallUpdates"] = SmallUpdates };

    private protected override Tensor Solve()
    {
        var (gram, targets) = Balance switch
        {
            ClassBalance.None => (Moments.Total(), Moments.Sums),
            ClassBalance.Pooled => Pooled(),
            _ => PerClass(),
        };
        return PositiveSolve.Of(gram, Lambda, targets.t());
    }

    private protected override Tensor Bias(Tensor weights) => zeros([weights.size(1)], ScalarType.Float64);

    private protected override LinearSystem? System() => (Lambda, Balance) switch
    {
        (0, _) or (_, ClassBalance.PerClass) => null,
        (_, ClassBalance.Pooled) => new LinearSystem(
            Moments.Within, v => Moments.WithinTimes(v).add_(v, alpha: Held(Lambda)), Lambda, Moments.Means().t(), Pooled),
        _ => new LinearSystem(
            Moments.Total, v => Moments.Products.matmul(v).add_(v, alpha: Held(Lambda)), Lambda, Moments.Sums.t()),
    };

    private protected override Tensor Rows(Tensor features, Tensor ids) =>
        Balance == ClassBalance.Pooled ? Moments.WithinRows(features, ids) : base.Rows(features, ids);

    private (Tensor Gram, Tensor Targets) Pooled()
    {
        var means = Moments.Means(); // zero for a class without samples
        var targets = means.mul(Share());
        return (Moments.Within().addmm_(targets.t(), means, 1, 1), targets);
    }

    // The same weights by Woodbury's identity from V = (Σ_W + λI)⁻¹Mᵀ, M = [μ_c]: sV(I + sMV)⁻¹ with s = n/classes.
    private Tensor Pooled(Tensor solution)
    {
        var scaled = solution.mul(Share());
        var inner = Moments.Means().matmul(scaled); // symmetric
        inner.diagonal().add_(Held(1), alpha: Held(1));
        return linalg.solve(inner, scaled.t()).t().contiguous();
    }

    private (Tensor Gram, Tensor Targets) PerClass()
    {
        var weights = Share().div(Moments.Counts.clamp_min(Held(1))); // w_c
        return (Weighted(weights, Moments.Products), Moments.Sums.mul(weights.unsqueeze(1)));
    }

    // Σ w_c G_c without a copy of all G_c.
    private static Tensor Weighted(Tensor weights, Tensor products) =>
        weights.unsqueeze(0).matmul(products.flatten(1)).view(products.size(1), products.size(2));

    private Tensor Share() => Moments.Counts.sum().div(Moments.Counts.gt(Held(0.5)).sum(ScalarType.Float64)); // n/classes

    private protected override void SaveStatistics(MechanismState state)
    {
        base.SaveStatistics(state);
        state.Values["lambda"] = Lambda;
    }

    private protected override void LoadStatistics(MechanismState state)
    {
        base.LoadStatistics(state);
        Lambda = Checked(state.Values["lambda"]?.GetValue<double>() ?? Lambda);
    }

    private double Tried(double lambda, EvaluationSet set)
    {
        Take(lambda);
        return Evaluator.Accuracy(this, set);
    }

    private void Take(double lambda)
    {
        if (Lambda != lambda) Restart();
        Lambda = lambda;
        DropHead();
    }

    private static double Checked(double lambda) => lambda >= 0 && double.IsFinite(lambda)
        ? lambda
        : throw new ArgumentException($"lambda: {lambda}, expected 0 or a positive number", nameof(lambda));
}
