using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;

namespace Engram.Evaluation.Benchmarks;

/// <summary>
/// Rotated MNIST as in Lopez-Paz and Ranzato 2017, "Gradient Episodic Memory for Continual Learning": twenty contexts of 1,000
/// samples, each turned by another angle, seen once.
/// </summary>
/// <remarks>Angle t is drawn from the t-th twentieth of 0 to 180 degrees, as in the authors' code.</remarks>
public sealed class RotatedMnist : Benchmark
{
    private const int Contexts = 20;
    private const int SamplesEach = 1000;

    /// <inheritdoc/>
    public override string Name => "rotated-mnist";

    /// <inheritdoc/>
    public override string Title => "Rotated MNIST";

    /// <inheritdoc/>
    public override string Source =>
        "Lopez-Paz and Ranzato 2017, \"Gradient Episodic Memory for Continual Learning\", NeurIPS, figure 1";

    /// <inheritdoc/>
    public override string Protocol =>
        "20 contexts of 1,000 samples, turned by angles from 0 to 180 degrees; one pass in batches of 10; MLP 784-100-100, Xavier, with 10 outputs "
        + "for all; plain SGD at 0.1; 256 samples of each context in memory; mean of the test accuracies on all contexts at the end";

    /// <inheritdoc/>
    public override string DataName => "mnist";

    /// <inheritdoc/>
    public override IReadOnlyList<Scenario> Scenarios { get; } = [Scenario.DomainIncremental];

    /// <inheritdoc/>
    public override int Capacity => 256 * Contexts;

    /// <inheritdoc/>
    public override IReadOnlyList<BenchmarkMethod> Methods { get; } =
    [
        new("none", "None (naive)", _ => []) { Scenarios = [Scenario.DomainIncremental] },
        new("gem", "GEM (256 per context)", _ => [new GradientEpisodicMemory(new GemOptions { PerExperience = 256, MemoryStrength = 0.5 })])
        {
            Scenarios = [Scenario.DomainIncremental],
            Published = new Dictionary<Scenario, PublishedNumber> { [Scenario.DomainIncremental] = new(86, null, 0.5) },
            PublishedTransfer = new Dictionary<Scenario, PublishedNumber> { [Scenario.DomainIncremental] = new(5, null, 0.5) },
        },
    ];

    /// <inheritdoc/>
    public override ExperienceStream Stream(TrainAndTest data, Scenario scenario, long seed)
    {
        ArgumentNullException.ThrowIfNull(data);
        var random = new SeededRandom(seed, "rotations");
        return ExperienceStream.FromDomains([.. Enumerable.Range(0, Contexts).Select(context =>
        {
            var degrees = 180.0 / Contexts * (context + random.NextDouble());
            int[] own = [.. random.Permutation(data.Train.Count).Take(SamplesEach)];
            return new Domain(
                FormattableString.Invariant($"{degrees:0.0}°"),
                TransformedSource.Rotated(new SubsetSource(data.Train, own), degrees), data.Test.Map(source => Turned(source, degrees)));
        })]);
    }

    /// <inheritdoc/>
    public override LearnerOptions Training(Scenario scenario, long seed) =>
        new() { Epochs = 1, BatchSize = 10, Optimizer = new SgdOptions { LearningRate = 0.1 } };

    /// <inheritdoc/>
    public override ContinualModel Model(Func<int, IncrementalHead>? head)
    {
        // As the authors' code begins, which is not as torch does.
        var backbone = new Mlp(784, 100, 100);
        foreach (var (_, parameter) in backbone.named_parameters())
            if (parameter.dim() == 2) nn.init.xavier_uniform_(parameter);
            else nn.init.zeros_(parameter);
        return new ContinualModel(backbone, head?.Invoke(100) ?? new LinearHead(100, RowStart.Xavier));
    }

    // Every context is tested up to twenty times: its images are turned once.
    private static TensorSource Turned(ISampleSource source, double degrees)
    {
        using var scope = NewDisposeScope();
        var turned = TransformedSource.Rotated(source, degrees);
        return TensorSource.OfClasses(
            turned.Gather([.. Enumerable.Range(0, source.Count).Select(i => (long)i)]).Inputs, source.Codes.ToArray(), source.Labels);
    }
}
