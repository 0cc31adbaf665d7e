using Engram.Learning;
using Engram.Retention;

namespace Engram.Tests.Retention;

/// <summary>
/// Learning is real: the mean of three seeds on parts of Split MNIST, and one seed on all of it, of which the explicit tests take three; more strategies
/// are in <see cref="SplitMnistMeasurements"/>.
/// </summary>
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

    public static TheoryData<string, double> Goals =>
        new() { { "replay", 0.90 }, { "er-ace", 0.91 }, { "der++", 0.91 }, { "gem", 0.91 }, { "icarl", 0.80 }, { "gdumb", 0.88 } };

    [Theory, MemberData(nameof(Goals))]
    public void Class_incremental_learning_is_real_on_all_of_Split_MNIST(string name, double least) => AssertReal(name, least, seeds: 1);

    [Theory(Explicit = true), MemberData(nameof(Goals))]
    public void Class_incremental_learning_is_real_in_the_mean_of_three_seeds(string name, double least) => AssertReal(name, least, seeds: 3);

    private static void AssertReal(string name, double least, int seeds)
    {
        var accuracy = Mean(Scenario.ClassIncremental, name, perClass: null, seeds);
        Assert.True(accuracy >= least, $"{name}: {accuracy:f4}, expected {least} or more");
    }

    private static double Mean(Scenario scenario, string name, int? perClass = PerClass, int seeds = 3) => Enumerable.Range(0, seeds).Average(
        seed => SplitMnist.Accuracy(scenario, seed, () => Strategies.Named(name).Create(new StrategyBudget()), perClass));
}
