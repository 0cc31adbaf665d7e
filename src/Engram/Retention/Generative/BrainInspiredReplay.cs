using System.Text.Json.Nodes;
using Engram.Learning;
using Engram.Streams;

namespace Engram.Retention;

/// <summary>
/// Brain-inspired replay: the classifier itself generates what it replays. Feedback connections lead from its features back to
/// the inputs, each class has a Gaussian of z to replay from and silences units of its own on the way back, and replayed
/// samples are distilled. van de Ven, Siegelmann and Tolias 2020, "Brain-inspired replay for continual learning with
/// artificial neural networks".
/// </summary>
/// <remarks>
/// Loss of new samples: reconstruction + KL, both per number of a sample, and cross-entropy; of generated ones: the same with
/// the previous solver's softened probabilities in place of the class, and distillation; weighed 1/n and 1 − 1/n. The prior
/// of a sample with probabilities p is Σ_c p_c N(μ_c, σ²_c) and KL is estimated with one z, as in the authors' code. The
/// encoder is the learner's backbone, any of them; way back and prior have an optimiser of the learner's kind with a constant
/// rate. Gates are by class in every scenario; the study gates by context in domain-incremental learning. Internal replay
/// (generating features of frozen layers, not inputs) is this over the samples that a <see cref="Analytic.FeatureExtractor"/> gives; on MNIST the
/// study has none.
/// </remarks>
public sealed class BrainInspiredReplay : GeneratedReplay
{
    private readonly BrainInspiredOptions _options;
    private readonly SortedSet<long> _seen = [];
    private SideNetwork<FeedbackDecoder>? _feedback;
    private long[] _replayable = [];

    /// <summary>Creates it.</summary>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public BrainInspiredReplay(BrainInspiredOptions? options = null) : base(options ??= new BrainInspiredOptions()) =>
        _options = options.Validated();

    /// <inheritdoc/>
    public override string Name => "brain-inspired";

    /// <inheritdoc/>
    public override int ClassesInTurn => _seen.Count;

    private protected override long GeneratorBytes => _feedback?.Bytes ?? 0;

    /// <inheritdoc/>
    /// <remarks>Classes learnt so far take turns, in order of their ids.</remarks>
    public override Tensor Sample(int count)
    {
        var feedback = _feedback ?? throw new InvalidOperationException("generator: knows nothing yet, expected an experience first");
        using var scope = NewDisposeScope();
        long[] known = [.. _seen];
        return feedback.Module.Generate(tensor(Enumerable.Range(0, count).Select(i => known[i % known.Length]).ToArray()))
            .MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected internal override string? WhyNot(Experience experience) =>
        base.WhyNot(experience) ?? UnitInputs.WhyNot(experience.Train, _options.Reconstruction, Name);

    /// <inheritdoc/>
    protected internal override void BeginExperience(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        _replayable = [.. _seen];
        foreach (var id in context.ClassIds) _seen.Add(id);
        if (_feedback is null) Build(context, UnitInputs.Count(context.Source), context.Classes.Count);
        var added = context.Classes.Count - _feedback!.Module.Classes;
        if (added > 0)
        {
            _feedback.Module.Grow(added);
            _feedback.Relayout();
        }
        if (context.Options.ResetOptimizer) _feedback.Optimizer.Reset();
    }

    /// <inheritdoc/>
    protected internal override Tensor? ExtraLoss(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        var distilled = base.ExtraLoss(step);
        _feedback!.Arena.Gradient.zero_();
        var (current, module) = (step.Current, _feedback.Module);
        var features = TrainingStep.RowsOf(step.Features, current);
        var inputs = UnitInputs.Of(current.Raw);
        var classes = nn.functional.one_hot(current.Targets, module.Classes).to(ScalarType.Float32);
        if (Generated is not null)
        {
            features = step.Parts.Count == 2 ? step.Features : cat([features, TrainingStep.RowsOf(step.Features, Generated)]);
            inputs = cat([inputs, UnitInputs.Of(Generated.Raw)]);
            classes = cat([classes, Probabilities(Generated)]);
        }
        var loss = module.LossPerSample(features, inputs, classes)
            .dot(GenerativeLoss.RowWeights(current.Count, Generated?.Count ?? 0, Share(step.Context)));
        return distilled is null ? loss : loss.add(distilled, alpha: Held(1));
    }

    /// <inheritdoc/>
    protected internal override void Save(MechanismState state)
    {
        base.Save(state);
        if (_feedback is null) return;
        state.Values["seen"] = new JsonArray([.. _seen.Select(id => (JsonNode)id)]);
        state.Values["replayable"] = new JsonArray([.. _replayable.Select(id => (JsonNode)id)]);
        state.Values["inputs"] = _feedback.Module.Inputs;
        state.Values["classes"] = _feedback.Module.Classes;
        _feedback.Save(state, "feedback");
    }

    /// <inheritdoc/>
    protected internal override void Load(LearningContext context, MechanismState state)
    {
        base.Load(context, state);
        if (state.Values["inputs"] is { } inputs) Load(context, state, (int)inputs);
        RequireGenerator(context, _feedback is not null, _feedback is { Remembers: true } && _replayable.Length > 0);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _feedback?.Dispose();
        _feedback = null;
    }

    private protected override void RememberGenerator() => _feedback?.Remember();

    private protected override void ForgetGenerator() => _feedback?.Forget();

    private protected override Tensor GenerateBefore(int count)
    {
        using var former = _feedback!.AsBefore();
        return _feedback.Module.Generate(tensor(_replayable).index_select(0, randint(_replayable.Length, [count], ScalarType.Int64)));
    }

    // The gradient came with the solver's.
    private protected override void TrainGenerator(TrainingStep step) => _feedback!.Optimizer.Step(_feedback.Arena);

    // [n, classes]; what the previous solver had no output for is impossible.
    private Tensor Probabilities(BatchPart generated)
    {
        var classes = _feedback!.Module.Classes;
        if (_options.Targets == ReplayTargets.Hard)
            return nn.functional.one_hot(generated.Targets, classes).to(ScalarType.Float32);
        var soft = SolverLogits!.div(Held(_options.Temperature)).softmax(1);
        return soft.size(1) == classes ? soft : cat([soft, zeros(soft.size(0), classes - soft.size(1))], 1);
    }

    private void Load(LearningContext context, MechanismState state, int inputs)
    {
        var classes = state.ClassCount("classes");
        _seen.UnionWith(state.ClassIds("seen", classes));
        _replayable = state.ClassIds("replayable", classes);
        if (_seen.Count == 0) throw new FormatException("seen: empty, expected the classes learnt");
        state.Require("feedback.values", FeedbackDecoder.Numbers(context.Model.Backbone.FeatureCount, inputs, classes, _options));
        Build(context, inputs, classes);
        _feedback!.Load(state, "feedback");
    }

    private void Build(LearningContext context, int inputs, int classes)
    {
        _feedback?.Dispose();
        using var scope = NewDisposeScope();
        _feedback = new SideNetwork<FeedbackDecoder>(
            new FeedbackDecoder(context.Model.Backbone.FeatureCount, inputs, classes, _options, context.Options.Seed),
            context.Options.Optimizer);
    }
}
