using Engram.Data;
using Engram.Models;

namespace Engram.Learning;

/// <summary>The three scenarios of van de Ven, Tuytelaars and Tolias 2022, "Three types of incremental learning".</summary>
public enum Scenario
{
    /// <summary>Classes come one after another; at test time all known classes are candidates.</summary>
    ClassIncremental,

    /// <summary>The task is given at test time; each task has outputs of its own.</summary>
    TaskIncremental,

    /// <summary>
    /// The same outputs in every experience; only the inputs change. It is the stream that keeps to it: a label that comes later after
    /// all gets an output as in class-incremental learning.
    /// </summary>
    DomainIncremental,
}

/// <summary>How a learner trains.</summary>
public sealed record LearnerOptions
{
    /// <summary>What is known at test time.</summary>
    /// <value>Default <see cref="Scenario.ClassIncremental"/>.</value>
    public Scenario Scenario { get; init; }

    /// <summary>
    /// Labels that get their outputs before the first step, in this order, as protocols that train all outputs from the
    /// start ask for. Labels not named here still get theirs when they come.
    /// </summary>
    /// <value>Default none: outputs come with their classes. Not for task-incremental learning, whose masks do the same.</value>
    public IReadOnlyList<Label> InitialLabels { get; init; } = [];

    /// <summary>Passes over each experience.</summary>
    /// <value>Default 1.</value>
    public int Epochs { get; init; } = 1;

    /// <summary>Steps per experience, instead of epochs, as some published protocols count.</summary>
    /// <value>Default none.</value>
    public int? Iterations { get; init; }

    /// <summary>New samples per step.</summary>
    /// <value>Default 64.</value>
    public int BatchSize { get; init; } = 64;

    /// <summary>Whether a last batch smaller than <see cref="BatchSize"/> is left out (unless it is the only one).</summary>
    /// <value>Default false.</value>
    public bool DropLast { get; init; }

    /// <summary>The optimiser.</summary>
    /// <value>Default Adam at 1e-3.</value>
    public OptimizerOptions Optimizer { get; init; } = new AdamOptions();

    /// <summary>How the step size goes over each experience.</summary>
    /// <value>Default none: constant.</value>
    public LearningRateSchedule? Schedule { get; init; }

    /// <summary>Whether the optimiser forgets its moments at the start of every experience.</summary>
    /// <value>Default false.</value>
    public bool ResetOptimizer { get; init; }

    /// <summary>Whether to end an experience when its validation loss stops falling.</summary>
    /// <value>Default none: all epochs.</value>
    public EarlyStopping? EarlyStopping { get; init; }

    /// <summary>Greatest norm of the gradient; larger ones are scaled down.</summary>
    /// <value>Default none.</value>
    public double? ClipNorm { get; init; }

    /// <summary>What the backbone computes its products in, in training and prediction.</summary>
    /// <value>Default <see cref="Precision.Float32"/>. The other is for backbones that are <see cref="IMixedPrecision"/>.</value>
    public Precision Precision { get; init; }

    /// <summary>Seed of weights, order and every other choice.</summary>
    /// <value>Default 0.</value>
    public long Seed { get; init; }

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentException">Names the option, its value and what was expected.</exception>
    public void Validate()
    {
        AtLeastOne(nameof(Epochs), Epochs);
        AtLeastOne(nameof(Iterations), Iterations ?? 1);
        AtLeastOne(nameof(BatchSize), BatchSize);
        CheckInitialLabels();
        ArgumentNullException.ThrowIfNull(Optimizer);
        Optimizer.Validate();
        Schedule?.Validate();
        EarlyStopping?.Validate();
        if (!Enum.IsDefined(Precision)) throw new ArgumentException($"Precision: {Precision}, expected Float32 or MixedBFloat16");
        if (Seed < 0) throw new ArgumentException($"Seed: {Seed}, expected 0 or more");
        if (ClipNorm is { } norm && !(norm > 0)) throw new ArgumentException($"ClipNorm: {norm}, expected a positive number");
    }

    private void CheckInitialLabels()
    {
        ArgumentNullException.ThrowIfNull(InitialLabels);
        if (InitialLabels.Distinct().Count() != InitialLabels.Count)
            throw new ArgumentException($"InitialLabels: {string.Join(", ", InitialLabels)}, expected distinct labels");
        if (InitialLabels.Count > 0 && Scenario == Scenario.TaskIncremental)
            throw new ArgumentException(
                $"InitialLabels: {InitialLabels.Count} labels, expected none in task-incremental learning");
    }

    private static void AtLeastOne(string name, int value)
    {
        if (value < 1) throw new ArgumentException($"{name}: {value}, expected 1 or more");
    }
}
