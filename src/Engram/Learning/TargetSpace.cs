using Engram.Data;

namespace Engram.Learning;

/// <summary>Translates label codes into class ids, limits outputs to what a scenario allows, and computes losses.</summary>
public sealed class TargetSpace
{
    private readonly LearningContext _context;
    private Tensor? _idOfCode;
    private Tensor? _taskOfClass;
    private int _masked;

    internal TargetSpace(LearningContext context) => _context = context;

    /// <summary>What the targets are; fixed by the first experience.</summary>
    public TargetKind Kind { get; internal set; }

    /// <summary>Makes a batch ready for the model: inputs scaled, targets as class ids.</summary>
    /// <param name="batch">From <see cref="LearningContext.Source"/>.</param>
    public BatchPart Prepare(Batch batch) => Prepare(batch, _idOfCode!);

    internal BatchPart Prepare(Batch batch, Tensor idsOfCodes)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var targets = Kind == TargetKind.Classes
            ? idsOfCodes.index_select(0, batch.Targets)
            : Widen(batch.Targets, idsOfCodes);
        return Part(batch.Inputs, targets, TasksOf(targets));
    }

    /// <summary>Samples kept by a mechanism, ready for the model.</summary>
    /// <param name="raw">As stored, <c>[n, ...]</c>.</param>
    /// <param name="targets">Class ids or values, as in <see cref="BatchPart.Targets"/>.</param>
    /// <param name="tasks">Task of each sample, in task-incremental learning.</param>
    public BatchPart Part(Tensor raw, Tensor targets, Tensor? tasks) =>
        new() { Raw = raw, Inputs = _context.Model.Scaling.Apply(raw), Targets = Padded(targets), Tasks = tasks };

    /// <summary>Logits with the outputs that do not belong to each sample's task put out of the running.</summary>
    /// <param name="logits"><c>[n, classes]</c>.</param>
    /// <param name="tasks">Task of each sample; null leaves all outputs in.</param>
    public Tensor Mask(Tensor logits, Tensor? tasks)
    {
        ArgumentNullException.ThrowIfNull(logits);
        return tasks is null || _taskOfClass is null || Kind != TargetKind.Classes
            ? logits
            : logits.masked_fill(tasks.unsqueeze(1).ne(_taskOfClass), Held(float.NegativeInfinity)); // [n, classes]
    }

    /// <summary>The loss of each sample under the scenario, float32 <c>[n]</c>.</summary>
    /// <param name="logits"><c>[n, classes]</c>.</param>
    /// <param name="targets">As in <see cref="BatchPart.Targets"/>.</param>
    /// <param name="tasks">Task of each sample, in task-incremental learning.</param>
    /// <remarks>Cross-entropy for classes, mean binary cross-entropy for labels, mean squared error for values.</remarks>
    public Tensor LossPerSample(Tensor logits, Tensor targets, Tensor? tasks)
    {
        ArgumentNullException.ThrowIfNull(logits);
        ArgumentNullException.ThrowIfNull(targets);
        if (Kind == TargetKind.Classes)
            return nn.functional.cross_entropy(Mask(logits, tasks), targets, reduction: nn.Reduction.None);
        var known = targets.isnan().logical_not_();
        var filled = targets.nan_to_num(0);
        var each = Kind == TargetKind.MultiLabel
            ? nn.functional.binary_cross_entropy_with_logits(logits, filled, reduction: nn.Reduction.None)
            : nn.functional.mse_loss(logits, filled, nn.Reduction.None);
        return each.mul(known).sum(1).div(known.sum(1).clamp_min(Held(1)));
    }

    /// <summary>The mean loss of one part.</summary>
    /// <param name="logits">Its logits.</param>
    /// <param name="part">Its targets and tasks.</param>
    public Tensor Loss(Tensor logits, BatchPart part)
    {
        ArgumentNullException.ThrowIfNull(part);
        return Kind == TargetKind.Classes
            ? nn.functional.cross_entropy(Mask(logits, part.Tasks), part.Targets)
            : LossPerSample(logits, part.Targets, part.Tasks).mean();
    }

    internal Tensor? TaskOf(long count, int? task) =>
        _context.Options.Scenario == Scenario.TaskIncremental ? full(count, Held(task!.Value), ScalarType.Int64) : null;

    /// <summary>Rebuilds the tables for the source and experience of the context.</summary>
    internal void Refresh()
    {
        using var scope = NewDisposeScope();
        _idOfCode?.Dispose();
        _idOfCode = IdsOfCodes(_context.Source).DetachFromDisposeScope();
        RefreshMask();
    }

    /// <summary>The class id of each of a source's label codes, int64 <c>[labels]</c>.</summary>
    internal Tensor IdsOfCodes(ISampleSource source) =>
        tensor(source.Labels.Select((label, code) => (long)IdAnywhere(label, TaskKey(source, code))).ToArray());

    /// <summary>The class id of a source's label code, or −1.</summary>
    internal int IdOf(ISampleSource source, int code) => _context.Classes.IdOf(source.Labels[code], TaskKey(source, code));

    /// <summary>Rebuilds the mask of tasks from the registered classes, when one was registered.</summary>
    internal void RefreshMask()
    {
        // Streams of thousands of tiny experiences seldom bring a class: the mask is built when one came.
        var classes = _context.Classes;
        if (_context.Options.Scenario != Scenario.TaskIncremental || _masked == classes.Count) return;
        using var scope = NewDisposeScope();
        // One number per class: a table of tasks and classes would be as large as the largest task that a file names.
        _taskOfClass?.Dispose();
        _taskOfClass = tensor(classes.Classes.Select(key => key.Task ?? -1L).ToArray()).DetachFromDisposeScope();
        _masked = classes.Count;
    }

    /// <summary>Lets the tables go, with the learner.</summary>
    internal void Release()
    {
        _idOfCode?.Dispose();
        _taskOfClass?.Dispose();
    }

    /// <summary>The task that a label belongs to: its own, or else that of the experience.</summary>
    internal int? TaskKey(ISampleSource source, int code) => TaskKey(source.LabelTasks?[code] ?? _context.Experience.TaskId);

    internal int? TaskKey(int? taskId) => _context.Options.Scenario == Scenario.TaskIncremental ? taskId : null;

    // A class belongs to one task, so its id tells the task of a sample; of values it is that of the first known output.
    private Tensor? TasksOf(Tensor targets) => _context.Options.Scenario != Scenario.TaskIncremental
        ? null
        : _taskOfClass!.index_select(0, targets.dim() == 1 ? targets : targets.isnan().logical_not_().to(ScalarType.Int64).argmax(1));

    private int IdAnywhere(Label label, int? task)
    {
        var id = _context.Classes.IdOf(label, task);
        return id >= 0
            ? id
            : throw new InvalidOperationException($"label {label}: not registered for task {task?.ToString() ?? "none"}");
    }

    // Samples kept before an output came: it is unknown for them.
    private Tensor Padded(Tensor targets) =>
        targets is null || targets.dim() < 2 || targets.size(1) >= _context.Classes.Count
            ? targets!
            : cat([targets, full(targets.size(0), _context.Classes.Count - targets.size(1), Held(float.NaN))], 1);

    // Columns of the source go to the outputs of their labels; the other outputs are unknown.
    private Tensor Widen(Tensor values, Tensor idsOfCodes)
    {
        var wide = full(values.size(0), _context.Classes.Count, Held(float.NaN));
        return wide.index_copy_(1, idsOfCodes, values);
    }
}
