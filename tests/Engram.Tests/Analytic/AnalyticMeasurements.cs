using System.Diagnostics;
using System.Globalization;
using Engram.Analytic;
using Engram.Data;
using Engram.Evaluation;
using Engram.Streams;

namespace Engram.Tests.Analytic;

/// <summary>Long runs behind the numbers in docs/methods; run them with <c>--explicit only</c>.</summary>
public class AnalyticMeasurements(ITestOutputHelper output)
{
    // λ is chosen on 5,000 training samples set aside, which are learnt afterwards as one more experience.
    [Theory(Explicit = true)]
    [InlineData("small", 32, 6)]
    [InlineData("large", 128, 6)]
    public void Split_Mnist_class_incremental_with_ridge_over_patches(string name, int filters, int grid)
    {
        var stream = Split(out var validation);
        var patches = new PatchFeatures(
            stream.Experiences[0].Train, new PatchOptions { Filters = filters, Grid = grid });
        using var learner = new RidgeClassifier(patches) { FastProducts = true };
        Measure($"ridge over patches, {name}", learner, stream, () =>
        {
            var lambda = learner.ChooseLambda(validation, [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1]);
            learner.Learn(new Experience(5, validation));
            return $"lambda {lambda.ToString(CultureInfo.InvariantCulture)}";
        });
    }

    [Theory(Explicit = true)]
    [InlineData("ncm")]
    [InlineData("slda")]
    [InlineData("ridge")]
    public void Split_Mnist_class_incremental_over_1000_random_relu(string name)
    {
        var stream = Split(out var validation);
        var features = new RandomFeatures(784, 1000, scale: 0.1);
        using LinearAnalyticLearner learner = name switch
        {
            "ncm" => new NearestClassMean(features),
            "slda" => new StreamingLda(features),
            _ => new RidgeClassifier(features),
        };
        Measure($"{name} over 1,000 random ReLU", learner, stream, () =>
        {
            var chosen = (learner as RidgeClassifier)?.ChooseLambda(validation);
            learner.Learn(new Experience(5, validation));
            return $"lambda {chosen?.ToString(CultureInfo.InvariantCulture) ?? "none"}";
        });
    }

    private static ExperienceStream Split(out ISampleSource validation)
    {
        var (rest, aside) = StratifiedSplit.Of(TestData.Mnist.Train, 1 / 12.0, new SeededRandom(0, "lambda"));
        validation = aside;
        return ExperienceStream.ClassIncremental(
            rest, TestData.Mnist.Test, [.. Enumerable.Range(0, 5).Select(pair => (IReadOnlyList<Label>)Label.Numbers(2 * pair, 2))]);
    }

    private void Measure(string name, AnalyticLearner learner, ExperienceStream stream, Func<string> finish)
    {
        var watch = Stopwatch.StartNew();
        var seconds = stream.Experiences.Sum(experience => learner.Learn(experience).Seconds);
        var chosen = finish();
        var accuracy = Evaluator.Accuracy(learner, new EvaluationSet("all", TestData.Mnist.Test));
        Print(FormattableString.Invariant(
            $"{name}: accuracy {accuracy:0.0000}, {chosen}, {learner.MemoryBytes / 1e6:0.0} MB, learnt in {seconds:0.0} s, all {watch.Elapsed.TotalSeconds:0.0} s"));
    }

    private void Print(string line)
    {
        output.WriteLine(line);
        if (Environment.GetEnvironmentVariable("ENGRAM_MEASUREMENTS") is { } path) File.AppendAllText(path, line + "\n");
    }
}
