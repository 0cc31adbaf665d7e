using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;

namespace Engram.Evaluation.Benchmarks;

/// <summary>
/// Split CIFAR-10 and CIFAR-100, class- and task-incremental, with the slim ResNet-18 that the online literature uses
/// (Lopez-Paz and Ranzato 2017; Buzzega et al. 2020, "Dark Experience").
/// </summary>
/// <remarks>
/// No number of a paper stands beside ours: augmentation and epochs differ from paper to paper. It is a protocol to compare the
/// library's methods under, fixed here.
/// </remarks>
public sealed class SplitCifar : Benchmark
{
    private readonly int _classes;
    private readonly int _contexts;

    /// <summary>Creates it.</summary>
    /// <param name="classes">10 or 100.</param>
    /// <param name="contexts">How many contexts share the classes.</param>
    public SplitCifar(int classes, int contexts) => (_classes, _contexts) = (classes, contexts);

    /// <inheritdoc/>
    public override string Name => $"split-cifar{_classes}";

    /// <inheritdoc/>
    public override string Title => $"Split CIFAR-{_classes}";

    /// <inheritdoc/>
    public override string Source => "protocol of this library, after Buzzega et al. 2020, \"Dark Experience for General Continual Learning\"";

    /// <inheritdoc/>
    public override string Protocol =>
        $"{_contexts} contexts of {_classes / _contexts} classes, dealt by seed; ResNet-18 with 20 filters; 10 epochs in batches of 32, without "
        + "augmentation; SGD at 0.03; memories of 1,000 samples; mean of the test accuracies on all contexts at the end";

    /// <inheritdoc/>
    public override string DataName => $"cifar-{_classes}";

    /// <inheritdoc/>
    public override IReadOnlyList<Scenario> Scenarios { get; } = [Scenario.TaskIncremental, Scenario.ClassIncremental];

    /// <inheritdoc/>
    public override int Capacity => 1000;

    /// <inheritdoc/>
    public override IReadOnlyList<BenchmarkMethod> Methods { get; } =
    [
        new("none", "None (naive)", _ => []),
        new("joint", "Joint", _ => []) { AtOnce = true, Scenarios = [Scenario.ClassIncremental] },
        .. new[] { "replay", "er-ace", "der++", "icarl" }.Select(name => BenchmarkMethod.Of(Strategies.Named(name), 1000)),
    ];

    /// <inheritdoc/>
    public override ExperienceStream Stream(TrainAndTest data, Scenario scenario, long seed)
    {
        RequireClasses(data, _contexts, _classes);
        var labels = data.Train.Labels.ToArray();
        if (seed > 0) new SeededRandom(seed, "contexts").Shuffle<Label>(labels);
        Label[][] groups = [.. labels.Chunk((labels.Length + _contexts - 1) / _contexts)];
        return scenario == Scenario.TaskIncremental
            ? ExperienceStream.TaskIncremental(data.Train, data.Test, groups)
            : ExperienceStream.ClassIncremental(data.Train, data.Test, groups);
    }

    /// <inheritdoc/>
    public override LearnerOptions Training(Scenario scenario, long seed) =>
        new() { Epochs = 10, BatchSize = 32, Optimizer = new SgdOptions { LearningRate = 0.03 } };

    /// <inheritdoc/>
    public override ContinualModel Model(Func<int, IncrementalHead>? head)
    {
        var backbone = ResNet.ResNet18(20);
        return new ContinualModel(backbone, head?.Invoke(backbone.FeatureCount) ?? new LinearHead(backbone.FeatureCount, RowStart.UniformFanIn), new InputScaling(0.5, 0.25));
    }
}
