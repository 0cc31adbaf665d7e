using System.Text.Json.Nodes;
using Engram.Learning;
using Engram.Models;
using TorchSharp.Modules;
using Engram.Persistence;

namespace Engram.Retention;

/// <summary>How <see cref="PackNet"/> shares out the weights.</summary>
public sealed record PackNetOptions
{
    /// <summary>The share of each layer's free weights that is pruned after a task and left to the next ones.</summary>
    /// <value>Default 0.75; above 0 and below 1. The paper uses 0.5 and 0.75.</value>
    public double PruneFraction { get; init; } = 0.75;

    /// <summary>The share of the steps of an experience that re-train what is left after pruning.</summary>
    /// <value>Default 1/3 (the paper re-trains for half as many epochs as it trains); 0 to below 1.</value>
    public double RetrainFraction { get; init; } = 1.0 / 3;
}

/// <summary>
/// PackNet: each task prunes the weights it needs least and freezes the rest, so that later tasks grow in the gaps and old
/// predictions stay the same bit by bit. Mallya and Lazebnik 2018, "PackNet: Adding Multiple Tasks to a Single Network by
/// Iterative Pruning", section 3.
/// </summary>
/// <remarks>
/// Weights (parameters of two or more dimensions) are packed, layer by layer by magnitude; biases and batch normalisation
/// are frozen after the first task, as in the paper. Pruning happens inside the experience, so that one loop trains and
/// re-trains. Each task has its own outputs, which are frozen with it.
/// </remarks>
public sealed class PackNet : RetentionMechanism
{
    private readonly PackNetOptions _options;
    private readonly FrozenPlaces _frozen = new();
    private readonly Dictionary<int, int> _numberOf = [];
    private Tensor _owner = null!; // 0 free, else the number of the task that the weight belongs to
    private bool _pruned;
    private IDisposable? _loan;

    /// <summary>Creates it.</summary>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public PackNet(PackNetOptions? options = null)
    {
        _options = options ?? new PackNetOptions();
        if (_options.PruneFraction is not (> 0 and < 1))
            throw new ArgumentException($"PruneFraction: {_options.PruneFraction}, expected above 0 and below 1");
        if (_options.RetrainFraction is not (>= 0 and < 1))
            throw new ArgumentException($"RetrainFraction: {_options.RetrainFraction}, expected 0 to below 1");
    }

    /// <inheritdoc/>
    public override string Name => "packnet";

    /// <inheritdoc/>
    protected internal override object? Recipe => _options;

    /// <inheritdoc/>
    public override Seams Seams => Seams.Forward | Seams.Projection | Seams.Parameters;

    /// <inheritdoc/>
    public override long MemoryBytes => (4 * _owner.numel()) + _frozen.Bytes;

    /// <summary>The task number that owns each parameter, 0 where it is free, in the arena's layout.</summary>
    public Tensor Owner => _owner;

    /// <inheritdoc/>
    protected internal override string? WhyNot(LearnerOptions options) =>
        options?.Scenario == Scenario.TaskIncremental ? null : $"needs the task at test time, expected {Scenario.TaskIncremental}";

    /// <inheritdoc/>
    protected internal override void Attach(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Model.FreezeBatchNorm == Freeze.Never && context.Model.Backbone.modules().OfType<NormBase>().Any())
            throw new ArgumentException("model: FreezeBatchNorm is Never, expected AfterFirstExperience for packnet");
        _owner = zeros_like(context.Arena.Values).DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    protected internal override void OnGrowth(LearningContext context, ArenaChange change)
    {
        ArgumentNullException.ThrowIfNull(change);
        _owner = change.Carry(_owner);
    }

