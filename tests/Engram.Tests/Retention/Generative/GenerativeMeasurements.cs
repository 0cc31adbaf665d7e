using System.Diagnostics;
using System.Globalization;
using Engram.Data;
using Engram.Evaluation;
using Engram.Learning;
using Engram.Memory;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;

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
            var accuracy = Evaluator.Accuracy(learner, new EvaluationSet("all", TestData.Mnist.Test));
            Print($"knn over pixels, {capacity} kept: {Text(accuracy)}, 10,000 predictions in {clock.Elapsed.TotalSeconds:f2} s");
        }
    }

    private double Accuracy(string name, int seed)
    {
        var strategy = Strategies.Named(name);
        var iterations = int.Parse(Setting("ENGRAM_ITERATIONS") ?? "2000", CultureInfo.InvariantCulture);
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
            strategy.Create(new StrategyBudget()));
        var clock = Stopwatch.StartNew();
        var tests = new List<EvaluationSet>();
        for (var e = 0; e < 5; e++)
        {
            var digits = Label.Numbers(2 * e, 2);
            learner.Study(new Experience(e, SubsetSource.WithLabels(TestData.Mnist.Train, digits)));
            tests.Add(new EvaluationSet($"{e}", SubsetSource.WithLabels(TestData.Mnist.Test, digits)));
            if (name != "generative-classifier") // its predictions take a minute
                Print($"  {name} seed {seed} after {e + 1}: {string.Join(" ", tests.Select(t => Text(Evaluator.Accuracy(learner, t))))}, {clock.Elapsed.TotalSeconds:f0} s");
        }
        return Evaluator.Accuracy(learner, new EvaluationSet("all", TestData.Mnist.Test));
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
