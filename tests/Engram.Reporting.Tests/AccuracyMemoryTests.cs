using System.Globalization;
using Engram.Analytic;
using Engram.Data;
using Engram.Evaluation;
using Engram.Streams;

namespace Engram.Reporting.Tests;

public class AccuracyMemoryTests(ITestOutputHelper output)
{
    [Fact]
    public void The_curve_is_a_picture_and_bad_points_are_named()
    {
        var png = AccuracyMemoryPlot.RenderPng("Split MNIST", [new("patches", "8", 1_000_000, 0.9), new("patches", "16", 4_000_000, 0.95)]);
        Assert.Equal([0x89, 0x50, 0x4E, 0x47], png[..4]);
        Assert.Throws<ArgumentException>(() => AccuracyMemoryPlot.RenderPng("none", []));
        Assert.Throws<ArgumentException>(() => AccuracyMemoryPlot.RenderPng("none", [new("patches", "8", 0, 0.9)]));
    }

    /// <summary>Split MNIST, class-incremental, single pass. Writes accuracy-memory.csv and .png into ENGRAM_CURVE; minutes.</summary>
    [Fact(Explicit = true)]
    public void Accuracy_against_memory_on_Split_Mnist()
    {
        var folder = Environment.GetEnvironmentVariable("ENGRAM_CURVE") ?? Path.Combine(AppContext.BaseDirectory, "curve");
        Directory.CreateDirectory(folder);
        var mnist = Mnist.Load(Root());
        List<AccuracyMemoryPoint> means = [];
        var csv = new List<string> { "features,size,seed,width,lambda,bytes,accuracy,learning_seconds" };
        (string Series, int Size, int Seeds)[] plan =
        [
            ("patch filters", 8, 1), ("patch filters", 16, 1), ("patch filters", 32, 3), ("patch filters", 64, 1),
            ("random ReLU", 250, 1), ("random ReLU", 500, 1), ("random ReLU", 1000, 1), ("random ReLU", 2000, 1),
            ("patch filters", 128, 3), ("random ReLU", 4000, 1), ("patch filters", 160, 1),
        ];
        foreach (var (series, size, seeds) in plan)
        {
            var runs = Enumerable.Range(0, seeds).Select(seed => Run(mnist, series, size, seed, csv)).ToArray();
            means.Add(new AccuracyMemoryPoint(series, $"{size}", runs[0].Bytes, runs.Average(run => run.Accuracy)));
            File.WriteAllLines(Path.Combine(folder, "accuracy-memory.csv"), csv);
            File.WriteAllBytes(
                Path.Combine(folder, "accuracy-memory.png"),
                AccuracyMemoryPlot.RenderPng("Split MNIST, class-incremental: ridge regression, no stored sample", means));
        }
    }

    // λ is chosen on 5,000 training samples set aside, which are learnt afterwards as one more experience.
    private (long Bytes, double Accuracy) Run(Mnist mnist, string series, int size, int seed, List<string> csv)
    {
        var (rest, validation) = StratifiedSplit.Of(mnist.Train, 1 / 12.0, new SeededRandom(seed, "lambda"));
        var stream = ExperienceStream.ClassIncremental(
            rest, mnist.Test, [.. Enumerable.Range(0, 5).Select(pair => (IReadOnlyList<Label>)Label.Numbers(2 * pair, 2))]);
        FeatureExtractor features = series == "patch filters"
            ? new PatchFeatures(stream.Experiences[0].Train, new PatchOptions { Filters = size, Seed = seed })
            : new RandomFeatures(784, size, scale: 0.1, seed: seed);
        using var learner = new RidgeClassifier(features) { FastProducts = true };
        var seconds = stream.Experiences.Sum(experience => learner.Learn(experience).Seconds);
        double[] grid = series == "patch filters" ? [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1] : [1e-2, 0.1, 1, 10, 100];
        var lambda = learner.ChooseLambda(validation, grid);
        learner.Learn(new Experience(5, validation));
        var accuracy = Evaluator.Accuracy(learner, new EvaluationSet("all", mnist.Test));
        var line = string.Create(CultureInfo.InvariantCulture,
            $"{series},{size},{seed},{features.FeatureCount},{lambda},{learner.MemoryBytes},{accuracy:0.0000},{seconds:0.0}");
        csv.Add(line);
        output.WriteLine(line);
        return (learner.MemoryBytes, accuracy);
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Engram.slnx"))) folder = folder.Parent;
        return Path.Combine(folder!.FullName, "data", "mnist");
    }
}
