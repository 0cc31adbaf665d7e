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
/// </remarks>
public sealed class RidgeClassifier : LinearAnalyticLearner
{
    /// <summary>Creates it.</summary>
    /// <param name="features">φ; the learner owns it.</param>
    /// <param name="lambda">λ, 0 or more; default 1.</param>
    /// <param name="scaling">How stored samples become inputs; by default bytes to 0..1.</param>
    /// <exception cref="ArgumentException">λ is negative or not finite.</exception>
    public RidgeClassifier(FeatureExtractor features, double lambda = 1, InputScaling? scaling = null)
        : base(features, scaling, withProducts: true) => Lambda = Checked(lambda);

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
        var set = new EvaluationSet("validation", validation);
        Take(candidates.Select(candidate => (Lambda: candidate, Accuracy: Tried(candidate, set)))
            .OrderByDescending(tried => tried.Accuracy).ThenBy(tried => tried.Lambda).First().Lambda);
        return Lambda;
    }

    private protected override (Tensor Weights, Tensor Bias) Solve() => (
        PositiveSolve.Of(Moments.Products, Lambda, Moments.Sums.t()), zeros([Classes.Count], ScalarType.Float64));

    private protected override void SaveStatistics(MechanismState state)
    {
        base.SaveStatistics(state);
        state.Values["lambda"] = Lambda;
    }

    private protected override void LoadStatistics(MechanismState state)
    {
        base.LoadStatistics(state);
        Lambda = Checked(state.Values["lambda"]!.GetValue<double>());
    }

    private double Tried(double lambda, EvaluationSet set)
    {
        Take(lambda);
        return Evaluator.Accuracy(this, set);
    }

    private void Take(double lambda)
    {
        Lambda = lambda;
        DropHead();
    }

    private static double Checked(double lambda) => lambda >= 0 && double.IsFinite(lambda)
        ? lambda
        : throw new ArgumentException($"lambda: {lambda}, expected 0 or a positive number", nameof(lambda));
}
