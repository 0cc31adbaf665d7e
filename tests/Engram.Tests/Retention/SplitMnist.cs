using Engram.Data;
using Engram.Evaluation;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;

namespace Engram.Tests.Retention;

/// <summary>
/// Split MNIST as the literature runs it: five experiences of two digits, MLP 784-400-400-10, Adam 1e-3, batch 128, one epoch;
/// and parts of it at a size that tests can afford.
/// </summary>
internal static class SplitMnist
{
    public static Experience Experience(int index, int perClass, bool task = false) => new(
        index, SubsetSource.Balanced(SubsetSource.WithLabels(TestData.Mnist.Train, Label.Numbers(2 * index, 2)), perClass),
        task ? index : null);

    public static EvaluationSet Test(int index, bool task = false) => new(
        $"pair {index}", SubsetSource.WithLabels(TestData.Mnist.Test.Samples, Label.Numbers(2 * index, 2)), task ? index : null);

    public static Learner Learner(
        IReadOnlyList<RetentionMechanism> mechanisms, Scenario scenario = Scenario.ClassIncremental, int batch = 128,
        int width = 400) => new(
            () => new ContinualModel(new Mlp(784, width, width)),
            new LearnerOptions { Scenario = scenario, BatchSize = batch }, mechanisms);

    /// <summary>Mean accuracy over all experiences at the end, for one seed.</summary>
    /// <param name="scenario">Task- or class-incremental.</param>
    /// <param name="seed">Seed.</param>
    /// <param name="strategy">New mechanisms.</param>
    /// <param name="perClass">Training samples of each digit; null means all of them.</param>
    /// <param name="validation">Measure on every sixth training sample, kept out of training, and not on test data.</param>
    /// <param name="backbone">Null for the MLP 784-400-400.</param>
    /// <param name="batch">New samples per step.</param>
    /// <param name="seen">Called when all is learnt and the learner still there.</param>
    public static double Accuracy(
        Scenario scenario, int seed, Func<IReadOnlyList<RetentionMechanism>> strategy,
        int? perClass = null, bool validation = false, Func<Backbone>? backbone = null, int batch = 128, Action? seen = null)
    {
        var (train, held) = (TestData.Mnist.Train, TestData.Mnist.Test.Samples);
        if (validation)
        {
            held = new SubsetSource(TestData.Mnist.Train, [.. Enumerable.Range(0, 60_000).Where(i => i % 6 == 0)]);
            train = new SubsetSource(TestData.Mnist.Train, [.. Enumerable.Range(0, 60_000).Where(i => i % 6 != 0)]);
        }
        if (perClass is { } count) train = SubsetSource.Balanced(train, count);
        var mechanisms = strategy();
        var options = new LearnerOptions { Scenario = scenario, BatchSize = batch, Seed = seed };
        // Class-incremental: all ten outputs from the start, but for mechanisms that need them to come with their classes.
        var all = options with { InitialLabels = Label.Numbers(0, 10) };
        if (scenario == Scenario.ClassIncremental && mechanisms.All(mechanism => mechanism.WhyNot(all) is null)) options = all;
        using var learner = new Learner(
            () => new ContinualModel(backbone?.Invoke() ?? new Mlp(784, 400, 400)), options, mechanisms);
        var tests = new List<EvaluationSet>();
        for (var e = 0; e < 5; e++)
        {
            var digits = Label.Numbers(2 * e, 2);
            learner.Study(new Experience(e, SubsetSource.WithLabels(train, digits), e));
            tests.Add(new EvaluationSet($"{e}", SubsetSource.WithLabels(held, digits), e));
        }
        seen?.Invoke();
        return tests.Average(test => Evaluator.Accuracy(learner, test));
    }
}
