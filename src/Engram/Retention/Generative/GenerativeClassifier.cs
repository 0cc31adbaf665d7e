using System.Text.Json.Nodes;
using Engram.Data;
using Engram.Learning;
using Engram.Persistence;
using Engram.Streams;

namespace Engram.Retention;

/// <summary>
/// A generative classifier: one autoencoder per class, and the class whose autoencoder finds a sample likeliest wins. What one
/// class learns touches no other, so nothing is forgotten by construction. van de Ven, Li and Tolias 2021, "Class-Incremental
/// Learning with Generative Classifiers": p(x|y) by importance sampling (Rezende et al. 2014), equal class priors.
/// </summary>
/// <remarks>
/// It models the features of the backbone, which must not change: <see cref="Models.RawInputs"/>, or a network that is frozen
/// or pretrained (then with Gaussian reconstruction). Each step teaches the autoencoders of the classes in the batch with
/// their rows; the study gives each class batches of its own. The head beside it learns as usual and has no say. Noise of the
/// importance samples is drawn from a generator seeded with the learner's seed at each prediction, so that equal inputs get
/// equal scores; all samples of a call share it.
/// </remarks>
public sealed class GenerativeClassifier : RetentionMechanism, ISampleGenerator
{
    private const int RowsAtOnce = 4096;

    private readonly GenerativeClassifierOptions _options;
    private readonly SortedDictionary<int, SideNetwork<Vae>> _classes = [];

    /// <summary>Creates it.</summary>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public GenerativeClassifier(GenerativeClassifierOptions? options = null) =>
        _options = (options ?? new GenerativeClassifierOptions()).Validated();

    /// <inheritdoc/>
    public override string Name => "generative-classifier";

    /// <inheritdoc/>
    protected internal override object? Recipe => _options;

    /// <inheritdoc/>
    public override Seams Seams => Seams.Prediction;

    /// <inheritdoc/>
    public override long MemoryBytes => _classes.Values.Sum(network => network.Bytes);

    /// <summary>New samples of one class, float32 <c>[count, inputs]</c>, to look at.</summary>
    /// <param name="classId">A class that was learnt.</param>
    /// <param name="count">How many.</param>
    public Tensor Sample(int classId, int count) => _classes.TryGetValue(classId, out var network)
        ? network.Module.Generate(count)
        : throw new ArgumentException($"classId: {classId}, expected one of {string.Join(", ", _classes.Keys)}", nameof(classId));

    /// <inheritdoc/>
    public int ClassesInTurn => _classes.Count;

    /// <inheritdoc/>
    public Tensor Sample(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        if (_classes.Count == 0) throw new InvalidOperationException("generator: knows nothing yet, expected an experience first");
        using var scope = NewDisposeScope();
        var rounds = (count + _classes.Count - 1) / _classes.Count;
        return stack([.. _classes.Values.Select(network => network.Module.Generate(rounds))], 1).flatten(0, 1)
            .narrow(0, 0, count).contiguous().MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected internal override string? WhyNot(LearnerOptions options) =>
        options is { Scenario: Scenario.ClassIncremental } ? null : "models classes, expected class-incremental learning";

    /// <inheritdoc/>
    protected internal override string? WhyNot(Experience experience) => Require.Classes(experience, Name);

    /// <inheritdoc/>
    protected internal override void BeginExperience(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        CheckFeatures(context);
        foreach (var id in context.ClassIds)
            if (!_classes.ContainsKey(id))
                _classes[id] = Network(context.Model.Backbone.FeatureCount);
    }

    /// <inheritdoc/>
    protected internal override void AfterStep(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        var features = TrainingStep.RowsOf(step.Features, step.Current).detach();
        var rows = step.Current.Targets.data<long>().ToArray()
            .Select((id, row) => (Id: (int)id, Row: (long)row)).GroupBy(pair => pair.Id, pair => pair.Row);
        foreach (var own in rows.OrderBy(group => group.Key))
        {
            using var scope = NewDisposeScope();
            var samples = features.index_select(0, tensor(own.ToArray()));
            var network = _classes[own.Key];
            network.Descend(() => network.Module.LossPerSample(samples).mean());
        }
    }

    /// <inheritdoc/>
    protected internal override Tensor? Score(LearningContext context, Tensor features, Tensor logits)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(features);
        ArgumentNullException.ThrowIfNull(logits);
        if (_classes.Count == 0) return null;
        var scores = full(logits.shape, Held(float.NegativeInfinity));
        using var scope = NewDisposeScope();
        var random = new SeededRandom(context.Options.Seed, $"{Name}/noise");
        var noise = Normal(random, _options.ImportanceSamples, _options.Vae.LatentSize);
        foreach (var (id, network) in _classes)
            scores.select(1, id).copy_(network.Module.LogLikelihood(features, noise, _options.Likelihood, RowsAtOnce));
        return scores;
    }

    /// <inheritdoc/>
    protected internal override void Save(MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        state.Values["classes"] = new JsonArray([.. _classes.Keys.Select(id => (JsonNode)id)]);
        foreach (var (id, network) in _classes) network.Save(state, $"class{id}");
    }

    /// <inheritdoc/>
    protected internal override void Load(LearningContext context, MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(state);
        foreach (var id in state.Values.List<int>("classes"))
        {
            if (id < 0 || id >= state.Classes || _classes.ContainsKey(id))
                throw new FormatException($"classes: {id}, expected each id once and below {state.Classes}");
            state.Require($"class{id}.values", Vae.Numbers(context.Model.Backbone.FeatureCount, _options.Vae));
            _classes[id] = Network(context.Model.Backbone.FeatureCount);
            _classes[id].Load(state, $"class{id}");
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        foreach (var network in _classes.Values) network.Dispose();
        _classes.Clear();
    }

    // Outside 0..1 the cross-entropy has no least value, and what minimises it grows without bound.
    private void CheckFeatures(LearningContext context)
    {
        if (_options.Vae.Reconstruction != Reconstruction.Bernoulli) return;
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var some = context.Source.Gather([.. Enumerable.Range(0, Math.Min(context.Source.Count, RowsAtOnce)).Select(i => (long)i)]).Inputs;
        var features = context.Model.Backbone.forward(context.Model.Scaling.Apply(some));
        if (UnitInputs.WhyNot(features, "features:", $"{Name} with Bernoulli reconstruction; Gaussian takes any") is { } reason)
            throw new ArgumentException(reason);
    }

    private SideNetwork<Vae> Network(int inputs)
    {
        using var scope = NewDisposeScope();
        return new SideNetwork<Vae>(new Vae(inputs, _options.Vae), _options.Vae.Optimizer);
    }

    // Box and Muller 1958, from a generator of our own: predictions must not touch torch's.
    private static Tensor Normal(SeededRandom random, int rows, int columns) => tensor(
        Enumerable.Range(0, rows * columns).Select(_ => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()))
            * Math.Cos(2 * Math.PI * random.NextDouble()))).ToArray()).view(rows, columns);
}
