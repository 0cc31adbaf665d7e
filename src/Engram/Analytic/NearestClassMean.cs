using Engram.Models;

namespace Engram.Analytic;

/// <summary>
/// The class whose mean feature is nearest, arg min ‖φ − μ_c‖², scored as φᵀμ_c − ½‖μ_c‖² (Mensink, Verbeek, Perronnin and
/// Csurka 2013, "Distance-Based Image Classification: Generalizing to New Classes at Near-Zero Cost").
/// </summary>
/// <remarks>Keeps a count and a sum per class, nothing else. Class sizes play no part: there is no prior to take out.</remarks>
/// <param name="features">φ; the learner owns it.</param>
/// <param name="scaling">How stored samples become inputs; by default bytes to 0..1.</param>
public sealed class NearestClassMean(FeatureExtractor features, InputScaling? scaling = null)
    : LinearAnalyticLearner(features, scaling, Products.None), IClassDistances
{
    /// <summary>Squared Euclidean distances ‖φ − μ_c‖².</summary>
    /// <param name="inputs"><c>[batch, ...]</c>, Byte or Float32.</param>
    /// <returns>float32 <c>[batch, classes]</c>; infinity for a class without samples.</returns>
    public Tensor Distances(Tensor inputs) => DistancesOf(inputs, phi =>
        phi.pow(Held(2)).sum([1L], keepdim: true).sub(Score(phi).mul(Held(2))));

    private protected override string Kind => "ncm";

    private protected override Tensor Solve() => Moments.Means().t().contiguous();

    private protected override Tensor Bias(Tensor weights) => weights.pow(Held(2)).sum([0L]).mul(Held(-0.5));
}
