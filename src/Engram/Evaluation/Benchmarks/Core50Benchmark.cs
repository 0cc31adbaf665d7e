using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;

namespace Engram.Evaluation.Benchmarks;

/// <summary>
/// CORe50 as in Lomonaco and Maltoni 2017, "CORe50: a New Dataset and Benchmark for Continuous Object Recognition", in the authors'
/// orders: seed s takes run s modulo 10.
/// </summary>
/// <remarks>
/// No number of the paper stands beside ours: it trains CaffeNet and VGG on 128 × 128 pixels. New instances are tested on all test
/// samples after every batch; with new classes, test set i has the classes of batch i.
/// </remarks>
public sealed class Core50Benchmark : Benchmark
{
    /// <summary>Side of the images as they are learnt.</summary>
    public const int Side = 32;

    /// <summary>Name of the data.</summary>
    public const string Data = "core50";

    /// <summary>Creates it.</summary>
    /// <param name="batches">What is new in each batch.</param>
    public Core50Benchmark(Core50Protocol batches) => Batches = batches;

    /// <summary>What is new in each batch.</summary>
    public Core50Protocol Batches { get; }

    /// <inheritdoc/>
    public override string Name => $"{Family}-{NameOf(Scenarios[0])}";

    /// <inheritdoc/>
    public override string Family => "core50";

    /// <inheritdoc/>
    public override string NameOf(Scenario scenario) => Batches switch
    {
        Core50Protocol.NewInstances => "ni",
        Core50Protocol.NewClasses => "nc",
        _ => "nic",
    };

    /// <inheritdoc/>
    public override string Title => Batches switch
    {
        Core50Protocol.NewInstances => "CORe50, new instances",
        Core50Protocol.NewClasses => "CORe50, new classes",
        _ => "CORe50, new instances and classes",
    };

    /// <inheritdoc/>
    public override string Source =>
        "Lomonaco and Maltoni 2017, \"CORe50: a New Dataset and Benchmark for Continuous Object Recognition\", CoRL; training is this library's";

    /// <inheritdoc/>
    public override string Protocol =>
        "the authors' batches in their order, run = seed modulo 10; 50 objects, sessions 3, 7 and 10 for tests only; images scaled to "
        + $"{Side} × {Side}; ResNet-18 with 20 filters; 4 epochs in batches of 32; SGD at 0.03; memories of 1,000 samples; mean of the test "
        + "accuracies at the end";

    /// <inheritdoc/>
    public override string DataName => Data;

    /// <inheritdoc/>
    public override IReadOnlyList<Scenario> Scenarios =>
        [Batches == Core50Protocol.NewInstances ? Scenario.DomainIncremental : Scenario.ClassIncremental];

    /// <inheritdoc/>
    public override int Capacity => 1000;

    /// <inheritdoc/>
    public override IReadOnlyList<BenchmarkMethod> Methods =>
    [
        new("none", "None (naive)", _ => []) { Scenarios = Scenarios },
        .. new[] { "replay", "er-ace", "der++" }.Select(name => BenchmarkMethod.Of(Strategies.Named(name), 1000) with { Scenarios = Scenarios }),
    ];

    /// <inheritdoc/>
    public override ExperienceStream Stream(TrainAndTest data, Scenario scenario, long seed)
    {
        ArgumentNullException.ThrowIfNull(data);
        if (data.Train is not Core50Samples { Files: var files })
            throw new ArgumentException($"data: {data.Train.GetType().Name}, expected the samples of CORe50");
        if (files.Protocol != Batches)
            throw new ArgumentException($"data: batches of {files.Protocol}, expected {Batches}");
        var run = (int)(seed % Core50.Runs);
        var (batches, test) = (files.Train(run), files.Test(run).Samples);
        return new ExperienceStream(
            [.. batches.Select((batch, i) => new Experience(i, batch, name: $"batch {i}"))],
            [.. batches.Select((batch, i) => new EvaluationSet(
                $"batch {i}", Batches == Core50Protocol.NewInstances ? test : SubsetSource.WithLabels(test, [.. batch.Labels])))]);
    }

    /// <inheritdoc/>
    public override LearnerOptions Training(Scenario scenario, long seed) =>
        new() { Epochs = 4, BatchSize = 32, Optimizer = new SgdOptions { LearningRate = 0.03 } };

    /// <inheritdoc/>
    public override ContinualModel Model(Func<int, IncrementalHead>? head)
    {
        var backbone = ResNet.ResNet18(20);
        return new ContinualModel(
            backbone, head?.Invoke(backbone.FeatureCount) ?? new LinearHead(backbone.FeatureCount, RowStart.UniformFanIn), new InputScaling(0.5, 0.25));
    }
}

/// <summary>The samples of CORe50 as a benchmark gets them: all of the first order, and the files that have the others.</summary>
/// <param name="files">The files.</param>
public sealed class Core50Samples(Core50 files) : ISampleSource
{
    private readonly ConcatSource _all = new([.. files.Train(0)]);

    /// <summary>The files.</summary>
    public Core50 Files { get; } = files;

    /// <inheritdoc/>
    public int Count => _all.Count;

    /// <inheritdoc/>
    public IReadOnlyList<long> InputShape => _all.InputShape;

    /// <inheritdoc/>
    public ScalarType InputType => _all.InputType;

    /// <inheritdoc/>
    public TargetKind TargetKind => _all.TargetKind;

    /// <inheritdoc/>
    public IReadOnlyList<Label> Labels => _all.Labels;

    /// <inheritdoc/>
    public ReadOnlyMemory<int> Codes => _all.Codes;

    /// <inheritdoc/>
    public Batch Gather(ReadOnlySpan<long> indices) => _all.Gather(indices);
}
