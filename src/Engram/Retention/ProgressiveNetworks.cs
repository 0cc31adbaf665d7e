using System.Text.Json.Nodes;
using Engram.Learning;
using Engram.Models;
using Engram.Persistence;

namespace Engram.Retention;

/// <summary>
/// Progressive networks: every task gets a column of its own that reads the older columns, which are frozen; nothing is
/// forgotten, bit by bit. Rusu et al. 2016, "Progressive Neural Networks", section 2. Needs a <see cref="ProgressiveMlp"/>.
/// </summary>
/// <remarks>The model grows with every task. A task that comes back trains its outputs only: its column is frozen.</remarks>
public sealed class ProgressiveNetworks : RetentionMechanism
{
    private readonly FrozenPlaces _frozen = new();
    private readonly Dictionary<int, int> _columnOf = [];
    private ProgressiveMlp _backbone = null!;

    /// <summary>The column of each task.</summary>
    internal IReadOnlyDictionary<int, int> ColumnOf => _columnOf;

    /// <inheritdoc/>
    public override string Name => "progressive";

    /// <inheritdoc/>
    public override Seams Seams => Seams.Forward | Seams.Projection | Seams.Parameters;

    /// <summary>Bytes of the columns beyond the first, and of the frozen outputs.</summary>
    public override long MemoryBytes => _frozen.Bytes + _backbone.named_parameters()
        .Where(p => !p.name.StartsWith("column0.", StringComparison.Ordinal)).Sum(p => 4 * p.parameter.numel());

    /// <inheritdoc/>
    protected internal override string? WhyNot(LearnerOptions options) =>
        options?.Scenario == Scenario.TaskIncremental ? null : $"needs the task at test time, expected {Scenario.TaskIncremental}";

    /// <inheritdoc/>
    protected internal override void Attach(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        _backbone = context.Model.Backbone as ProgressiveMlp
            ?? throw new ArgumentException(
                $"model: {context.Model.Backbone.Architecture} has no columns, expected a ProgressiveMlp for progressive");
    }

    /// <inheritdoc/>
    protected internal override void BeforeGrowth(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var task = context.Experience.TaskId!.Value;
        if (_columnOf.ContainsKey(task)) return;
        if (_columnOf.Count > 0)
        {
            _backbone.AddColumn();
            context.StructureChanged = true;
        }
        _columnOf[task] = _backbone.ColumnCount - 1;
    }

    /// <inheritdoc/>
    protected internal override void BeginExperience(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        using var scope = NewDisposeScope();
        var mask = FrozenPlaces.ForeignRows(context);
        var newest = _columnOf[context.Experience.TaskId!.Value] == _backbone.ColumnCount - 1;
        if (!newest || context.Completed >= _backbone.ColumnCount)
            foreach (var slot in context.Arena.Slots.Where(slot => !FrozenPlaces.IsHead(slot))) slot.Of(mask).fill_(Held(true));
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
    }

    /// <inheritdoc/>
    protected internal override void EndExperience(LearningContext context) => _frozen.Dispose();

    /// <inheritdoc/>
    protected internal override void PrepareForward(LearningContext context, int? taskId) =>
        _backbone.Active = _columnOf[taskId!.Value];

    /// <inheritdoc/>
    protected internal override void Save(MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        _frozen.Save(state);
        state.Values["columns"] = _backbone.ColumnCount;
        state.Values["tasks"] = new JsonObject(_columnOf.Select(p => KeyValuePair.Create($"{p.Key}", (JsonNode?)p.Value)));
    }

    /// <inheritdoc/>
    protected internal override void Restructure(LearningContext context, MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var columns = state.Values.Value<int>("columns");
        while (_backbone.ColumnCount < columns)
        {
            _backbone.AddColumn();
            if (_backbone.parameters().Sum(parameter => parameter.numel()) > state.ModelNumbers)
                throw new FormatException($"columns: {columns}, expected no more than the saved model has");
        }
    }

    /// <inheritdoc/>
    protected internal override void Load(LearningContext context, MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(state);
        _frozen.Load(state, context.Arena);
        _columnOf.Clear();
        foreach (var (task, column) in state.Values.Fields("tasks"))
            _columnOf[int.Parse(task, System.Globalization.CultureInfo.InvariantCulture)] = (int?)column is { } own && own >= 0 && own < _backbone.ColumnCount
                ? own
                : throw new FormatException($"tasks: column {column} of task {task}, expected 0 to {_backbone.ColumnCount - 1}");
        if (context.Classes.Classes.Any(known => known.Task is { } task && !_columnOf.ContainsKey(task)))
            throw new FormatException($"tasks: {string.Join(", ", _columnOf.Keys)}, expected a column for each task learnt");
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _frozen.Dispose();
}
