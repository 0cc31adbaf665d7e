using Engram.Analytic;
using Engram.Client;
using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Persistence;
using Engram.Retention;
using Engram.Server.Training;

namespace Engram.Server.Specifications;

/// <summary>Builds what a specification describes: always the same, so that a bundle can be put back into it.</summary>
internal sealed class LearnerRecipe(LearnerSpecification specification, IReadOnlyList<long> shape)
{
    /// <summary>
    /// Fewest steps in which a network learns new feedback: few samples of a new class are learnt, and the old ones rehearsed, in no
    /// fewer. Of 50 samples of a tenth digit, 20 steps learnt none and cost the nine others 4 %.
    /// </summary>
    private const int FewestSteps = 200;

    private const int PatchGrid = 6; // as PatchOptions has it
    private readonly ModelSpecification _model = specification.Model;
    private readonly int _width = checked((int)shape.Aggregate(1L, (product, size) => product * size));

    /// <summary>Whether it learns in closed form.</summary>
    public bool IsClosedForm => _model.Kind != "network";

    /// <summary>Whether the first samples leave more behind than sums, so that they cannot be subtracted again.</summary>
    public bool KeepsFirstSamples => _model.PatchFilters > 0;

    /// <summary>A learner that knows nothing.</summary>
    /// <param name="first">What it will learn first; patches are taken from its images.</param>
    public TrainedModel Begin(ISampleSource first) =>
        IsClosedForm ? new ClosedFormModel(ClosedForm(first)) : new NetworkModel(Network(first.Count));

    /// <summary>A learner as a bundle holds it, to learn on.</summary>
    /// <param name="bundle">Folder of the bundle.</param>
    /// <param name="samples">How many samples it will learn.</param>
    /// <exception cref="InvalidDataException">The bundle is damaged, or of another kind of learner.</exception>
    public TrainedModel Resume(string bundle, int samples = 0)
    {
        if (IsClosedForm) return new ClosedFormModel(AnalyticBundle.Load(bundle));
        var learner = Network(samples);
        try
        {
            Bundle.Restore(learner, bundle, otherOptions: true);
            return new NetworkModel(learner);
        }
        catch
        {
            learner.Dispose();
            throw;
        }
    }

    internal static int RandomFeaturesOf(ModelSpecification model) => model.RandomFeatures ?? (model.Kind == "ranpac" ? 2000 : 0);

    internal static int FeaturesOf(ModelSpecification model, int width) =>
        model.PatchFilters > 0 ? model.PatchFilters * PatchGrid * PatchGrid : RandomFeaturesOf(model) is > 0 and var random ? random : width;

    internal static StrategyBudget BudgetOf(ModelSpecification model) => new(model.Memory);

    internal static LearnerOptions OptionsOf(ModelSpecification model, int seed) => new()
    {
        Epochs = model.Epochs,
        BatchSize = model.BatchSize,
        Optimizer = new AdamOptions { LearningRate = model.LearningRate },
        Seed = seed,
    };

    private AnalyticLearner ClosedForm(ISampleSource first)
    {
        var features = Features(first);
        try
        {
            // All in float64: what is deleted must be gone to the last digit.
            return _model.Kind switch
            {
                "slda" => new StreamingLda(features),
                "fecam" => new FeCam(features),
                "ncm" => new NearestClassMean(features),
                // A new class has few samples at first; with pooled balance it weighs as much as the old ones.
                _ => new RidgeClassifier(features, _model.Lambda ?? Lambda(), balance: ClassBalance.Pooled),
            };
        }
        catch
        {
            features.Dispose();
            throw;
        }
    }

    // Averaged responses of patches are small numbers, and texts have length 1 spread over many features.
    private double Lambda() => _model.PatchFilters > 0 ? 1e-4 : specification.Input.Kind == InputKind.Text ? 0.1 : 1;

    private FeatureExtractor Features(ISampleSource first)
    {
        if (_model.PatchFilters > 0) return new PatchFeatures(first, new PatchOptions { Filters = _model.PatchFilters, Seed = specification.Seed });
        var random = RandomFeaturesOf(_model);
        if (random == 0) return new RawFeatures(_width);
        // Projections of about unit variance: texts have length 1, others about one unit in every number.
        var scale = specification.Input.Kind == InputKind.Text ? 1 : 1 / Math.Sqrt(_width);
        return new RandomFeatures(_width, random, scale: scale, seed: specification.Seed);
    }

    private Learner Network(int samples)
    {
        var steps = Math.Max(1, (samples + _model.BatchSize - 1) / _model.BatchSize); // of one pass
        var strategy = _model.Mechanisms.Count > 0 ? MechanismList.StrategyOf(_model.Mechanisms) : Strategies.Named(_model.Strategy);
        return new Learner(
            () =>
            {
                var backbone = strategy.Backbone?.Invoke(_width)
                    ?? (_model.Backbone == "digits-cnn" ? new DigitsCnn() : new Mlp(_width, [.. _model.Hidden]));
                return new ContinualModel(backbone, strategy.Head?.Invoke(backbone.FeatureCount));
            },
            OptionsOf(_model, specification.Seed) with { Epochs = Math.Max(_model.Epochs, (FewestSteps + steps - 1) / steps) }, strategy.Create(BudgetOf(_model)));
    }
}
