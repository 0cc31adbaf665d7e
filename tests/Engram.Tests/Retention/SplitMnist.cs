using Engram.Data;
using Engram.Evaluation;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;

namespace Engram.Tests.Retention;

/// <summary>Split MNIST in five pairs of digits, at a size that tests can afford.</summary>
internal static class SplitMnist
{
    public static Experience Experience(int index, int perClass, bool task = false) => new(
        index, SubsetSource.Balanced(SubsetSource.WithLabels(TestData.Mnist.Train, Label.Numbers(2 * index, 2)), perClass),
        task ? index : null);

    public static EvaluationSet Test(int index, bool task = false) => new(
        $"pair {index}", SubsetSource.WithLabels(TestData.Mnist.Test, Label.Numbers(2 * index, 2)), task ? index : null);

    public static Learner Learner(
        IReadOnlyList<RetentionMechanism> mechanisms, Scenario scenario = Scenario.ClassIncremental, int batch = 128,
        int width = 400) => new(
            () => new ContinualModel(new Mlp(784, width, width)),
            new LearnerOptions { Scenario = scenario, BatchSize = batch }, mechanisms);

    /// <summary>Learns all five pairs and gives the mean accuracy over them.</summary>
    public static double Accuracy(
        IReadOnlyList<RetentionMechanism> mechanisms, int perClass, Scenario scenario = Scenario.ClassIncremental)
    {
        var task = scenario == Scenario.TaskIncremental;
        using var learner = Learner(mechanisms, scenario);
        for (var index = 0; index < 5; index++) learner.Learn(Experience(index, perClass, task));
        return Enumerable.Range(0, 5).Average(index => Evaluator.Accuracy(learner, Test(index, task)));
    }
}
