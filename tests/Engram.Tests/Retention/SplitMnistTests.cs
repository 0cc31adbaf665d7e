using Engram.Learning;
using Engram.Retention;

namespace Engram.Tests.Retention;

/// <summary>Learning is real: a third of Split MNIST, mean of three seeds; full runs are in <see cref="SplitMnistMeasurements"/>.</summary>
public class SplitMnistTests
{
    private const int PerClass = 2000;

    [Theory]
    [InlineData("ewc")]
    [InlineData("si")]
    [InlineData("mas")]
    public void Task_incremental_regularisation_keeps_97_percent(string name)
    {
        var accuracy = Mean(Scenario.TaskIncremental, name);
        Assert.True(accuracy >= 0.97, $"{name}: {accuracy:f4}, expected 0.97 or more");
    }

    [Fact]
    public void Class_incremental_Gem_keeps_what_naive_learning_loses()
    {
        var (gem, naive) = (Mean(Scenario.ClassIncremental, "gem"), Mean(Scenario.ClassIncremental, "naive"));
        Assert.True(gem >= 0.89, $"gem: {gem:f4}, expected 0.89 or more");
        Assert.True(naive < 0.3, $"naive: {naive:f4}, expected below 0.3");
    }

    private static double Mean(Scenario scenario, string name) => Enumerable.Range(0, 3).Average(
        seed => SplitMnist.Accuracy(scenario, seed, () => Strategies.Named(name).Create(new StrategyBudget()), PerClass));
}
