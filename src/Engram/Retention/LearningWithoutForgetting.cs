using Engram.Data;
using Engram.Learning;
using Engram.Models;

namespace Engram.Retention;

/// <summary>How <see cref="LearningWithoutForgetting"/> weighs the teacher.</summary>
public sealed record LwfOptions
{
    /// <summary>T: temperature of the softened probabilities.</summary>
    /// <value>Default 2, as in the paper; a positive number.</value>
    public double Temperature { get; init; } = 2;

    /// <summary>λ_o: how much the teacher's answers count.</summary>
    /// <value>Default 1, as in the paper; 0 or more.</value>
    public double Lambda { get; init; } = 1;

    /// <summary>How λ_o grows with the number n of experiences learnt: λ_o·n^growth. 1 lets it grow in proportion.</summary>
    /// <value>Default 0: constant.</value>
    public double Growth { get; init; }

    /// <summary>How the two losses are weighed over experiences.</summary>
    /// <value>Default <see cref="DistillationWeighting.Sum"/>, as in the paper.</value>
    public DistillationWeighting Weighting { get; init; }

    /// <summary>
    /// Whether, in class-incremental learning, new classes take part in the softened softmax with target 0 (as in
    /// van de Ven's code), so that old samples are also pushed away from them.
    /// </summary>
    /// <value>Default false: old classes only, as in the paper.</value>
    public bool IncludeNewClasses { get; init; }

    /// <summary>Whether L_old is multiplied by T², which keeps its gradient's size independent of T (Hinton et al. 2015).</summary>
    /// <value>Default false, as in the paper and in van de Ven's code.</value>
    public bool ScaleBySquaredTemperature { get; init; }
}

/// <summary>
/// Learning without forgetting: on the new samples, the model must go on saying of old classes what it said before.
/// Li and Hoiem 2017, "Learning without Forgetting", figure 3: λ_o L_old + L_new with
/// L_old = −Σ_i y'_o^(i) log ŷ'_o^(i) (equation 3) and y' ∝ y^(1/T) (equation 4), which is softmax(logits / T).
/// </summary>
/// <remarks>
/// In task-incremental learning each old task's outputs are softened on their own, and the losses summed over tasks
/// (<see cref="DistillationWeighting.ByExperience"/>: averaged, as in van de Ven's code). Replayed samples are distilled
/// like new ones. Multi-label targets use binary cross-entropy, values squared error. Deviations: no warm-up phase that
/// trains the new outputs alone.
/// </remarks>
public sealed class LearningWithoutForgetting : RetentionMechanism
{
    private readonly LwfOptions _options;
    private readonly FrozenModel _teacher = new();
    private Tensor? _soft;
    private List<BatchPart> _parts = [];
    private (int Experience, long[][] Ids) _tasks = (-1, []);

    /// <summary>Creates it.</summary>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public LearningWithoutForgetting(LwfOptions? options = null)
    {
        _options = options ?? new LwfOptions();
        if (!(_options.Temperature > 0 && double.IsFinite(_options.Temperature)))
            throw new ArgumentException($"Temperature: {_options.Temperature}, expected a positive number");
        WeightPenalty.CheckGrowth(_options.Growth);
        if (!(_options.Lambda >= 0 && double.IsFinite(_options.Lambda)))
            throw new ArgumentException($"Lambda: {_options.Lambda}, expected 0 or more");
    }

    /// <inheritdoc/>
    public override string Name => "lwf";

    /// <inheritdoc/>
    protected internal override object? Recipe => _options;

    /// <inheritdoc/>
    public override Seams Seams => Seams.ExtraLoss;

    /// <inheritdoc/>
    public override long MemoryBytes => _teacher.Bytes;

    /// <inheritdoc/>
    protected internal override string? WhyNot(LearnerOptions options) => options switch
    {
        _ when _options.Weighting != DistillationWeighting.ByClasses => null,
        { Scenario: Scenario.DomainIncremental } => "weighs by new classes, of which there are none here, expected Sum or ByExperience",
        { InitialLabels.Count: > 0 } => ExemplarMechanism.OutputsTellNewFromOld,
        _ => null,
    };

    /// <inheritdoc/>
    protected internal override void BeforeGrowth(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Completed > 0) _teacher.Capture(context);
    }

    /// <inheritdoc/>
    protected internal override void OnGrowth(LearningContext context, ArenaChange change) => _teacher.Carry(change);

    /// <inheritdoc/>
    protected internal override void BeforeForward(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        _soft = null;
        if (!_teacher.Exists) return;
        _parts = [.. step.Parts.Where(part => part.Weight != 0)];
        _soft = Distillation.Rows(_teacher.Answers(step), _parts, step);
        Distillation.ScaleLabels(step, Distillation.Weights(_options.Weighting, step.Context, _teacher.Classes).New);
    }

    /// <inheritdoc/>
    protected internal override Tensor? ExtraLoss(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        if (_soft is null) return null;
        var weight = WeightPenalty.Grown(_options.Lambda, _options.Growth, step) * Distillation.Weights(_options.Weighting, step.Context, _teacher.Classes).Old;
        if (_options.ScaleBySquaredTemperature) weight *= _options.Temperature * _options.Temperature;
        return Loss(step.Context, Distillation.Rows(step.Logits, _parts, step), _soft, weight);
    }

    /// <inheritdoc/>
    protected internal override void EndExperience(LearningContext context) => _teacher.Dispose();

    /// <inheritdoc/>
    protected internal override void Save(MechanismState state) => _teacher.Save(state);

    /// <inheritdoc/>
    protected internal override void Load(LearningContext context, MechanismState state) => _teacher.Load(state);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _teacher.Dispose();

    // L_old, the weighted mean over samples; student [n, classes], teacher [n, old].
    private Tensor Loss(LearningContext context, Tensor student, Tensor teacher, double weight)
    {
        var old = student.narrow(1, 0, teacher.size(1));
        if (context.Targets.Kind != TargetKind.Classes)
            return Distillation.Elementwise(old, teacher, _options.Temperature, context.Targets.Kind).mean().mul(Held(weight));
        if (context.Options.Scenario != Scenario.TaskIncremental)
            return Distillation.SoftCrossEntropy(_options.IncludeNewClasses ? student : old, teacher, _options.Temperature, weight);
        var tasks = OldTasks(context);
        if (_options.Weighting == DistillationWeighting.ByExperience) weight /= tasks.Length;
        Tensor? total = null;
        foreach (var ids in tasks)
        {
            var columns = tensor(ids);
            var task = Distillation.SoftCrossEntropy(
                old.index_select(1, columns), teacher.index_select(1, columns), _options.Temperature, weight);
            total = total is null ? task : total.add(task, alpha: Held(1));
        }
        return total!;
    }

    private long[][] OldTasks(LearningContext context)
    {
        if (_tasks.Experience != context.Experience.Index)
            _tasks = (context.Experience.Index,
                [.. Enumerable.Range(0, _teacher.Classes).GroupBy(id => context.Classes.Classes[id].Task)
                    .Select(task => task.Select(id => (long)id).ToArray())]);
        return _tasks.Ids;
    }
}
