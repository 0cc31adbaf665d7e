using Engram.Data;
using Engram.Evaluation;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;
using static TorchSharp.torch;

namespace Engram.Tests.Learning;

public class ValueTargetTests
{
    private static readonly SubsetSource s_digits = SubsetSource.Balanced(TestData.Mnist.Train, 60);
    private static readonly SubsetSource s_test = SubsetSource.Balanced(TestData.Mnist.Test.Samples, 20);

    // Columns: what a digit is, or how much.
    private static TensorSource Of(SubsetSource source, TargetKind kind, params (string Name, Func<int, double> Value)[] columns)
    {
        using var scope = NewDisposeScope();
        var all = Enumerable.Range(0, source.Count).ToArray();
        var batch = source.Gather(Array.ConvertAll(all, i => (long)i));
        var digits = all.Select(i => int.Parse(source.Labels[source.Codes.Span[i]].Name)).ToArray();
        var values = digits.SelectMany(digit => columns.Select(column => (float)column.Value(digit))).ToArray();
        return TensorSource.OfValues(
            batch.Inputs, tensor(values).view(digits.Length, columns.Length), [.. columns.Select(c => (Label)c.Name)], kind);
    }

    private static readonly (string, Func<int, double>) s_odd = ("odd", digit => digit % 2);
    private static readonly (string, Func<int, double>) s_large = ("large", digit => digit >= 5 ? 1 : 0);

    [Fact]
    public void Multi_label_targets_are_learnt_and_a_label_may_come_later()
    {
        using var learner = new Learner(
            () => new ContinualModel(new Mlp(784, 64)), new LearnerOptions { Epochs = 8, BatchSize = 20 },
            [new Replay(new ReplayOptions { Balance = Engram.Memory.BalanceBy.Sample })]);
        learner.Teach(new Experience(0, Of(s_digits, TargetKind.MultiLabel, s_odd)));
        learner.Teach(new Experience(1, Of(s_digits, TargetKind.MultiLabel, s_large)));
        var metrics = ValueEvaluator.MultiLabel(
            learner, new EvaluationSet("test", Of(s_test, TargetKind.MultiLabel, s_odd, s_large, ("never", _ => 0))));
        Assert.InRange(metrics.Accuracy[0], 0.85, 1);
        Assert.InRange(metrics.Accuracy[1], 0.80, 1);
        Assert.Equal(1, metrics.Accuracy[2]);
        Assert.True(double.IsNaN(metrics.F1[2]));
        Assert.InRange(metrics.MacroF1, 0.8, 1);
        Assert.Contains("ValueEvaluator", Assert.Throws<ArgumentException>(
            () => Evaluator.Accuracy(learner, new EvaluationSet("x", Of(s_test, TargetKind.MultiLabel, s_odd)))).Message);
    }

    [Fact]
    public void Values_are_learnt()
    {
        using var learner = new Learner(
            () => new ContinualModel(new Mlp(784, 64)), new LearnerOptions { Epochs = 10, BatchSize = 20 });
        learner.Teach(new Experience(0, Of(SubsetSource.Balanced(TestData.Mnist.Train, 200), TargetKind.Regression, ("value", digit => digit / 10.0))));
        var metrics = ValueEvaluator.Regression(
            learner, new EvaluationSet("test", Of(s_test, TargetKind.Regression, ("value", digit => digit / 10.0))));
        Assert.InRange(metrics.R2[0], 0.6, 1);
        Assert.InRange(metrics.Rmse[0], 0, 0.2);
    }

    [Theory]
    [InlineData("replay", 0.7)]
    [InlineData("der++", 0.7)]
    [InlineData("ewc+replay", 0.7)]
    [InlineData("gem", 0.9)]
    [InlineData("ewc", 1)]
    [InlineData("si", 1)]
    [InlineData("mas", 1)]
    [InlineData("lwf", 1)]
    public void Values_learnt_first_are_kept_better_than_by_naive_learning(string strategy, double atMost)
    {
        var (kept, naive) = (ErrorOnTheFirst(strategy), ErrorOnTheFirst("naive"));
        Assert.True(kept < atMost * naive, $"{strategy}: error {kept:f3} on the first digits, naive {naive:f3}");
    }

    // Root mean square error on digits 0 to 4, after 5 to 9 have been learnt too.
    private static double ErrorOnTheFirst(string strategy)
    {
        using var learner = new Learner(
            () => new ContinualModel(new Mlp(784, 64)),
            new LearnerOptions { Scenario = Scenario.DomainIncremental, Epochs = 4, BatchSize = 20 },
            Strategies.Named(strategy).Create(new StrategyBudget(200)));
        for (var half = 0; half < 2; half++) learner.Teach(new Experience(half, Values(s_digits, half)));
        return ValueEvaluator.Regression(learner, new EvaluationSet("first", Values(s_test, 0))).Rmse[0];

        static TensorSource Values(SubsetSource digits, int half) =>
            Of(SubsetSource.WithLabels(digits, Label.Numbers(5 * half, 5)), TargetKind.Regression, ("value", digit => digit / 10.0));
    }

    [Fact]
    public void Metrics_of_values_agree_with_values_computed_by_hand()
    {
        var labels = MultiLabelMetrics.Of([[1, 0], [1, 1], [0, 0], [0, 1]], [[2, -1], [-1, -1], [1, -3], [-2, -1]]);
        Assert.Equal([0.5, 0.5], labels.Accuracy);
        Assert.Equal([0.5, 0.0], labels.F1); // TP 1, FP 1, FN 1; then TP 0, FN 2
        Assert.Equal(0.25, labels.MacroF1);
        var values = RegressionMetrics.Of([[1], [2], [6]], [[1], [4], [5]]);
        Assert.Equal(Math.Sqrt(5.0 / 3), values.Rmse[0], 12);
        Assert.Equal(1 - (5.0 / 14), values.R2[0], 12);
    }
}
