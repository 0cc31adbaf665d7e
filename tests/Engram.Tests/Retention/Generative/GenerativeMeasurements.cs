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

    /// <summary>Accuracy over bytes of memory: raw exemplars against cosine codes, one epoch as in docs/methods/README.md.</summary>
    [Theory(Explicit = true)]
    [InlineData(100)]
    [InlineData(300)]
    [InlineData(1000)]
    public void Compressed_exemplars_against_raw_ones_of_the_same_bytes(int raw)
    {
        int[] seeds = Setting("ENGRAM_SEED") is { } seed ? [int.Parse(seed, CultureInfo.InvariantCulture)] : [0, 1, 2];
        Curve("replay", raw, 792, seeds, () => new Replay(new ReplayOptions { Capacity = raw, Balance = BalanceBy.Class }));
        foreach (var exemplars in new[] { 11 * raw, raw })
            Curve("compressed-replay", exemplars, 72, seeds, () => new CompressedReplay(new CompressedReplayOptions { Capacity = exemplars }));
    }

    private void Curve(string name, int exemplars, int bytes, int[] seeds, Func<RetentionMechanism> mechanism)
    {
        Func<Backbone>? backbone = name == "replay" ? null : () => new CosineMlp([1, 28, 28], 64, 400, 400);
        var accuracies = seeds.Select(s => SplitMnist.Accuracy(Scenario.ClassIncremental, s, () => [mechanism()], backbone: backbone)).ToArray();
        Print($"curve, {name}, {exemplars} exemplars, {exemplars * bytes} bytes: {Text(accuracies.Average())} ({string.Join(", ", accuracies.Select(Text))})");
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
