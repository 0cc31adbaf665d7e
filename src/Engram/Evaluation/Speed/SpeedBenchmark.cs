using Engram.Data;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;

namespace Engram.Evaluation.Speed;

/// <summary>How fast the library is on this machine, against loops and products measured in the same run.</summary>
/// <param name="train">MNIST's training samples.</param>
/// <param name="isFull">Whether to take the sizes of the published table; otherwise a tenth of them.</param>
public sealed partial class SpeedBenchmark(ISampleSource train, bool isFull = false)
{
    private const int BatchSize = 128;
    private const string OfNaive = "× naive";
    private const string Usual = "× TorchSharp's DataLoader loop";

    // Many short rounds: a neighbour on the machine then spoils both sides of a few of them, and the median none.
    private readonly int _rounds = isFull ? 25 : 5;
    private readonly int _steps = isFull ? 80 : 60;

    /// <summary>The parts of the table, in order.</summary>
    public static IReadOnlyList<string> Parts { get; } =
        ["training", "steps", "gem", "fisher", "stream", "memory", "prediction", "allocation"];

    /// <summary>The lines of one part, each measured when it is asked for.</summary>
    /// <param name="part">One of <see cref="Parts"/>.</param>
    public IEnumerable<SpeedRow> Run(string part) => part switch
    {
        "training" => Training(),
        "steps" => Steps(),
        "gem" => Wholes(),
        "fisher" => Consolidation(),
        "stream" => Streaming(),
        "memory" => Memory(),
        "prediction" => Predictions(),
        "allocation" => Allocations(),
        _ => throw new ArgumentException($"part: {part}, expected one of {string.Join(", ", Parts)}", nameof(part)),
    };

    // A step of the MLP and of the CNN against loops of TorchSharp alone.
    private IEnumerable<SpeedRow> Training()
    {
        using var plain = PlainLoop.Mlp(train, BatchSize, usual: true);
        using var bare = PlainLoop.Mlp(train, BatchSize, usual: false);
        using var naive = new TimedLearner(train, BatchSize);
        using var mixed = new TimedLearner(train, BatchSize, precision: Precision.MixedBFloat16);
        yield return Faster("MLP naive, float32", 1.6, Usual, plain, naive, _steps, BatchSize);
        yield return Faster("MLP naive, float32", 1, "× a bare loop", bare, naive, _steps, BatchSize);
        var share = PairedRuns.Compare(
            () => PairedRuns.Seconds(() => PlainLoop.Products(BatchSize, _steps)), () => naive.Seconds(_steps), _rounds);
        yield return new SpeedRow("MLP naive, float32", share.Median, "of what its products allow", 0.7, true, Spread(share));
        yield return Faster("MLP naive, bfloat16 products", 2.2, Usual, plain, mixed, _steps, BatchSize);
        var (size, steps) = (64, _steps / 10);
        using var images = PlainLoop.Cnn(train, size);
        using var cnn = new TimedLearner(train, size, () => new DigitsCnn());
        using var mixedCnn = new TimedLearner(train, size, () => new DigitsCnn(), Precision.MixedBFloat16);
        yield return Faster("CNN naive, float32", 1, Usual, images, cnn, steps, size);
        yield return Faster("CNN naive, bfloat16 products", 2.5, Usual, images, mixedCnn, steps, size);
    }

    // A step of every mechanism against a naive one, after 1 experience and after 100.
    private IEnumerable<SpeedRow> Steps()
    {
        (string Name, double Goal, Func<RetentionMechanism> Make)[] all =
        [
            ("EWC", 1.1, () => new ElasticWeightConsolidation(new EwcOptions { FisherSamples = 32 })),
            ("online EWC", 1.1, () => new ElasticWeightConsolidation(new EwcOptions { Gamma = 0.95, FisherSamples = 32 })),
            ("SI", 1.1, () => new SynapticIntelligence()),
            ("MAS", 1.1, () => new MemoryAwareSynapses(new MasOptions { Samples = 32 })),
            ("LwF", 1.4, () => new LearningWithoutForgetting()),
            ("replay", 2.1, () => new Replay()),
            ("ER-ACE", 3.2, () => new ErAce()),
            ("DER++", 3.2, () => new DarkExperienceReplay()),
            ("A-GEM", 2.3, () => new AveragedGradientEpisodicMemory()),
        ];
        foreach (var experiences in new[] { 1, 100 })
            foreach (var (name, goal, make) in all)
            {
                using var naive = new TimedLearner(train, BatchSize);
                using var other = new TimedLearner(train, BatchSize, mechanism: make());
                naive.Learn(experiences);
                other.Learn(experiences);
                var ratio = PairedRuns.Compare(() => other.StepSeconds(_steps), () => naive.StepSeconds(_steps), _rounds);
                yield return new SpeedRow(
                    $"{name}, a step after {experiences} experience{(experiences == 1 ? "" : "s")}", ratio.Median, OfNaive, goal, false, Spread(ratio));
            }
    }

    // GEM over the five experiences of Split MNIST against naive training.
    private IEnumerable<SpeedRow> Wholes()
    {
        Experience[] split =
        [
            .. Enumerable.Range(0, 5).Select(e => new Experience(e, SubsetSource.Balanced(
                SubsetSource.WithLabels(train, Label.Numbers(2 * e, 2)), isFull ? 10_000 : 1280))),
        ];
        double Whole(params RetentionMechanism[] mechanisms)
        {
            using var learner = TimedLearner.Create(new Mlp(784, 400, 400), BatchSize, Precision.Float32, mechanisms);
            return split.Sum(experience => learner.Learn(experience).Seconds);
        }
        var ratio = PairedRuns.Compare(() => Whole(new GradientEpisodicMemory()), () => Whole(), isFull ? 5 : 3);
        yield return new SpeedRow("GEM, 256 per experience, Split MNIST", ratio.Median, OfNaive, 3.2, false, Spread(ratio));
    }

    // Fisher information against one epoch over its samples.
    private IEnumerable<SpeedRow> Consolidation()
    {
        var source = SubsetSource.Balanced(train, isFull ? 1200 : 256);
        foreach (var (labels, goal) in new[] { (FisherLabels.Observed, 1.0), (FisherLabels.Exact, 5.0) })
        {
            using var learner = new TimedLearner(source, BatchSize);
            var steps = source.Count / BatchSize;
            learner.Seconds(steps);
            var ratio = PairedRuns.Compare(
                () => PairedRuns.Seconds(() => FisherInformation.Diagonal(learner.Context, null, labels).Dispose()),
                () => learner.Seconds(steps), _rounds);
            yield return new SpeedRow(
                $"Fisher information, {labels} labels, {source.Count:n0} samples".ToLowerInvariant(), ratio.Median, "epochs", goal, false, Spread(ratio));
        }
    }

    private SpeedRow Faster(string work, double goal, string unit, PlainLoop loop, TimedLearner ours, int steps, int size)
    {
        var ratio = PairedRuns.Compare(() => PairedRuns.Seconds(() => loop.Run(steps)), () => ours.Seconds(steps), _rounds);
        return new SpeedRow(work, ratio.Median, unit, goal, true,
            $"{Spread(ratio)}; {steps * size / ratio.Second:n0} samples/s, the loop {steps * size / ratio.First:n0}");
    }

    private static string Spread(PairedRatio ratio) => $"{ratio.Min:f2} to {ratio.Max:f2}";
}
