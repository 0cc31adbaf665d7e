using System.Text.Json.Nodes;
using Engram.Learning;
using Engram.Persistence;
using Engram.Retention;
using Engram.Streams;

namespace Engram.Analytic;

/// <summary>
/// Puts an <see cref="AnalyticLearner"/> in place of the head: the backbone learns by gradients in the first experience, or not
/// at all where it has nothing to train, and is frozen; every sample is then summed once, and nothing is forgotten.
/// </summary>
/// <remarks>
/// The first experience of a trainable backbone takes the learner's epochs and is summed when it ends; every other experience is one
/// pass, whatever the epochs. Until the first experience ends, the trained head predicts. The sums are those of
/// <see cref="AnalyticLearner"/>, so order and batch size do not matter, and a stopped experience goes on exactly.
/// </remarks>
public class AnalyticHead : RetentionMechanism
{
    private const int BlockSize = 256;
    private readonly Func<int, long, AnalyticLearner>? _create;
    private AnalyticLearner? _learner;
    private JsonObject? _recipe;
    private bool _frozen;
    private int _summed; // samples of the first experience, while it is summed

    /// <summary>Creates it.</summary>
    /// <param name="name">Short name for tables and files, for example <c>slda</c>.</param>
    /// <param name="create">Makes the learner, for a number of features and the seed of what it draws. Its inputs are the backbone's features.</param>
    public AnalyticHead(string name, Func<int, long, AnalyticLearner> create)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(create);
        (Name, _create) = (name, create);
    }

    private protected AnalyticHead(string name) => Name = name;

    /// <inheritdoc/>
    public override string Name { get; }

    /// <summary>What its learner was made of, once it belongs to one, as JSON.</summary>
    protected internal override object? Recipe => _recipe;

    /// <inheritdoc/>
    public override Seams Seams => Seams.Prediction | Seams.Loss | Seams.Parameters | Seams.TrainingData;

    /// <inheritdoc/>
    public override long MemoryBytes => _learner?.MemoryBytes ?? 0;

    /// <summary>The learner over the backbone's features; known once this mechanism belongs to a learner.</summary>
    /// <exception cref="InvalidOperationException">It does not yet.</exception>
    public AnalyticLearner Learner =>
        _learner ?? throw new InvalidOperationException($"{Name}: belongs to no learner yet, expected to be given to one");

    /// <inheritdoc/>
    protected internal override string? WhyNot(LearnerOptions options) => options switch
    {
        { Scenario: Scenario.TaskIncremental } => "tells all classes apart at once, expected class- or domain-incremental",
        { Iterations: not null } => "takes every sample once, expected Iterations to be null",
        { DropLast: true } => "takes every sample once, expected DropLast to be false",
        _ => null,
    };

    /// <inheritdoc/>
    protected internal override string? WhyNotBeside(RetentionMechanism other) =>
        "forgets nothing and trains nothing that another could keep, expected it alone";

    /// <inheritdoc/>
    protected internal override void Attach(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        _learner = Make(context.Model.Backbone.FeatureCount, context.Options.Seed);
        var ((kind, options), extractor) = (_learner.Describe(), _learner.Features.Describe());
        _recipe = new JsonObject
        {
            ["learner"] = kind,
            ["learnerOptions"] = options,
            ["scaling"] = Bundle.Fields(_learner.Scaling),
            ["extractor"] = extractor.Kind,
            ["extractorOptions"] = extractor.Options,
        };
        Describe(_recipe);
        _frozen = !context.Model.Backbone.parameters().Any(parameter => parameter.requires_grad);
    }

    /// <inheritdoc/>
    protected internal override int? ChooseEpochs(LearningContext context) => _frozen ? 1 : null;

    /// <inheritdoc/>
    protected internal override string? WhyNot(Experience experience) => Require.Classes(experience, Name);

    /// <inheritdoc/>
    protected internal override void BeginExperience(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Model.Backbone is IUnlabelledBackbone { IsLearnt: false } backbone)
            backbone.LearnFrom(context.Source, context.Model.Scaling, context.Options.Seed);
        foreach (var key in context.Classes.Classes) Learner.Classes.Register(key.Label);
    }

    /// <inheritdoc/>
    protected internal override void BeforeForward(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        if (_frozen) step.Context.Model.Backbone.eval(); // no running statistics move
    }

    /// <inheritdoc/>
    protected internal override Tensor? ReplaceLoss(TrainingStep step, BatchPart part)
    {
        ArgumentNullException.ThrowIfNull(step);
        ArgumentNullException.ThrowIfNull(part);
        return _frozen ? TrainingStep.RowsOf(step.Logits, part).sum().mul(Held(0)) : null;
    }

    /// <inheritdoc/>
    protected internal override void AfterStep(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        if (_frozen) Learner.Sum(TrainingStep.RowsOf(step.Features, step.Current), step.Current.Targets);
    }

    /// <inheritdoc/>
    protected internal override void EndExperience(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (_frozen) return;
        using var _ = no_grad();
        while (_summed < context.Source.Count)
        {
            using var scope = NewDisposeScope();
            var indices = new long[Math.Min(BlockSize, context.Source.Count - _summed)];
            for (var i = 0; i < indices.Length; i++) indices[i] = _summed + i;
            var part = context.Fetch(indices);
            Learner.Sum(context.Model.Backbone.forward(part.Inputs), part.Targets);
            _summed += indices.Length;
        }
        Freeze(context);
    }

    /// <inheritdoc/>
    protected internal override Tensor? Score(LearningContext context, Tensor features, Tensor logits)
    {
        ArgumentNullException.ThrowIfNull(features);
        ArgumentNullException.ThrowIfNull(logits);
        return Learner.HasLearnt ? Learner.ScoresOf(features, logits.size(1)) : null;
    }

    /// <inheritdoc/>
    protected internal override void Save(MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        Learner.Save(state);
        state.Values["frozen"] = _frozen;
        if (!_frozen && _summed > 0) state.Values["summed"] = _summed;
        foreach (var (name, tensor) in Learner.Features.Describe().Tensors) state.Tensors[$"features.{name}"] = tensor;
    }

    /// <inheritdoc/>
    protected internal override void Restructure(LearningContext context, MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(state);
        if (!_frozen && (bool?)state.Values["frozen"] == true) Freeze(context);
    }

    /// <inheritdoc/>
    protected internal override void Load(LearningContext context, MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        foreach (var (name, tensor) in Learner.Features.Describe().Tensors)
            if (!state.Tensors.TryGetValue($"features.{name}", out var saved) || !saved.Equals(tensor))
                throw new InvalidDataException($"features: {name} is missing or of another seed, expected that of this learner");
        Learner.Load(state);
        _summed = state.Values.Value("summed", 0);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _learner?.Dispose();

    // What a head adds to the recipe of its learner.
    private protected virtual void Describe(JsonObject recipe)
    {
    }

    private protected virtual AnalyticLearner Make(int features, long seed) => _create!(features, seed);

    // The next experience, or the restoration, lays the arena out anew.
    private void Freeze(LearningContext context)
    {
        foreach (var parameter in context.Model.Backbone.parameters()) parameter.requires_grad = false;
        context.StructureChanged = true;
        _frozen = true;
    }
}
