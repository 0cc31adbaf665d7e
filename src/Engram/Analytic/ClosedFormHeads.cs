using System.Text.Json.Nodes;
using Engram.Learning;

namespace Engram.Analytic;

/// <summary><see cref="NearestClassMean"/> in place of the head.</summary>
public sealed class NearestMeanHead() : AnalyticHead("ncm")
{
    private protected override AnalyticLearner Make(int features, long seed) => new NearestClassMean(new RawFeatures(features));
}

/// <summary>How <see cref="StreamingLdaHead"/> tells classes apart.</summary>
public sealed record StreamingLdaHeadOptions
{
    /// <summary>ε: the identity's share of the covariance.</summary>
    /// <value>Default 1e-4, the paper's; above 0, at most 1.</value>
    public double Shrinkage { get; init; } = 1e-4;

    /// <summary>How often classes are expected.</summary>
    /// <value>Default <see cref="ClassPrior.Uniform"/>, as in the paper.</value>
    public ClassPrior Prior { get; init; }

    internal StreamingLdaHeadOptions Validated()
    {
        if (!Enum.IsDefined(Prior)) throw new ArgumentException($"Prior: {Prior}, expected Uniform or Counts");
        return Shrinkage is > 0 and <= 1 ? this : throw new ArgumentException($"Shrinkage: {Shrinkage}, expected above 0 to 1");
    }
}

/// <summary><see cref="StreamingLda"/> in place of the head; solved whole, so that predicting in between changes no bit of what comes later.</summary>
/// <param name="options">Null for the defaults.</param>
/// <exception cref="ArgumentException">An option is out of range.</exception>
public sealed class StreamingLdaHead(StreamingLdaHeadOptions? options = null) : AnalyticHead("slda")
{
    private readonly StreamingLdaHeadOptions _options = (options ?? new StreamingLdaHeadOptions()).Validated();

    private protected override AnalyticLearner Make(int features, long seed) =>
        new StreamingLda(new RawFeatures(features), _options.Shrinkage, prior: _options.Prior) { SmallUpdates = false };
}

/// <summary><see cref="FeCam"/> in place of the head.</summary>
/// <param name="options">Null for the defaults.</param>
/// <exception cref="ArgumentException">An option is out of range.</exception>
public sealed class FeCamHead(FeCamOptions? options = null) : AnalyticHead("fecam")
{
    private readonly FeCamOptions _options = (options ?? new FeCamOptions()).Validated();

    private protected override AnalyticLearner Make(int features, long seed) => new FeCam(new RawFeatures(features), _options);
}

/// <summary>What <see cref="RidgeHead"/> regresses on, and how.</summary>
public sealed record RidgeHeadOptions
{
    /// <summary>λ.</summary>
    /// <value>Default 1; 0 or more. See <see cref="LambdaByValidation"/>.</value>
    public double Lambda { get; init; } = 1;

    /// <summary>
    /// Whether λ is chosen anew at the end of each experience that has validation samples: of 1e-6 to 1e4 in decades the one whose head
    /// predicts most of them right.
    /// </summary>
    /// <value>
    /// Default false. These samples are of the experience's own classes alone, so the λ in use, and with it the head, then depends on the
    /// order of experiences; the sums never do.
    /// </value>
    public bool LambdaByValidation { get; init; }

    /// <summary>Random ReLU features drawn between the network's and the ridge (RanPAC); 0 for the network's own.</summary>
    /// <value>Default 0; at most 20,000.</value>
    public int RandomFeatures { get; init; }

    /// <summary>Whether frequent classes weigh more.</summary>
    /// <value>Default <see cref="ClassBalance.None"/>: they do, as in the paper.</value>
    public ClassBalance Balance { get; init; }

    internal RidgeHeadOptions Validated()
    {
        if (!(Lambda >= 0 && double.IsFinite(Lambda))) throw new ArgumentException($"Lambda: {Lambda}, expected 0 or a positive number");
        if (!Enum.IsDefined(Balance)) throw new ArgumentException($"Balance: {Balance}, expected None, Pooled or PerClass");
        return RandomFeatures is >= 0 and <= 20_000
            ? this
            : throw new ArgumentException($"RandomFeatures: {RandomFeatures}, expected 0 to 20000");
    }
}

/// <summary>
/// <see cref="RidgeClassifier"/> in place of the head, over random features of the network's where asked for (RanPAC); solved whole, so that
/// predicting in between changes no bit of what comes later.
/// </summary>
/// <remarks>
/// RanPAC's authors choose λ of 1e-8 to 1e8 after every task by the squared error on the last fifth of its samples, with a head of the other
/// four fifths alone; here it is by accuracy, on samples that are not learnt, with the head of all that was.
/// </remarks>
/// <param name="options">Null for the defaults.</param>
/// <exception cref="ArgumentException">An option is out of range.</exception>
public sealed class RidgeHead(RidgeHeadOptions? options = null) : AnalyticHead(options is { RandomFeatures: > 0 } ? "ranpac" : "ridge")
{
    private static readonly double[] s_candidates = [.. Enumerable.Range(-6, 11).Select(power => Math.Pow(10, power))];
    private readonly RidgeHeadOptions _options = (options ?? new RidgeHeadOptions()).Validated();

    private protected override AnalyticLearner Make(int features, long seed)
    {
        FeatureExtractor front = _options.RandomFeatures > 0
            ? new RandomFeatures(features, _options.RandomFeatures, scale: 1 / Math.Sqrt(features), seed: seed)
            : new RawFeatures(features);
        return new RidgeClassifier(front, _options.Lambda, balance: _options.Balance) { SmallUpdates = false };
    }

    private protected override void Describe(JsonObject recipe) => recipe["lambdaByValidation"] = _options.LambdaByValidation;

    /// <inheritdoc/>
    protected internal override void EndExperience(LearningContext context)
    {
        base.EndExperience(context);
        if (!_options.LambdaByValidation || context.Experience.Validation is not { } validation) return;
        using var scope = NewDisposeScope();
        using var features = new BackboneFeatures(context.Model.Backbone);
        var samples = features.Samples(validation, context.Model.Scaling);
        try
        {
            ((RidgeClassifier)Learner).ChooseLambda(samples, s_candidates);
        }
        finally
        {
            samples.Free();
        }
    }
}
