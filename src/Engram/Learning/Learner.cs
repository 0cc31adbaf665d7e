using Engram.Data;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;

namespace Engram.Learning;

/// <summary>Learns experience after experience and predicts at any time. The training loop is <see cref="TrainingLoop"/>.</summary>
/// <remarks>Not for use by several threads at once. The model and the mechanisms belong to the learner and go with it.</remarks>
public sealed class Learner : IContinualLearner
{
    private readonly TrainingLoop _loop;
    private readonly LearningMeter _meter;
    private readonly HashSet<int> _learnt = [];
    private Tensor _torchState;
    private bool _learning;
    private string? _broken;

    /// <summary>Creates a learner.</summary>
    /// <param name="model">Builds the model; called with torch seeded, so that equal seeds give equal weights.</param>
    /// <param name="options">How to train; null for the defaults.</param>
    /// <param name="mechanisms">What keeps old knowledge; none is naive fine-tuning.</param>
    /// <param name="clock">For progress and timings; null for the system's.</param>
    /// <exception cref="ArgumentException">An option out of range, or mechanisms that exclude each other.</exception>
    public Learner(
        Func<ContinualModel> model, LearnerOptions? options = null,
        IReadOnlyList<RetentionMechanism>? mechanisms = null, TimeProvider? clock = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        options ??= new LearnerOptions();
        options.Validate();
        Mechanisms = [.. mechanisms ?? []];
        Composition.Check(Mechanisms, options);
        Optimizer = options.Optimizer.Build();
        using (new TorchRandom(options.Seed))
        {
            Context = new LearningContext(model(), options);
            _torchState = TorchRandom.Now();
        }
        if (options.EarlyStopping is { } stopping) Best = new BestWeights(this, stopping);
        _meter = new LearningMeter(clock ?? TimeProvider.System);
        try
        {
            RetentionMechanism.AttachAll(Mechanisms, Context);
        }
        catch
        {
            Release();
            throw;
        }
        _loop = new TrainingLoop(this, _meter, clock ?? TimeProvider.System);
    }

    /// <summary>Model, parameters, classes and the present experience.</summary>
    public LearningContext Context { get; }

    /// <inheritdoc/>
    public ClassRegistry Classes => Context.Classes;

    /// <inheritdoc/>
    public Scenario Scenario => Context.Options.Scenario;

    /// <summary>The mechanisms, in order.</summary>
    public IReadOnlyList<RetentionMechanism> Mechanisms { get; }

    /// <summary>Samples of the stream that the mechanisms hold now, by class id; none of any class where targets are no classes.</summary>
    public IReadOnlyList<int> StoredByClass
    {
        get
        {
            var stored = new int[Context.Classes.Count];
            if (Context.Targets.Kind != TargetKind.Classes) return stored;
            foreach (var (id, count) in Mechanisms.SelectMany(mechanism => mechanism.StoredByClass(Context))) stored[id] += count;
            return stored;
        }
    }

    /// <summary>The optimiser.</summary>
    public FlatOptimizer Optimizer { get; }

    /// <summary>Where learning stopped inside an experience; null between experiences.</summary>
    public LearningCursor? Cursor { get; internal set; }

    /// <summary>Indices of the experiences learnt to their end.</summary>
    public IReadOnlySet<int> Learnt => _learnt;

    /// <summary>
    /// Called after every step, on the thread that learns; it may wait there, to leave the processor to others. What it throws
    /// ends <see cref="Learn"/> as cancellation does.
    /// </summary>
    /// <value>Default none.</value>
    public Action? BetweenSteps { get; set; }

