using Engram.Data;
using Engram.Learning;
using Engram.Memory;
using Engram.Models;
using Engram.Streams;

namespace Engram.Retention;

/// <summary>
/// iCaRL: keeps exemplars chosen by herding, distils the old model's sigmoid outputs, and classifies by the nearest mean
/// of exemplars. Rebuffi et al. 2017, "iCaRL: Incremental Classifier and Representation Learning", algorithms 1 to 5.
/// </summary>
/// <remarks>
/// Loss (algorithm 3), the mean over samples of the sum over classes, with g = sigmoid(logit), equation 1, and
/// q the old model's g: −Σ_new [δ log g + (1 − δ) log(1 − g)] − Σ_old [q log g + (1 − q) log(1 − g)].
/// Trained on new samples and exemplars together. Features are L2-normalised, and so are the class means (equation 2);
/// scores are minus the distance to each mean. A class that comes again learns from its labels and its exemplars are
/// chosen anew. Deviations: the head has a bias; q is computed in each step, which equals storing it first; the mean that
/// herding follows is not normalised, as in the authors' code.
/// </remarks>
public sealed class Icarl : RetentionMechanism
{
    private readonly ExemplarOptions _options;
    private readonly FrozenModel _teacher = new();
    private Tensor? _soft;
    private Tensor? _means;

    /// <summary>Creates it.</summary>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public Icarl(ExemplarOptions? options = null)
    {
        _options = options ?? new ExemplarOptions();
        _options.Validate();
    }

    /// <inheritdoc/>
    public override string Name => "icarl";

    /// <inheritdoc/>
    protected internal override object? Recipe => _options;

    /// <inheritdoc/>
    public override Seams Seams => Seams.TrainingData | Seams.Loss | Seams.Prediction;

    /// <inheritdoc/>
    public override long SamplesStored => Exemplars.Count;

    /// <inheritdoc/>
    protected internal override IEnumerable<(int ClassId, int Count)> StoredByClass(LearningContext context) => Exemplars.Classes;

    /// <inheritdoc/>
    public override long MemoryBytes => Exemplars.Bytes + _teacher.Bytes + (4 * (_means?.numel() ?? 0));

    /// <summary>The exemplars P.</summary>
    public ExemplarSet Exemplars { get; } = new();

    /// <inheritdoc/>
    protected internal override string? WhyNot(LearnerOptions options) => ExemplarMechanism.WhyNot(options);

    /// <inheritdoc/>
    protected internal override string? WhyNotBeside(RetentionMechanism other) => other switch
    {
        LearningWithoutForgetting => "distils sigmoid outputs itself, expected no lwf beside it",
        WeightAligning => "does not predict from the weights of the head, expected no wa beside it",
        _ => ExemplarMechanism.WhyNotBeside(other),
    };

    /// <inheritdoc/>
    protected internal override string? WhyNot(Experience experience) => Require.Classes(experience, Name);

    /// <inheritdoc/>
    protected internal override void BeforeGrowth(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Completed > 0) _teacher.Capture(context);
    }

    /// <inheritdoc/>
    protected internal override void OnGrowth(LearningContext context, ArenaChange change) => _teacher.Carry(change);

    /// <inheritdoc/>
    protected internal override ISampleSource ChooseTrainingData(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return Exemplars.Join(context.Experience.Train, context.Classes);
    }

    /// <inheritdoc/>
    protected internal override void BeforeForward(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        _soft = _teacher.Exists ? _teacher.Answers(step).sigmoid() : null;
    }

    /// <inheritdoc/>
    protected internal override Tensor? ReplaceLoss(TrainingStep step, BatchPart part)
    {
        ArgumentNullException.ThrowIfNull(step);
        ArgumentNullException.ThrowIfNull(part);
        var logits = TrainingStep.RowsOf(step.Logits, part);
        var targets = nn.functional.one_hot(part.Targets, logits.size(1)).to(ScalarType.Float32);
        if (_soft is not null)
        {
            var soft = TrainingStep.RowsOf(_soft, part);
            // A class that is taught now has labels to learn from; the other old ones are distilled.
            long[] old = [.. Enumerable.Range(0, _teacher.Classes).Except(step.Context.ClassIds).Select(id => (long)id)];
            if (old.Length > 0)
            {
                var columns = tensor(old);
                targets.index_copy_(1, columns, soft.index_select(1, columns));
            }
        }
        return nn.functional.binary_cross_entropy_with_logits(logits, targets, reduction: nn.Reduction.None).sum(1).mean();
    }

    /// <inheritdoc/>
    protected internal override void AfterStep(TrainingStep step) => Forget();

    /// <inheritdoc/>
    protected internal override void EndExperience(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        using var scope = NewDisposeScope();
        _teacher.Dispose();
        var share = _options.Share(context.Classes.Count);
        Exemplars.Update(share, ExemplarSet.Herd(context, share));
        Forget();
        _means = Means(context).DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    protected internal override Tensor? Score(LearningContext context, Tensor features, Tensor logits)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(features);
        ArgumentNullException.ThrowIfNull(logits);
        if (Exemplars.Count == 0) return null;
        _means ??= Means(context).DetachFromDisposeScope();
        // Both are unit vectors: ‖a − b‖² = 2 − 2 a·b.
        var cosine = nn.functional.normalize(features, dim: 1).mm(_means.t());
        var scores = full(logits.shape, Held(float.NegativeInfinity));
        var columns = tensor(Exemplars.Classes.Select(c => (long)c.ClassId).ToArray());
        return scores.index_copy_(1, columns, cosine.mul(Held(-2)).add_(Held(2), alpha: Held(1)).clamp_min_(Held(0)).sqrt_().neg_());
    }

    /// <inheritdoc/>
    protected internal override void Save(MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        _teacher.Save(state);
        Exemplars.Save(state, "exemplars");
        if (_means is not null) state.Tensors["means"] = _means;
    }

    /// <inheritdoc/>
    protected internal override void Load(LearningContext context, MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(state);
        _teacher.Load(state);
        Exemplars.Load(state, "exemplars", context.Classes.Count);
        Forget();
        _means = state.Take("means");
        if (_means is not null && !_means.shape.SequenceEqual([Exemplars.Classes.Count, context.Model.Backbone.FeatureCount]))
            throw new FormatException($"means: shape [{string.Join(", ", _means.shape)}], expected a row of {context.Model.Backbone.FeatureCount} for each of {Exemplars.Classes.Count} classes");
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _teacher.Dispose();
        Exemplars.Dispose();
        Forget();
    }

    // The means move with the features; they are computed when next asked for.
    private void Forget()
    {
        _means?.Dispose();
        _means = null;
    }

    // [classes with exemplars, features]; the model is in evaluation mode.
    private Tensor Means(LearningContext context)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var (means, start) = (new List<Tensor>(), 0);
        foreach (var (_, count) in Exemplars.Classes)
        {
            var features = context.Model.Backbone.forward(Exemplars.Read(context, start, count).Inputs);
            means.Add(nn.functional.normalize(features, dim: 1).mean([0]));
            start += count;
        }
        return nn.functional.normalize(stack(means), dim: 1).MoveToOuterDisposeScope();
    }
}