    /// <inheritdoc/>
    protected internal override void BeginExperience(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        _pruned = false;
        var mask = FrozenPlaces.ForeignRows(context);
        mask.logical_or_(_owner.gt(Held(0)));
        if (context.Completed > 0)
            foreach (var slot in context.Arena.Slots.Where(slot => !FrozenPlaces.IsHead(slot) && slot.Shape.Length < 2))
                slot.Of(mask).fill_(Held(true));
        _frozen.Set(mask, context.Arena);
    }

    /// <inheritdoc/>
    protected internal override void ProjectGradient(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        using var _ = no_grad();
        _frozen.MaskGradient(step.Context.Arena);
    }

    /// <inheritdoc/>
    protected internal override void AfterStep(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        _frozen.Restore(step.Context.Arena);
        if (!_pruned && step.Number + 1 >= step.Context.TotalSteps * (1 - _options.RetrainFraction)) Prune(step.Context);
    }

    /// <inheritdoc/>
    protected internal override void EndExperience(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        if (!_pruned) Prune(context);
        var number = _numberOf.Values.DefaultIfEmpty(0).Max() + 1;
        _numberOf[context.Experience.TaskId!.Value] = number;
        foreach (var slot in Packed(context))
            // What was not pruned is not frozen yet: it belongs to this task from now on.
            slot.Of(_owner).masked_fill_(slot.Of(_frozen.Mask!).logical_not(), Held(number));
        _frozen.Dispose();
    }

    /// <inheritdoc/>
    protected internal override void PrepareForward(LearningContext context, int? taskId)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Model.training || !_numberOf.TryGetValue(taskId!.Value, out var number)) return;
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var values = context.Arena.Values.clone();
        foreach (var slot in Packed(context))
        {
            var owner = slot.Of(_owner);
            slot.Of(values).masked_fill_(owner.eq(Held(0)).logical_or_(owner.gt(Held(number))), Held(0));
        }
        _loan = context.Arena.Borrow(values);
    }

    /// <inheritdoc/>
    protected internal override void AfterForward(LearningContext context)
    {
        _loan?.Dispose();
        _loan = null;
    }

    /// <inheritdoc/>
    protected internal override void Save(MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        state.Tensors["owner"] = _owner;
        _frozen.Save(state);
        state.Values["pruned"] = _pruned;
        state.Values["tasks"] = new JsonObject(_numberOf.Select(p => KeyValuePair.Create($"{p.Key}", (JsonNode?)p.Value)));
    }

    /// <inheritdoc/>
    protected internal override void Load(LearningContext context, MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(state);
        var owner = state.TakeSaved("owner");
        _owner.Dispose();
        _owner = owner;
        _frozen.Load(state, context.Arena);
        _pruned = state.Values.Value<bool>("pruned");
        _numberOf.Clear();
        foreach (var (task, number) in state.Values.Fields("tasks"))
            _numberOf[int.Parse(task, System.Globalization.CultureInfo.InvariantCulture)] = (int)number!;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _owner?.Dispose();
        _frozen.Dispose();
    }

    // The smallest free weights of each layer become zero and stay so until the next task.
    private void Prune(LearningContext context)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var mask = _frozen.Mask!.clone();
        foreach (var slot in Packed(context))
        {
            var free = slot.Of(_owner).eq(Held(0)).flatten().nonzero().squeeze(1);
            var pruned = (long)Math.Round(free.numel() * _options.PruneFraction);
            if (pruned == 0) continue;
            var values = slot.Of(context.Arena.Values).view(-1);
            var (_, smallest) = values.index_select(0, free).abs().topk((int)pruned, 0, largest: false);
            var places = free.index_select(0, smallest);
            values.index_fill_(0, places, Held(0));
            slot.Of(mask).view(-1).index_fill_(0, places, Held(true));
        }
        _frozen.Set(mask, context.Arena);
        _pruned = true;
    }

    private static IEnumerable<ParameterSlot> Packed(LearningContext context) =>
        context.Arena.Slots.Where(slot => !FrozenPlaces.IsHead(slot) && slot.Shape.Length >= 2);
}
