using System.Globalization;
using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;

namespace Engram.Evaluation;

/// <summary>
/// The first experiment: MNIST's digits 0 to 4, then 5 to 7, then 8 and 9, each phase trained on its new digits only.
/// </summary>
/// <remarks>Model <see cref="DigitsCnn"/> with a linear head of 5 that grows by 3 and by 2; Adam 1e-3, batches of 64.</remarks>
public sealed class DigitsExperiment
{
    private static readonly Label[][] s_groups = [Label.Numbers(0, 5), Label.Numbers(5, 3), Label.Numbers(8, 2)];

    private readonly IReadOnlyList<Strategy> _strategies;
    private readonly TimeProvider _clock;

    /// <summary>Prepares a run; loads nothing.</summary>
    /// <param name="options">Settings; null for the defaults.</param>
    /// <param name="clock">For timings; null for the system's.</param>
    /// <exception cref="ArgumentException">A setting is out of range.</exception>
    public DigitsExperiment(DigitsOptions? options = null, TimeProvider? clock = null)
    {
        Options = options ?? new DigitsOptions();
        _strategies = Options.Validate();
        _clock = clock ?? TimeProvider.System;
    }

    /// <summary>The settings.</summary>
    public DigitsOptions Options { get; }

    /// <summary>What runs, and what is told of it.</summary>
    public ExperimentDescription Description => new()
    {
        Name = "digits",
        Strategies = _strategies,
        Model = Model,
        Training = Training,
        Budget = new StrategyBudget(Options.Capacity),
        Settings = Settings,
        Meaning = (groups, finished) => DigitsMeaning.Of(groups, finished, Options),
    };

    /// <summary>How every strategy trains.</summary>
    public LearnerOptions Training => new() { Epochs = Options.Epochs, Seed = Options.Seed };

    /// <summary>The settings as a reader wants them: name and value.</summary>
    public IReadOnlyDictionary<string, string> Settings => new Dictionary<string, string>
    {
        ["strategies"] = string.Join(", ", Options.Strategies),
        ["epochs"] = Number(Options.Epochs),
        ["seed"] = Number(Options.Seed),
        ["data"] = Options.Quick
            ? $"MNIST, {Number(Options.QuickTrain)} training and {Number(Options.QuickTest)} test images of each digit"
            : "MNIST, 60,000 training and 10,000 test images",
        ["phases"] = string.Join(", then ", s_groups.Select(ExperienceStream.NameOf)),
        ["model"] = "two convolutions (32, 64), 9216 to 128 features, a linear head that grows 5, 8, 10",
        ["optimiser"] = $"Adam, learning rate {Training.Optimizer.LearningRate.ToString(CultureInfo.InvariantCulture)}",
        ["batch size"] = Number(Training.BatchSize),
        ["samples a memory may keep"] = Number(Options.Capacity),
    };

    /// <summary>The phases as they are learnt and tested.</summary>
    /// <param name="data">The digits.</param>
    public ExperienceStream Stream(Mnist data)
    {
        ArgumentNullException.ThrowIfNull(data);
        return Options.Quick
            ? ExperienceStream.ClassIncremental(
                SubsetSource.Balanced(data.Train, Options.QuickTrain), data.Test.Balanced(Options.QuickTest), s_groups)
            : ExperienceStream.ClassIncremental(data.Train, data.Test, s_groups);
    }

    /// <summary>Runs all strategies.</summary>
    /// <param name="data">The digits.</param>
    /// <param name="command">The command that reproduces this run, for the record.</param>
    /// <param name="progress">Told on the calling thread, several times a second.</param>
    /// <param name="learnt">Receives each strategy's result and learner when it has ended; the learner is disposed after.</param>
    /// <param name="checkpoints">Where the run keeps its place, and goes on from; null for nowhere.</param>
    /// <param name="cancellationToken">Stops after the step in progress.</param>
    /// <returns>Everything measured; after a cancellation, that of the strategies that came to their end.</returns>
    public RunResults Run(
        Mnist data, string command, IProgress<ExperimentProgress>? progress = null,
        Action<StrategyResult, Learner>? learnt = null, ExperimentCheckpoints? checkpoints = null,
        CancellationToken cancellationToken = default)
    {
        return Description.Run(Stream(data), command, progress, learnt, checkpoints, _clock, cancellationToken);
    }

    private static ContinualModel Model(Strategy strategy)
    {
        var backbone = strategy.Backbone?.Invoke(28 * 28) ?? new DigitsCnn();
        return new ContinualModel(backbone, strategy.Head?.Invoke(backbone.FeatureCount));
    }

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
