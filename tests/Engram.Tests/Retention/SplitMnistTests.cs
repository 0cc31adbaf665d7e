using Engram.Learning;
using Engram.Retention;

namespace Engram.Tests.Retention;

/// <summary>Learning is real: the mean of three seeds on parts of Split MNIST and on all of it; more strategies are in <see cref="SplitMnistMeasurements"/>.</summary>
public class SplitMnistTests
{
    private const int PerClass = 2000;

    [Theory]
    [InlineData("ewc")]
    [InlineData("si")]
    [InlineData("mas")]
    [InlineData("lwf")]
    public void Task_incremental_regularisation_keeps_97_percent(string name)
    {
        var accuracy = Mean(Scenario.TaskIncremental, name);
        Assert.True(accuracy >= 0.97, $"{name}: {accuracy:f4}, expected 0.97 or more");
    }

    [Fact]
    public void Class_incremental_naive_learning_forgets()
    {
        var naive = Mean(Scenario.ClassIncremental, "naive");
        Assert.True(naive < 0.3, $"naive: {naive:f4}, expected below 0.3");
    }

    [Theory]
    [InlineData("replay", 0.90)]
    [InlineData("er-ace", 0.91)]
    [InlineData("der++", 0.91)]
    [InlineData("gem", 0.91)]
    [InlineData("icarl", 0.80)]
    [InlineData("gdumb", 0.88)]
    public void Class_incremental_learning_is_real_on_all_of_Split_MNIST(string name, double least)
    {
        var accuracy = Mean(Scenario.ClassIncremental, name, perClass: null);
        Assert.True(accuracy >= least, $"{name}: {accuracy:f4}, expected {least} or more");
    }

    private static double Mean(Scenario scenario, string name, int? perClass = PerClass) => Enumerable.Range(0, 3).Average(
        seed => SplitMnist.Accuracy(scenario, seed, () => Strategies.Named(name).Create(new StrategyBudget()), perClass));
}
