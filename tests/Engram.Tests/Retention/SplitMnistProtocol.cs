using Engram.Data;
using Engram.Evaluation;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;

namespace Engram.Tests.Retention;

/// <summary>Split MNIST as the literature runs it: five experiences of two digits, MLP 784-400-400, Adam 1e-3, batch 128, one epoch.</summary>
internal static class SplitMnistProtocol
{
    /// <summary>Mean accuracy over all experiences at the end, for one seed.</summary>
    /// <param name="scenario">Task- or class-incremental.</param>
    /// <param name="seed">Seed.</param>
    /// <param name="strategy">New mechanisms.</param>
    /// <param name="perClass">Training samples of each digit; null means all of them.</param>
    /// <param name="validation">Measure on every sixth training sample, kept out of training, and not on test data.</param>
    public static double Accuracy(
        Scenario scenario, int seed, Func<IReadOnlyList<RetentionMechanism>> strategy,
        int? perClass = null, bool validation = false)
    {
        var (train, held) = (TestData.Mnist.Train, TestData.Mnist.Test);
        if (validation)
        {
            held = new SubsetSource(TestData.Mnist.Train, [.. Enumerable.Range(0, 60_000).Where(i => i % 6 == 0)]);
            train = new SubsetSource(TestData.Mnist.Train, [.. Enumerable.Range(0, 60_000).Where(i => i % 6 != 0)]);
        }
        if (perClass is { } count) train = SubsetSource.Balanced(train, count);
        using var learner = new Learner(
            () => new ContinualModel(new Mlp(784, 400, 400)),
            new LearnerOptions { Scenario = scenario, BatchSize = 128, Seed = seed }, strategy());
        var tests = new List<EvaluationSet>();
        for (var e = 0; e < 5; e++)
        {
            var digits = Label.Numbers(2 * e, 2);
            learner.Study(new Experience(e, SubsetSource.WithLabels(train, digits), e));
            tests.Add(new EvaluationSet($"{e}", SubsetSource.WithLabels(held, digits), e));
        }
        return tests.Average(test => Evaluator.Accuracy(learner, test));
    }
}
