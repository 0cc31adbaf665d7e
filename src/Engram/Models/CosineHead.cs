using TorchSharp.Modules;

namespace Engram.Models;

/// <summary>
/// A cosine head: logits = η · cos(w, features), so that new classes cannot win by longer weights.
/// Hou et al. 2019, "Learning a Unified Classifier Incrementally via Rebalancing" (LUCIR), equation 4; η is learnt.
/// </summary>
/// <remarks>
/// It is LUCIR's split-cosine head too (their <c>SplitCosineLinear</c>), which joins the cosines of old and of new classes under
/// one η: the same function with the same gradients as one head whose rows are all classes. Files may call it
/// <c>split-cosine</c>. What their margin loss needs, the cosines of old and of new classes apart, is <see cref="Split"/>.
/// New rows are uniform in ±1/√features and η starts at 1, as in the authors' code.
/// </remarks>
public sealed class CosineHead : IncrementalHead
{
    private readonly Parameter _weight;
    private readonly Parameter _eta;

    /// <summary>Creates a head without rows.</summary>
    /// <param name="featureCount">Width of the features it reads.</param>
    public CosineHead(int featureCount) : base("cosine", featureCount)
    {
        _weight = WithoutRows(featureCount);
        _eta = new Parameter(ones(1));
        register_parameter("weight", _weight);
        register_parameter("eta", _eta);
    }

    /// <inheritdoc/>
    public override string Architecture => "cosine";

    /// <summary>The cosines before η, <c>[batch, classes]</c>.</summary>
    /// <param name="features"><c>[batch, features]</c>.</param>
    public Tensor Cosines(Tensor features) => CosinesTo(features, _weight);

    /// <summary>The cosines before η in two parts: of the classes before the last growth, and of those that it brought.</summary>
    /// <param name="features"><c>[batch, features]</c>.</param>
    /// <returns><c>[batch, old]</c>, with no column before the second growth, and <c>[batch, new]</c>.</returns>
    public (Tensor Old, Tensor New) Split(Tensor features)
    {
        var cosines = Cosines(features);
        var added = Growth.Count == 0 ? 0 : Growth[^1];
        return (cosines.narrow(1, 0, ClassCount - added), cosines.narrow(1, ClassCount - added, added));
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor features) => Cosines(features).mul(_eta);

    /// <inheritdoc/>
    public override Tensor ForwardRows(Tensor features, Tensor rows) =>
        CosinesTo(features, _weight.index_select(0, rows)).mul(_eta);

    /// <inheritdoc/>
    protected override void AddRows(int added)
    {
        var bound = 1 / Math.Sqrt(FeatureCount);
        Extend(_weight, empty(added, FeatureCount).uniform_(-bound, bound));
    }

    private static Tensor CosinesTo(Tensor features, Tensor weight) => nn.functional.linear(
        nn.functional.normalize(features, dim: 1), nn.functional.normalize(weight, dim: 1));
}
