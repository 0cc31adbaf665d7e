using System.Globalization;
using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;

namespace Engram.Evaluation.Benchmarks;

/// <summary>
/// Permuted MNIST as in van de Ven and Tolias 2019, "Three scenarios for continual learning", with the settings of the authors'
/// code: ten contexts, each with the pixels in another order.
/// </summary>
/// <remarks>
/// λ = 100 and γ = 1 of online EWC and c = 10 of SI (5 class-incremental) are those of the authors' present code; the paper's
/// choices are not in the text at hand, so deviations from its numbers may be due to them.
/// </remarks>
public sealed class PermutedMnist : Benchmark
{
    private const int Contexts = 10;

    /// <inheritdoc/>
    public override string Name => "permuted-mnist";

    /// <inheritdoc/>
    public override string Title => "Permuted MNIST";

    /// <inheritdoc/>
    public override string Source =>
        "van de Ven and Tolias 2019, \"Three scenarios for continual learning\", arXiv 1904.07734";

    /// <inheritdoc/>
    public override string Protocol =>
        "10 contexts, images padded to 32 × 32, pixels in another order each time; MLP 1024-1000-1000; 5,000 iterations of 128 samples "
        + "per context, last smaller batch left out; Adam 1e-4, its state kept; class-incremental: all 100 outputs from the start, "
        + "task-incremental: a head per task, domain-incremental: 10 outputs; mean of the test accuracies on all contexts at the end";

    /// <inheritdoc/>
    public override string DataName => "mnist";

    /// <inheritdoc/>
    public override IReadOnlyList<Scenario> Scenarios { get; } =
        [Scenario.TaskIncremental, Scenario.DomainIncremental, Scenario.ClassIncremental];

    /// <inheritdoc/>
    public override int Capacity => 1000;

    /// <inheritdoc/>
    public override IReadOnlyList<BenchmarkMethod> Methods { get; } =
    [
        new("none", "None (naive)", _ => []),
        new("joint", "Joint", _ => []) { AtOnce = true },
        new("online-ewc", "Online EWC", _ => [new ElasticWeightConsolidation(new EwcOptions
            { Lambda = 100, Gamma = 1, FisherSamples = null, Labels = FisherLabels.Exact })])
            { Published = PublishedNumber.By(95.96, 94.42, 33.88) },
        new("si", "SI", scenario => [new SynapticIntelligence(new SiOptions { C = scenario == Scenario.ClassIncremental ? 5 : 10 })])
            { Published = PublishedNumber.By(94.75, 95.33, 29.31) },
    ];

    /// <inheritdoc/>
    public override ExperienceStream Stream(TrainAndTest data, Scenario scenario, long seed)
    {
        ArgumentNullException.ThrowIfNull(data);
        var (train, test) = (Padded(data.Train), data.Test.Map(Padded));
        var stream = ExperienceStream.Permuted(train, test, Contexts, seed, withTasks: scenario == Scenario.TaskIncremental);
        if (scenario != Scenario.ClassIncremental) return stream;
        // Each context has classes of its own: 0 to 9, then 10 to 19, and so on.
        return ExperienceStream.FromDomains([.. stream.Experiences.Select((experience, context) => new Domain(
            experience.Name, Own(experience.Train, context), stream.Tests[context].Map(source => Own(source, context))))]);
    }

    /// <inheritdoc/>
    public override LearnerOptions Training(Scenario scenario, long seed) =>
        new() { Iterations = 5000, BatchSize = 128, DropLast = true, Optimizer = new AdamOptions { LearningRate = 1e-4 } };

    /// <inheritdoc/>
    public override ContinualModel Model(Func<int, IncrementalHead>? head) => new(new Mlp(1024, 1000, 1000), head?.Invoke(1000) ?? new LinearHead(1000, RowStart.UniformFanIn));

    private static TensorSource Padded(ISampleSource source)
    {
        using var scope = NewDisposeScope();
        var all = source.Gather([.. Enumerable.Range(0, source.Count).Select(i => (long)i)]);
        var padded = zeros(source.Count, 1, 32, 32, dtype: ScalarType.Byte);
        padded.narrow(2, 2, 28).narrow(3, 2, 28).copy_(all.Inputs);
        return TensorSource.OfClasses(padded, source.Codes.ToArray(), source.Labels);
    }

    private static RelabelledSource Own(ISampleSource source, int context) => new(
        source, label => (10 * context) + int.Parse(label.Name, CultureInfo.InvariantCulture));
}
