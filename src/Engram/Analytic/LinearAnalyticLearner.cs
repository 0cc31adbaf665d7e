using System.Text.Json.Nodes;
using Engram.Models;
using Engram.Retention;

namespace Engram.Analytic;

/// <summary>
/// An analytic learner whose scores are linear in the features, φW + b, solved when first asked after a change: by Cholesky, and
/// after a small change to a head that was asked for before, by updates of rank k (see <see cref="SmallUpdates"/>).
/// </summary>
public abstract class LinearAnalyticLearner : AnalyticLearner
{
    private const int RankShare = 4; // changes of more rows than a quarter of the features are solved from the start
    private (Tensor Weights, Tensor Bias)? _head;
    private KeptInverse? _inverse;
    private bool _asked; // for a head, with few rows since
    private long _changed; // rows since the last head
    private long _retryAt; // samples, after an inverse that was too far off

    private protected LinearAnalyticLearner(FeatureExtractor features, InputScaling? scaling, Products products)
        : base(features, scaling) => Moments = new SecondMoments(features.FeatureCount, products);

    /// <summary>Whether the products of a block are computed in float32; sums over blocks are float64 always.</summary>
    /// <value>Default false. True is about twice as fast and rounds second moments to about 1e-7 relative.</value>
    public bool FastProducts { get; init; }

    /// <summary>
    /// Whether a head asked for after a small change follows it by an update of rank k, features² work for each sample, in place of a
    /// solve, features³.
    /// </summary>
    /// <value>
    /// Default true. It begins at the second question with few samples between (up to a quarter of the features), and from then on keeps
    /// features² numbers more, until a larger block comes. The weights solve the same equations to 1e-9, which is tested again every 256
    /// samples; where the equations are too near singular for that, heads are solved until there are twice as many. Streaming LDA's ε weighs more with every sample, so it is solved anew when a quarter more samples have come. There are no
    /// updates where λ = 0, ε = 1, or <see cref="ClassBalance.PerClass"/>, and none are needed by nearest class mean.
    /// </value>
    public bool SmallUpdates { get; init; } = true;

    private protected SecondMoments Moments { get; }

    private protected override long StatisticsBytes => Moments.Bytes + (_inverse?.Bytes ?? 0)
        + (_head is { } head ? 8 * (head.Weights.numel() + head.Bias.numel()) : 0);

    private protected override Tensor Counts => Moments.Counts;

    /// <summary>The head's weights W, float64 <c>[features, classes]</c>, a copy in the caller's scope.</summary>
    /// <exception cref="InvalidOperationException">Nothing was learnt yet.</exception>
    public Tensor Weights() => HasLearnt ? Head().Weights.clone() : throw NothingLearnt("weights");

    /// <inheritdoc/>
    public override void Dispose()
    {
        DropHead();
        Restart();
        Moments.Dispose();
        base.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected abstract Tensor Solve();

    private protected abstract Tensor Bias(Tensor weights);

    // The equations that Solve solves, where updates can follow them.
    private protected virtual LinearSystem? System() => null;

    // The rows by which A of the equations changes when samples join those summed now.
    private protected virtual Tensor Rows(Tensor features, Tensor ids) => features.to(ScalarType.Float64);

    private protected override void Add(Tensor features, Tensor ids, int sign)
    {
        Moments.Grow(Classes.Count);
        _changed += features.size(0);
        if (_changed > Features.FeatureCount / RankShare) Restart();
        if (_inverse is not null && System() is { } before)
        {
            var joining = sign > 0 ? Rows(features, ids) : null;
            var right = before.Right.clone(); // of the sums that change now
            Sum();
            if (!_inverse.Update(joining ?? Rows(features, ids), sign, right.narrow(1, 0, _inverse.Solution.size(1)), System()!.Right)) Restart();
        }
        else Sum();
        DropHead();

        void Sum() => Moments.Add(features, ids, sign, Classes.Count, FastProducts ? ScalarType.Float32 : ScalarType.Float64);
    }

    private protected override bool Drop(int id)
    {
        if (!Moments.Drop(id)) return false;
        Restart();
        DropHead();
        return true;
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
        _inverse?.Save(state);
        if (_asked) state.Values["changed"] = _changed;
        if (_retryAt > 0) state.Values["retryAt"] = _retryAt;
    }

    private protected override void LoadStatistics(MechanismState state)
    {
        Moments.Load(state);
        var (classes, width) = (Moments.Counts.size(0), Features.FeatureCount);
        if (state.Tensors.ContainsKey("weights"))
        {
            var (weights, bias) = (Statistics.Take(state, "weights", width, classes), Statistics.Take(state, "bias", classes));
            _head = (weights.DetachFromDisposeScope(), bias.DetachFromDisposeScope());
        }
        _inverse = KeptInverse.Load(state, width, classes);
        (_asked, _changed) = (state.Values["changed"] is not null, state.Values["changed"]?.GetValue<long>() ?? 0);
        _retryAt = state.Values["retryAt"]?.GetValue<long>() ?? 0;
    }

    private protected override JsonObject Options() => new() { ["fastProducts"] = FastProducts, ["smallUpdates"] = SmallUpdates };

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
        var weights = Updated() ?? Solve();
        _head = (weights.DetachFromDisposeScope(), Bias(weights).DetachFromDisposeScope());
        (_asked, _changed) = (true, 0);
        return _head.Value;
    }

    // The head after a small change; null where it must be solved from the start.
    private Tensor? Updated()
    {
        if (!SmallUpdates || !_asked || System() is not { } system) return null;
        if (_inverse?.Solve(system.Ridge) is { } solved && (_inverse.Unchecked < KeptInverse.CheckedEvery || _inverse.Agrees(system, solved)))
            return system.WeightsOf(solved);
        Restart();
        if (Samples < _retryAt || !MemoryGuard.Fits(SecondMoments.BytesOf(Features.FeatureCount, 4))) return null;
        _inverse = KeptInverse.Of(system);
        if (_inverse is { } fresh && fresh.Agrees(system, fresh.Solution)) return system.WeightsOf(fresh.Solution);
        // Too near singular to be inverted: trying costs more than solving, and more samples may mend it.
        Restart();
        _retryAt = 2 * Samples;
        return null;
    }

    private long Samples => (long)Moments.Counts.sum().item<double>();

    // Forgets what guides updates: the next head is solved from the start.
    private protected void Restart()
    {
        _inverse?.Dispose();
        (_inverse, _asked) = (null, false);
    }
}
