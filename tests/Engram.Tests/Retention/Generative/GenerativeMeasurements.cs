using System.Diagnostics;
using System.Globalization;
using Engram.Data;
using Engram.Evaluation;
using Engram.Learning;
using Engram.Memory;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;
using static TorchSharp.torch;

namespace Engram.Tests.Retention.Generative;

/// <summary>
/// Long runs behind the numbers in docs/methods, in the protocol of van de Ven, Tuytelaars and Tolias 2022: Split MNIST
/// class-incremental, all ten outputs from the start, 2,000 steps per experience of batch 128, Adam 1e-3, MLP 784-400-400-10.
/// </summary>
/// <remarks>Run with <c>-explicit only</c>; ENGRAM_STRATEGY, ENGRAM_SEED and ENGRAM_ITERATIONS choose less.</remarks>
public class GenerativeMeasurements(ITestOutputHelper output)
{
    [Theory(Explicit = true)]
    [InlineData("dgr")]
    [InlineData("dgr-distil")]
    [InlineData("brain-inspired")]
    [InlineData("generative-classifier")]
    public void Split_Mnist_class_incremental_as_in_Three_types(string name)
    {
        if (Setting("ENGRAM_STRATEGY") is { } only && only != name) Assert.Skip($"ENGRAM_STRATEGY asks for {only} alone");
        int[] seeds = Setting("ENGRAM_SEED") is { } seed ? [int.Parse(seed, CultureInfo.InvariantCulture)] : [0, 1, 2];
        var accuracies = seeds.Select(s => Accuracy(name, s)).ToArray();
        Print($"three types, {name}: {Text(accuracies.Average())} ({string.Join(", ", accuracies.Select(Text))})");
    }

    /// <summary>MedNIST at 28 × 28, three experiences of two kinds, MLP 784-400-400, 1,000 steps of batch 32 each.</summary>
    [Theory(Explicit = true)]
    [InlineData("naive")]
    [InlineData("dgr")]
    [InlineData("dgr-gan")]
    public void Medical_images_class_incremental(string name)
    {
        if (Setting("ENGRAM_STRATEGY") is { } only && only != name) Assert.Skip($"ENGRAM_STRATEGY asks for {only} alone");
        int[] seeds = Setting("ENGRAM_SEED") is { } seed ? [int.Parse(seed, CultureInfo.InvariantCulture)] : [0, 1, 2];
        var accuracies = seeds.Select(s =>
        {
            using var learner = new Learner(
                () => new ContinualModel(new Mlp(784, 400, 400)),
                new LearnerOptions { BatchSize = 32, Iterations = 1000, Seed = s, InitialLabels = Label.Numbers(0, 6) },
                Strategies.Named(name).Create(new StrategyBudget()));
            for (var e = 0; e < 3; e++) learner.Study(MedNist.Experience(e));
            var each = Enumerable.Range(0, 3).Select(e => Evaluator.Accuracy(learner, MedNist.Test(e))).ToArray();
            Print($"  medical images, {name}, seed {s}: {string.Join(" ", each.Select(Text))}");
            return each.Average();
        }).ToArray();
        Print($"medical images, {name}: {Text(accuracies.Average())} ({string.Join(", ", accuracies.Select(Text))})");
    }

    /// <summary>
    /// Accuracy over bytes of memory, one epoch as in docs/methods/README.md: raw exemplars under the plain MLP and under the cosine
    /// front, codes under the cosine front. Writes docs/methods/images/compressed-memory.csv.
    /// </summary>
    [Fact(Explicit = true)]
    public void Compressed_exemplars_against_raw_ones_of_the_same_bytes()
    {
        var file = Path.Combine(TestData.Root, "docs", "methods", "images", "compressed-memory.csv");
        var bytes = 0L;
        var csv = new List<string> { "exemplars kept as,exemplars,seed,bytes,accuracy" };
        foreach (var raw in new[] { 30, 100, 300, 1000 })
            for (var seed = 0; seed < 3; seed++)
            {
                Point("raw pixels", raw, false, () => new Replay(new ReplayOptions { Capacity = raw, Balance = BalanceBy.Class }));
                Point("raw pixels under the cosine front", raw, true, () => new Replay(new ReplayOptions { Capacity = raw, Balance = BalanceBy.Class }));
                Point("codes under the cosine front", 792 * raw / 78, true, () => new CompressedReplay(new CompressedReplayOptions { Capacity = 792 * raw / 78 }));
                File.WriteAllLines(file, csv);

                void Point(string kept, int exemplars, bool front, Func<RetentionMechanism> make)
                {
                    RetentionMechanism made = null!;
                    var accuracy = SplitMnist.Accuracy(
                        Scenario.ClassIncremental, seed, () => [made = make()],
                        backbone: front ? () => new CosineMlp([1, 28, 28], 54, 400, 400) : null, seen: () => bytes = made.MemoryBytes);
                    csv.Add(string.Create(CultureInfo.InvariantCulture, $"{kept},{exemplars},{seed},{bytes},{accuracy:0.0000}"));
                    Print(csv[^1]);
                }
            }
    }