    /// <summary>Learns one experience. After cancellation or an exception, calling it again with the same experience goes on where it stopped.</summary>
    /// <param name="experience">What to learn.</param>
    /// <param name="progress">Told a few times a second.</param>
    /// <param name="cancellationToken">
    /// Stops after the step in progress; nothing learnt is lost. After the last step it is no longer asked: mechanisms take the experience
    /// in to the end, which may last as long as passes over it (importances, exemplars, a head or a correction trained on their own).
    /// </param>
    /// <exception cref="ArgumentException">
    /// The experience does not fit: learnt before, other input shape or targets, no task where tasks are needed. The
    /// learner stays as it was.
    /// </exception>
    /// <exception cref="InvalidOperationException">Another experience was interrupted and must be finished first.</exception>
    public LearningResult Learn(
        Experience experience, IProgress<LearningProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(experience);
        CheckLearns();
        Check(experience);
        using var random = new TorchRandom(_torchState);
        _learning = true;
        try
        {
            var result = _loop.Run(experience, progress, cancellationToken);
            _learnt.Add(experience.Index);
            return result;
        }
        finally
        {
            _meter.Pause();
            _torchState.Dispose();
            _torchState = TorchRandom.Now();
            _learning = false;
        }
    }

    /// <summary>Predicts labels of samples as stored (bytes or floats; scaling is the model's).</summary>
    /// <param name="inputs"><c>[batch, ...]</c>.</param>
    /// <param name="taskId">The task, needed in task-incremental learning.</param>
    /// <exception cref="InvalidOperationException">Nothing was learnt yet.</exception>
    /// <exception cref="ArgumentException">Wrong shape or type, NaN or infinite values, a task that is needed or unknown.</exception>
    public Prediction Predict(Tensor inputs, int? taskId = null)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        using var scope = NewDisposeScope();
        return new Prediction(Scores(inputs, taskId).MoveToOuterDisposeScope(), Context.Classes, Context.Targets.Kind);
    }

    /// <summary>Scores of samples, <c>[batch, classes]</c>: logits, or what a mechanism puts in their place.</summary>
    /// <param name="inputs"><c>[batch, ...]</c>, Byte or Float32 as was learnt.</param>
    /// <param name="taskId">The task, needed in task-incremental learning.</param>
    public Tensor Scores(Tensor inputs, int? taskId = null)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        CheckWhole();
        if (Context.Classes.Count == 0)
            throw new InvalidOperationException("predict: nothing was learnt yet, expected Learn to be called first");
        CheckInputs(inputs);
        if (Context.Options.Scenario == Scenario.TaskIncremental
            && (taskId is not { } task || Context.Classes.IdsOfTask(task).Length == 0))
            throw new ArgumentException(
                $"taskId: {taskId?.ToString() ?? "none"}, expected a task that was learnt", nameof(taskId));

        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var model = Context.Model;
        var training = model.training;
        if (training) model.eval();
        var (features, scores) = Forward(inputs, taskId);
        foreach (var mechanism in Mechanisms)
            if (mechanism.Seams.HasFlag(Seams.Prediction))
                scores = mechanism.Score(Context, features, scores) ?? scores;
        if (training) model.TrainMode(Context.Completed);
        return Context.Targets.Mask(scores, Context.Targets.TaskOf(inputs.size(0), taskId)).MoveToOuterDisposeScope();
    }

    // Inputs as stored; the caller has put the model into the mode it wants.
    internal (Tensor Features, Tensor Logits) Forward(Tensor inputs, int? taskId)
    {
        var special = Mechanisms.FirstOrDefault(mechanism => mechanism.Seams.HasFlag(Seams.Forward));
        special?.PrepareForward(Context, taskId);
        try
        {
            var features = Context.Model.Backbone.forward(Context.Model.Scaling.Apply(inputs));
            return (features, special is null ? Context.Model.Head.forward(features) : OfTask(features, taskId));
        }
        finally
        {
            special?.AfterForward(Context);
        }
    }

    // Where the forward pass depends on the task, only its rows are computed: a product over more rows may round differently,
    // and frozen tasks promise the same bits for ever.
    private Tensor OfTask(Tensor features, int? taskId)
    {
        if (Context.Options.Scenario != Scenario.TaskIncremental) return Context.Model.Head.forward(features);
        var rows = tensor(Context.Classes.IdsOfTask(taskId!.Value).Select(id => (long)id).ToArray());
        return full(features.size(0), Context.Classes.Count, Held(float.NegativeInfinity))
            .index_copy_(1, rows, Context.Model.Head.ForwardRows(features, rows));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var mechanism in Mechanisms) mechanism.Dispose();
        Release();
    }

    // All but the mechanisms, which are the caller's until there is a learner.
    private void Release()
    {
        Optimizer.Dispose();
        Best?.Dispose();
        Context.Targets.Release();
        _meter.Dispose();
        Context.Arena.Dispose();
        Context.Model.Dispose();
        _torchState.Dispose();
    }

    /// <summary>With early stopping: the best weights of the experience in progress.</summary>
    internal BestWeights? Best { get; }

    internal IReadOnlyList<long>? InputShape { get; set; }

    internal ScalarType? InputType { get; set; }

    internal bool IsFresh => !_learning && _learnt.Count == 0 && Cursor is null && Context.Classes.Count == 0;

    // Inside Learn torch's generator is this learner's and has moved on since it was lent.
    internal Tensor TorchState => _learning ? TorchRandom.Current() : _torchState.alias();

    internal LearnerState Capture()
    {
        CheckLearns();
        return new LearnerState(
            [.. _learnt.Order()], Context.Completed, Context.KnownBefore, Cursor, InputShape, InputType,
            Context.Targets.Kind, Cursor is null ? null : _meter.Now());
    }

    // Puts everything back that is no tensor of model, optimiser or mechanism; `tensors` puts those back in between.
    internal void Restore(LearnerState state, Tensor torchState, Action tensors)
    {
        _broken = "restoring it failed half-way";
        (Context.Completed, Context.KnownBefore) = (state.Completed, state.KnownBefore);
        (InputShape, InputType, Context.Targets.Kind) = (state.InputShape, state.InputType, state.TargetKind);
        using (new TorchRandom(torchState)) tensors();
        foreach (var index in state.Learnt) _learnt.Add(index);
        Cursor = state.Cursor;
        if (state.Tally is { } tally) _meter.Restore(tally);
        Context.Targets.RefreshMask();
        _torchState.Dispose();
        _torchState = torchState.clone().DetachFromDisposeScope();
        _broken = null;
    }

    /// <summary>Made from a bundle alone, without what only learning needs.</summary>
    internal bool OnlyPredicts { get; set; }

    private void CheckLearns()
    {
        CheckWhole();
        if (OnlyPredicts)
            throw new InvalidOperationException("learner: was loaded to predict, expected one restored with its options and mechanisms");
    }

    internal void CheckWhole()
    {
        if (_broken is not null)
            throw new InvalidOperationException($"learner: {_broken}, expected a new learner in its place");
    }

    private void Check(Experience experience)
    {
        if (Cursor is { } cursor && cursor.Experience != experience.Index)
            throw new InvalidOperationException(
                $"experience: {experience.Index}, expected {cursor.Experience}, which was interrupted and must be finished first");
        if (_learnt.Contains(experience.Index))
            throw new ArgumentException($"experience: index {experience.Index} was learnt before, expected a new index");
        var tasked = experience.Train.LabelTasks is not null;
        if (Context.Options.Scenario == Scenario.TaskIncremental && experience.TaskId is null && !tasked)
            throw new ArgumentException("experience: no task id, expected one in task-incremental learning");
        if (tasked && Mechanisms.FirstOrDefault(mechanism => mechanism.Seams.HasFlag(Seams.Forward)) is { } byTask)
            throw new ArgumentException($"experience: samples of several tasks, expected one task id by {byTask.Name}");
        SampleCheck.Throw("train", experience.Train);
        if (experience.Validation is { } validation) CheckValidation(experience, validation);
        else if (Best is not null)
            throw new ArgumentException("experience: no validation samples, expected some, which EarlyStopping needs");
        if (InputShape is { } shape) CheckSameKind(experience, shape);
        else TryForward(experience.Train);
        foreach (var mechanism in Mechanisms)
            if (mechanism.WhyNot(experience) is { } reason) throw new ArgumentException($"experience: {reason}");
    }

    private void CheckSameKind(Experience experience, IReadOnlyList<long> shape)
    {
        if (!experience.Train.InputShape.SequenceEqual(shape))
            throw new ArgumentException(
                $"experience: samples of shape [{string.Join(", ", experience.Train.InputShape)}], "
                + $"expected [{string.Join(", ", shape)}]");
        if (InputType is { } type && experience.Train.InputType != type)
            throw new ArgumentException($"experience: samples {experience.Train.InputType}, expected {type} as before");
        if (experience.Train.TargetKind != Context.Targets.Kind)
            throw new ArgumentException(
                $"experience: targets are {experience.Train.TargetKind}, expected {Context.Targets.Kind}");
    }

    private void CheckValidation(Experience experience, ISampleSource validation)
    {
        var train = experience.Train;
        SampleCheck.Throw("validation", validation);
        if (validation.LabelTasks is null != train.LabelTasks is null)
            throw new ArgumentException("validation: tells its tasks or training does, expected both or neither");
        if (!validation.InputShape.SequenceEqual(train.InputShape) || validation.InputType != train.InputType
            || validation.TargetKind != train.TargetKind)
            throw new ArgumentException($"validation: {Kind(validation)}, expected {Kind(train)} as in training");
        var unseen = Keys(experience, validation).Except(Keys(experience, train)).Where(key => Classes.IdOf(key.Label, key.Task) < 0);
        if (unseen.Select(key => key.Label).ToArray() is { Length: > 0 } labels)
            throw new ArgumentException($"validation: labels {string.Join(", ", labels)}, expected only those of training, now or before");
    }

    private static string Kind(ISampleSource source) =>
        $"{source.TargetKind} of {source.InputType} [{string.Join(", ", source.InputShape)}]";

    private IEnumerable<ClassKey> Keys(Experience experience, ISampleSource source) => source.Labels.Select(
        (label, code) => new ClassKey(label, Context.Targets.TaskKey(source.LabelTasks?[code] ?? experience.TaskId)));

    // One sample through the backbone tells, before anything has changed, whether model and data fit together.
    private void TryForward(ISampleSource train)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var backbone = Context.Model.Backbone;
        string found;
        try
        {
            backbone.eval();
            var features = backbone.forward(Context.Model.Scaling.Apply(train.Gather([0]).Inputs));
            if (features.dim() == 2 && features.size(1) == backbone.FeatureCount) return;
            found = $"backbone gives [{string.Join(", ", features.shape)}]";
        }
        catch (System.Runtime.InteropServices.ExternalException problem)
        {
            found = problem.Message.Split('\n')[0];
        }
        throw new ArgumentException(
            $"experience: samples of shape [{string.Join(", ", train.InputShape)}] do not fit the model ({found}), "
            + $"expected [batch, {backbone.FeatureCount}] features from {backbone.Architecture}");
    }

    private void CheckInputs(Tensor inputs)
    {
        if (inputs.dtype is not (ScalarType.Byte or ScalarType.Float32))
            throw new ArgumentException($"inputs: {inputs.dtype}, expected Byte or Float32", nameof(inputs));
        if (InputType is { } type && inputs.dtype != type)
            throw new ArgumentException($"inputs: {inputs.dtype}, expected {type} as was learnt", nameof(inputs));
        if (InputShape is { } shape && !inputs.shape[1..].SequenceEqual(shape))
            throw new ArgumentException(
                $"inputs: [{string.Join(", ", inputs.shape)}], expected [batch, {string.Join(", ", shape)}]", nameof(inputs));
        if (inputs.dtype == ScalarType.Byte) return;
        using var scope = NewDisposeScope();
        if (!inputs.isfinite().all().item<bool>())
            throw new ArgumentException("inputs: NaN or infinite values, expected finite numbers", nameof(inputs));
    }
}
