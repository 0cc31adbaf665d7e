using System.Text.Json.Nodes;
using Engram.Models;
using Engram.Retention;

namespace Engram.Analytic;

/// <summary>An analytic learner whose scores are linear in the features, φW + b, solved when first asked after a change.</summary>
public abstract class LinearAnalyticLearner : AnalyticLearner
{
    private (Tensor Weights, Tensor Bias)? _head;

    private protected LinearAnalyticLearner(FeatureExtractor features, InputScaling? scaling, Products products)
        : base(features, scaling) => Moments = new SecondMoments(features.FeatureCount, products);

    /// <summary>Whether the products of a block are computed in float32; sums over blocks are float64 always.</summary>
    /// <value>Default false. True is about twice as fast and rounds second moments to about 1e-7 relative.</value>
    public bool FastProducts { get; init; }

    private protected SecondMoments Moments { get; }

    private protected override long StatisticsBytes => Moments.Bytes
        + (_head is { } head ? 8 * (head.Weights.numel() + head.Bias.numel()) : 0);

    private protected override Tensor Counts => Moments.Counts;

    /// <summary>The head's weights W, float64 <c>[features, classes]</c>, a copy in the caller's scope.</summary>
    /// <exception cref="InvalidOperationException">Nothing was learnt yet.</exception>
    public Tensor Weights() => Classes.Count > 0
        ? Head().Weights.clone()
        : throw new InvalidOperationException("weights: nothing was learnt yet, expected Learn to be called first");

    /// <inheritdoc/>
    public override void Dispose()
    {
        DropHead();
        Moments.Dispose();
        base.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected abstract (Tensor Weights, Tensor Bias) Solve();

    private protected override void Add(Tensor features, Tensor ids, int sign)
    {
        Moments.Add(features, ids, sign, Classes.Count, FastProducts ? ScalarType.Float32 : ScalarType.Float64);
        DropHead();
    }

    private protected override Tensor Score(Tensor features)
    {
        var (weights, bias) = Head();
        return addmm(bias, features, weights, 1, 1);
    }

    private protected override AnalyticForm Solved()
    {
        var (weights, bias) = Head();
        return new LinearForm(weights, bias);
    }

    // The head too, where it is solved: another number of threads would round its solution otherwise.
    private protected override void SaveStatistics(MechanismState state)
    {
        Moments.Save(state);
        if (_head is { } head) (state.Tensors["weights"], state.Tensors["bias"]) = head;
    }

    private protected override void LoadStatistics(MechanismState state)
    {
        Moments.Load(state);
        if (!state.Tensors.ContainsKey("weights")) return;
        var classes = Moments.Counts.shape[0];
        _head = (Statistics.Take(state, "weights", Features.FeatureCount, classes), Statistics.Take(state, "bias", classes));
    }

    private protected override JsonObject Options() => new() { ["fastProducts"] = FastProducts };

    private protected virtual void DropHead()
    {
        _head?.Weights.Dispose();
        _head?.Bias.Dispose();
        _head = null;
    }

    private (Tensor Weights, Tensor Bias) Head()
    {
        if (_head is { } known) return known;
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var (weights, bias) = Solve();
        _head = (weights.DetachFromDisposeScope(), bias.DetachFromDisposeScope());
        return _head.Value;
    }
}
