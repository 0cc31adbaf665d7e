using Engram.Data;
using Engram.Learning;
using Engram.Models;

namespace Engram.Retention;

/// <summary>How <see cref="ContextDependentGating"/> gates.</summary>
public sealed record XdgOptions
{
    /// <summary>X: the share of units in each hidden layer that is silent in a task.</summary>
    /// <value>Default 0.8, as in the paper's permuted MNIST; 0 to below 1.</value>
    public double GatedFraction { get; init; } = 0.8;
}

/// <summary>
/// Context-dependent gating (XdG): each task uses its own random, mostly distinct part of the hidden units, so that tasks
/// hardly meet. Masse, Grant and Freedman 2018, "Alleviating catastrophic forgetting using context-dependent gating and
/// synaptic stabilization": the activity of X % of the hidden units is multiplied by 0, chosen at random per task.
/// </summary>
/// <remarks>
/// The paper combines it with EWC or SI, as here. Gates are a function of seed and task, so nothing has to be saved. Every
/// gated layer silences exactly round(X·width) units.
/// </remarks>
public sealed class ContextDependentGating : RetentionMechanism
{
    private readonly XdgOptions _options;
    private readonly Dictionary<int, Tensor[]> _gates = [];
    private IGatedBackbone _backbone = null!;

    /// <summary>Creates it.</summary>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public ContextDependentGating(XdgOptions? options = null)
    {
        _options = options ?? new XdgOptions();
        if (_options.GatedFraction is not (>= 0 and < 1))
            throw new ArgumentException($"GatedFraction: {_options.GatedFraction}, expected 0 to below 1");
    }

    /// <inheritdoc/>
    public override string Name => "xdg";

    /// <inheritdoc/>
    protected internal override object? Recipe => _options;

    /// <inheritdoc/>
    public override Seams Seams => Seams.Forward;

    /// <inheritdoc/>
    public override long MemoryBytes => _gates.Values.Sum(gates => gates.Sum(gate => 4 * gate.numel()));

    /// <inheritdoc/>
    protected internal override string? WhyNot(LearnerOptions options) =>
        options?.Scenario == Scenario.TaskIncremental ? null : $"needs the task at test time, expected {Scenario.TaskIncremental}";

    /// <inheritdoc/>
    protected internal override void Attach(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        _backbone = context.Model.Backbone as IGatedBackbone
            ?? throw new ArgumentException($"model: {context.Model.Backbone.Architecture} has no gates, expected an Mlp for xdg");
    }

    /// <inheritdoc/>
    protected internal override void PrepareForward(LearningContext context, int? taskId)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (!_gates.TryGetValue(taskId!.Value, out var gates))
            _gates[taskId.Value] = gates = [.. _backbone.GateWidths.Select((width, layer) => Gate(context.Options.Seed, taskId.Value, layer, width))];
        _backbone.Gates = gates;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        foreach (var gate in _gates.Values.SelectMany(gates => gates)) gate.Dispose();
    }

    private Tensor Gate(long seed, int task, int layer, int width)
    {
        var silent = (int)Math.Round(width * _options.GatedFraction);
        var gate = Enumerable.Repeat(1f, width).ToArray();
        foreach (var unit in new SeededRandom(seed, $"xdg/{task}/{layer}").Permutation(width).AsSpan(0, Math.Min(silent, width - 1)))
            gate[unit] = 0;
        return tensor(gate).DetachFromDisposeScope();
    }
}
