using System.Text.Json.Nodes;
using Engram.Models;
using Engram.Retention;

namespace Engram.Analytic;

/// <summary>How <see cref="FeCam"/> estimates and compares covariances.</summary>
public sealed record FeCamOptions
{
    /// <summary>γ₁: how much of the mean variance is added to every variance.</summary>
    /// <value>Default 1, as in the authors' configuration for CIFAR-100; 0 or more. Few samples per class need far more.</value>
    public double Gamma1 { get; init; } = 1;

    /// <summary>γ₂: how much of the mean covariance is added to every covariance.</summary>
    /// <value>Default 1, as in the authors' configuration for CIFAR-100; 0 to <see cref="Gamma1"/>, so that the result stays positive.</value>
    public double Gamma2 { get; init; } = 1;

    /// <summary>The power of Tukey's transformation, φ^λ; 1 leaves the features as they are.</summary>
    /// <value>Default 0.5, as in the authors' configuration; above 0, at most 1.</value>
    public double Tukey { get; init; } = 0.5;

    /// <summary>Whether covariances become correlations, so that classes of different spread compare.</summary>
    /// <value>Default true.</value>
    public bool Correlation { get; init; } = true;

    /// <summary>How often classes are expected.</summary>
    /// <value>Default <see cref="ClassPrior.Uniform"/>, as in the paper.</value>
    public ClassPrior Prior { get; init; }

    internal FeCamOptions Validated()
    {
        if (!(Gamma1 >= 0 && double.IsFinite(Gamma1))) throw Wrong(nameof(Gamma1), Gamma1, "0 or more");
        if (!(Gamma2 >= 0 && Gamma2 <= Gamma1)) throw Wrong(nameof(Gamma2), Gamma2, $"0 to Gamma1 = {Gamma1}");
        if (!Enum.IsDefined(Prior)) throw new ArgumentException($"Prior: {Prior}, expected Uniform or Counts");
        return Tukey is > 0 and <= 1 ? this : throw Wrong(nameof(Tukey), Tukey, "above 0 and at most 1");

        static ArgumentException Wrong(string name, double value, string expected) => new($"{name}: {value}, expected {expected}");
    }
}

/// <summary>
/// Gaussian classes each with its own covariance, compared by Mahalanobis distance: Σ_s = Σ + γ₁V₁I + γ₂V₂(1 − I) with the mean
/// variance V₁ and the mean covariance V₂, brought to correlations; features after Tukey's transformation, lengths taken out
/// (Goswami, Liu, Twardowski and van de Weijer 2023, "FeCAM: Exploiting the Heterogeneity of Class Distributions in
/// Exemplar-Free Continual Learning").
/// </summary>
/// <remarks>
/// Held against the authors' published code. Deviations: the class mean is that of transformed features (theirs: the
/// transformed mean), so that sums suffice and every order gives the same; shrinkage is applied once (theirs: twice); negative
/// features are transformed as −|φ|^λ (theirs: NaN). The score is −½D², plus the log prior where asked for; there is no
/// log determinant. A class with one sample, or without variance, takes the covariance of all classes together, and
/// where that has none the identity.
/// </remarks>
public sealed class FeCam : AnalyticLearner, IClassDistances
{
    private readonly FeCamOptions _options;
    private readonly SecondMoments _moments; // of transformed features
    private readonly HashSet<long> _changed = []; // classes whose sums are no longer those of the head
    private Tensor? _means; // of length 1, [classes, features]
    private Tensor? _whitening; // [classes, features, features]
    private bool[] _own = []; // classes whose whitening is that of a covariance of their own

    /// <summary>Creates it.</summary>
    /// <param name="features">φ; the learner owns it.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <param name="scaling">How stored samples become inputs; by default bytes to 0..1.</param>
    /// <exception cref="ArgumentException">An option is out of range, or the features are too many for the memory.</exception>
    public FeCam(FeatureExtractor features, FeCamOptions? options = null, InputScaling? scaling = null) : base(features, scaling)
    {
        _options = (options ?? new FeCamOptions()).Validated();
        _moments = new SecondMoments(features.FeatureCount, Products.PerClass, ofHead: 1);
    }

    /// <summary>Squared Mahalanobis distances, each class in its own metric.</summary>
    /// <param name="inputs"><c>[batch, ...]</c>, Byte or Float32.</param>
    /// <returns>float32 <c>[batch, classes]</c>; infinity for a class without samples.</returns>
    public Tensor Distances(Tensor inputs) => DistancesOf(inputs, Squared);