    /// <summary>
    /// Writes docs/methods/images/compressed-features.csv: ten experiences of ten classes over a frozen ResNet-20 that saw CIFAR-10 only. Raw exemplars
    /// are images of 3,072 bytes; behind a frozen network they are their features, so training repeats these.
    /// </summary>
    [Fact(Explicit = true)]
    public void Quantised_features_against_raw_images_of_the_same_bytes()
    {
        const int Image = 3072 + 8, Feature = (4 * 64) + 8, Code = 64 + QuantisedCodec.RangeBytes + 8 + 12;
        var file = Path.Combine(TestData.Root, "docs", "methods", "images", "compressed-features.csv");
        using var scope = NewDisposeScope();
        var stream = InternalReplayTests.SplitCifar100();
        var csv = new List<string> { "exemplars kept as,exemplars,seed,bytes,accuracy" };
        foreach (var images in new[] { 10, 30, 100, 300 })
            for (var seed = 0; seed < 3; seed++)
            {
                Point("images", images, Image, () => new Replay(new ReplayOptions { Capacity = images, Balance = BalanceBy.Class }));
                Point("float32 features", images * Image / Feature, Feature, () => new Replay(new ReplayOptions { Capacity = images * Image / Feature, Balance = BalanceBy.Class }));
                Point("features of a byte", images * Image / Code, Code, () => new CompressedReplay(new CompressedReplayOptions { Capacity = images * Image / Code }));
                File.WriteAllLines(file, csv);

                void Point(string kept, int exemplars, int each, Func<RetentionMechanism> make)
                {
                    var made = make();
                    var accuracy = InternalReplayTests.FinalAccuracy(stream, seed, [made]);
                    var held = made switch { Replay replay => replay.Buffer.Count, CompressedReplay codes => codes.Count, _ => 0 };
                    csv.Add(string.Create(CultureInfo.InvariantCulture, $"{kept},{held},{seed},{(long)held * each},{accuracy:0.0000}"));
                    Print(csv[^1]);
                    Assert.Equal(Math.Min(exemplars, 10_000), held);
                }
            }
    }

    [Fact(Explicit = true)]
    public void Nearest_neighbours_of_raw_pixels()
    {
        foreach (var capacity in new[] { 1000, 10_000 })
        {
            using var learner = new Learner(
                () => new ContinualModel(new RawInputs(784)), new LearnerOptions { BatchSize = 128 },
                [new NearestNeighbours(new NeighbourOptions { Capacity = capacity })]);
            for (var e = 0; e < 5; e++) learner.Study(new Experience(e, SubsetSource.WithLabels(TestData.Mnist.Train, Label.Numbers(2 * e, 2))));
            var clock = Stopwatch.StartNew();
            var accuracy = Evaluator.Accuracy(learner, TestData.Mnist.Test);
            Print($"knn over pixels, {capacity} kept: {Text(accuracy)}, 10,000 predictions in {clock.Elapsed.TotalSeconds:f2} s");
        }
    }

    // What an index costs beside a search: medians of 101, of 11 and, of 256 queries, of 3.
    [Theory(Explicit = true)]
    [InlineData(10_000)]
    [InlineData(100_000)]
    public void Time_of_the_neighbour_index_over_400_features(int count)
    {
        using var scope = NewDisposeScope();
        using var index = new NeighbourIndex(400);
        index.Add(randn(count, 400), randint(100, [count], ScalarType.Int64));
        var (one, label, queries) = (randn(1, 400), zeros(1, ScalarType.Int64), randn(256, 400));
        index.Add(one, label); // room is there afterwards
        Print(string.Create(CultureInfo.InvariantCulture,
            $"{count} vectors of 400: add {Median(101, () => index.Add(one, label)):0.000} ms, remove {Median(101, () => index.Remove(17)):0.000} ms, slots of a label {Median(11, () => index.SlotsOf(5)):0.00} ms, one query {Median(11, () => index.Nearest(one, 5)):0.0} ms, 256 queries {Median(3, () => index.Nearest(queries, 5)):0} ms"));

        static double Median(int times, Action act)
        {
            var taken = Enumerable.Range(0, times).Select(_ =>
            {
                using var inner = NewDisposeScope();
                var clock = Stopwatch.StartNew();
                act();
                return clock.Elapsed.TotalMilliseconds;
            }).Order().ToArray();
            return taken[times / 2];
        }
    }

    /// <summary>
    /// T² or not in distilled generative replay, on a tenth of the training digits that is not learnt; no test image is looked at. 500
    /// steps per experience, two seeds, unless the environment asks otherwise.
    /// </summary>
    [Theory(Explicit = true)]
    [InlineData(false)]
    [InlineData(true)]
    public void Squared_temperature_of_distilled_replay_on_digits_held_out_of_training(bool squared)
    {
        var (train, validation) = StratifiedSplit.Of(TestData.Mnist.Train, 0.1, new SeededRandom(0, "squared temperature"));
        int[] seeds = Setting("ENGRAM_SEED") is { } seed ? [int.Parse(seed, CultureInfo.InvariantCulture)] : [0, 1];
        var accuracies = seeds.Select(s => Accuracy("dgr-distil", s, train, new EvaluationSet("held out", validation), "500",
            [new GenerativeReplay(new GenerativeReplayOptions { Targets = ReplayTargets.Soft, SquaredTemperature = squared })])).ToArray();
        Print($"held out, dgr-distil {(squared ? "with" : "without")} T²: {Text(accuracies.Average())} ({string.Join(", ", accuracies.Select(Text))})");
    }

    private double Accuracy(string name, int seed) =>
        Accuracy(name, seed, TestData.Mnist.Train, TestData.Mnist.Test, "2000", Strategies.Named(name).Create(new StrategyBudget()));

    private double Accuracy(
        string name, int seed, ISampleSource train, EvaluationSet test, string steps, IReadOnlyList<RetentionMechanism> mechanisms)
    {
        var strategy = Strategies.Named(name);
        var iterations = int.Parse(Setting("ENGRAM_ITERATIONS") ?? steps, CultureInfo.InvariantCulture);
        using var learner = new Learner(
            () => new ContinualModel(strategy.Backbone?.Invoke(784) ?? new Mlp(784, 400, 400)),
            new LearnerOptions
            {
                BatchSize = 128,
                Iterations = iterations,
                DropLast = true,
                Seed = seed,
                InitialLabels = Label.Numbers(0, 10),
            },
            mechanisms);
        var clock = Stopwatch.StartNew();
        var tests = new List<EvaluationSet>();
        for (var e = 0; e < 5; e++)
        {
            var digits = Label.Numbers(2 * e, 2);
            learner.Study(new Experience(e, SubsetSource.WithLabels(train, digits)));
            tests.Add(test.WithLabels(digits));
            if (name != "generative-classifier") // its predictions take a minute
                Print($"  {name} seed {seed} after {e + 1}: {string.Join(" ", tests.Select(t => Text(Evaluator.Accuracy(learner, t))))}, {clock.Elapsed.TotalSeconds:f0} s");
        }
        return Evaluator.Accuracy(learner, test);
    }

    private static string? Setting(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    private static string Text(double value) => value.ToString("0.0000", CultureInfo.InvariantCulture);

    private void Print(string line)
    {
        output.WriteLine(line);
        Console.WriteLine(line);
        if (Setting("ENGRAM_MEASUREMENTS") is { } path) File.AppendAllText(path, line + "\n");
    }
}