    /// <inheritdoc/>
    public override void Dispose()
    {
        DropHead();
        _moments.Dispose();
        base.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected override string Kind => "fecam";

    private protected override long StatisticsBytes => _moments.Bytes + (8 * ((_means?.numel() ?? 0) + (_whitening?.numel() ?? 0)));

    private protected override Tensor Counts => _moments.Counts;

    private protected override JsonObject Options() => new()
    {
        ["gamma1"] = _options.Gamma1,
        ["gamma2"] = _options.Gamma2,
        ["tukey"] = _options.Tukey,
        ["correlation"] = _options.Correlation,
        ["prior"] = $"{_options.Prior}",
    };

    private protected override void Add(Tensor features, Tensor ids, int sign)
    {
        _changed.UnionWith(ids.data<long>().ToArray());
        _moments.Add(Transformed(features.to(ScalarType.Float64)), ids, sign, Classes.Count, ScalarType.Float64);
    }

    private protected override bool Drop(int id)
    {
        _changed.Add(id);
        return _moments.Drop(id);
    }

    private protected override Tensor Score(Tensor features)
    {
        var scores = Squared(features).mul(Held(-0.5));
        return _options.Prior == ClassPrior.Uniform ? scores : scores.add(_moments.LogPrior(), alpha: Held(1));
    }

    private protected override AnalyticForm Solved()
    {
        var (means, whitening) = Head();
        return new DistanceForm(means, whitening, _options.Tukey,
            _options.Prior == ClassPrior.Uniform ? zeros_like(_moments.Counts) : _moments.LogPrior());
    }

    private protected override void SaveStatistics(MechanismState state)
    {
        _moments.Save(state);
        if (_changed.Count == 0 && _means is { } means) (state.Tensors["means"], state.Tensors["whitening"]) = (means, _whitening!);
    }

    private protected override void LoadStatistics(MechanismState state)
    {
        _moments.Load(state);
        if (!state.Tensors.ContainsKey("whitening")) return;
        var (classes, width) = (_moments.Counts.size(0), Features.FeatureCount);
        var (means, whitening) = (Statistics.Take(state, "means", classes, width), Statistics.Take(state, "whitening", classes, width, width));
        (_means, _whitening) = (means.DetachFromDisposeScope(), whitening.DetachFromDisposeScope());
    }

    // [n, features] float64 to [n, classes]
    private Tensor Squared(Tensor features)
    {
        var (means, whitening) = Head();
        var directions = nn.functional.normalize(Transformed(features), dim: 1);
        return stack([.. Enumerable.Range(0, (int)means.size(0)).Select(id =>
            directions.sub(means[id]).matmul(whitening[id].t()).pow(Held(2)).sum([1L]))], 1);
    }

    private Tensor Transformed(Tensor features) =>
        _options.Tukey == 1 ? features : features.abs().pow(Held(_options.Tukey)).mul(features.sign());

    private (Tensor Means, Tensor Whitening) Head()
    {
        if (_changed.Count == 0 && _means is { } known) return (known, _whitening!);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var (means, counts) = (_moments.Means(), _moments.Counts.data<double>().ToArray());
        var total = counts.Sum();
        var pooled = _moments.Within().div_(Held(Math.Max(total - counts.Count(count => count > 0.5), 1)));
        // What cancellation leaves of a variance of zero is no variance.
        var least = 1e-13 * _moments.Products.diagonal(0, 1, 2).sum().item<double>() / (total * Features.FeatureCount);
        MakeRoom(counts.Length);
        for (var id = 0; id < counts.Length; id++)
        {
            using var one = NewDisposeScope();
            var own = counts[id] > 1.5 && Variance(id, means[id], counts[id]) > least;
            if (own && _own[id] && !_changed.Contains(id)) continue;
            var covariance = own ? Covariance(id, means[id], counts[id])
                : pooled.diagonal().mean().item<double>() > least ? pooled.clone()
                : eye(Features.FeatureCount, dtype: ScalarType.Float64);
            _whitening![id].copy_(PositiveSolve.Whitening(Shrunk(covariance), 0));
            _own[id] = own;
        }
        _means?.Dispose();
        _means = nn.functional.normalize(means, dim: 1).DetachFromDisposeScope();
        _changed.Clear();
        return (_means, _whitening!);
    }

    // For new classes; what the others have is kept.
    private void MakeRoom(int classes)
    {
        var (known, width) = (_own.Length, Features.FeatureCount);
        if (known == classes) return;
        var whitening = zeros([classes, width, width], ScalarType.Float64).DetachFromDisposeScope();
        if (known > 0) whitening.narrow(0, 0, known).copy_(_whitening!);
        _whitening?.Dispose();
        _whitening = whitening;
        Array.Resize(ref _own, classes);
    }

    private double Variance(int id, Tensor mean, double count) =>
        _moments.Products[id].diagonal().sub(mean.pow(Held(2)).mul_(Held(count))).mean().item<double>() / (count - 1);

    private Tensor Covariance(int id, Tensor mean, double count) =>
        _moments.Products[id].clone().addmm_(mean.mul(Held(count)).unsqueeze(1), mean.unsqueeze(0), 1, -1).div_(Held(count - 1));

    // In place.
    private Tensor Shrunk(Tensor covariance)
    {
        var n = Features.FeatureCount;
        var variance = covariance.diagonal().mean(); // V₁
        var between = covariance.sum().sub(covariance.diagonal().sum()).div(Held(Math.Max(1.0, n * (n - 1.0)))); // V₂
        covariance.add_(between.mul(Held(_options.Gamma2)), alpha: Held(1));
        covariance.diagonal().add_(variance.mul(Held(_options.Gamma1)).sub(between.mul(Held(_options.Gamma2))), alpha: Held(1));
        if (!_options.Correlation) return covariance;
        var deviations = covariance.diagonal().maximum(variance.mul(Held(1e-12))).sqrt();
        return covariance.div_(deviations.unsqueeze(1)).div_(deviations);
    }

    private void DropHead()
    {
        _means?.Dispose();
        _whitening?.Dispose();
        (_means, _whitening, _own) = (null, null, []);
    }
}
