using Engram.Evaluation;

namespace Engram.Tests.Evaluation;

public class RunComparisonTests
{
    [Fact]
    public void Differences_are_taken_run_by_run_and_missing_strategies_left_out()
    {
        var comparison = RunComparison.Of([Run(("a", 0.5), ("b", 0.6)), Run(("a", 0.7), ("b", 0.9)), Run(("b", 0.2))]);

        Assert.Equal("a", comparison.Baseline);
        var (a, b) = (comparison.Rows[0], comparison.Rows[1]);
        Assert.Equal([50, 70, double.NaN], a.PerRun);
        Assert.Equal((60, 2), (a.Accuracy.Mean, a.Accuracy.Seeds));
        Assert.Null(a.Difference);
        // 10 and 20 points: mean 15, population variance 25, over n - 1 = 1.
        Assert.Equal(15, b.Difference!.Mean, 1e-9);
        Assert.Equal(5, b.Difference.Sem, 1e-9);
    }

    [Fact]
    public void Seeds_may_deal_the_classes_to_other_experiences_but_not_bring_other_classes()
    {
        RunResults Dealt(params string[] groups) => Run(("a", 0.5)) with
        {
            Groups = [.. groups.Select(group => new ClassGroup(group, group.Split(',')))],
        };
        Assert.Equal(2, RunComparison.Of([Dealt("4,0", "1,7"), Dealt("0,1", "7,4")]).Rows[0].Accuracy.Seeds);
        Assert.Throws<ArgumentException>(() => RunComparison.Of([Dealt("4,0", "1,7"), Dealt("0,1", "7,5")]));
        Assert.Throws<ArgumentException>(() => RunComparison.Of([Dealt("4,0", "1,7"), Dealt("0,1,7,4")]));
    }

    [Fact]
    public void Runs_of_different_experiments_and_an_unknown_baseline_are_refused()
    {
        var run = Run(("a", 0.5));
        Assert.Contains("one experiment", Assert.Throws<ArgumentException>(() =>
            RunComparison.Of([run, run with { Experiment = "other" }])).Message, StringComparison.Ordinal);
        Assert.Contains("\"c\"", Assert.Throws<ArgumentException>(() => RunComparison.Of([run], "c")).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => RunComparison.Of([]));
        Assert.Throws<ArgumentException>(() => RunComparison.Of([Run()]));
    }

    [Fact]
    public void Runs_must_differ_in_the_seed_alone()
    {
        static RunResults With(string seed, string rate, string file = "my.yaml") => Run(("a", 0.5)) with
        {
            Settings = new Dictionary<string, string> { ["file"] = file, ["seed"] = seed, ["rate"] = rate },
        };
        Assert.Equal(2, RunComparison.Of([With("0", "1"), With("1", "1", "copy.yaml")]).Rows[0].Accuracy.Seeds);
        var other = With("0", "1") with { Strategies = Run(("b", 0.5)).Strategies };
        Assert.Equal(["a", "b"], RunComparison.Of([With("0", "1"), other]).Rows.Select(row => row.Name)); // each strategy in a run of its own
        Assert.Equal("runs: rate: \"2\" beside \"1\", expected runs that differ in the seed alone",
            Assert.Throws<ArgumentException>(() => RunComparison.Of([With("0", "1"), With("1", "2")])).Message);
        Assert.Contains("rate: \"nothing\" beside \"1\"",
            Assert.Throws<ArgumentException>(() => RunComparison.Of([With("0", "1"), Run(("a", 0.5))])).Message, StringComparison.Ordinal);
        Assert.Equal("runs: seed 3 of a is there 2 times, expected each seed once",
            Assert.Throws<ArgumentException>(() => RunComparison.Of([With("3", "1"), With("1", "1"), With("3", "1")])).Message);
    }

    private static RunResults Run(params (string Name, double Final)[] strategies) => new()
    {
        SchemaVersion = 1,
        Experiment = "test",
        Started = default,
        Seconds = 1,
        Command = "",
        Settings = new Dictionary<string, string>(),
        Environment = new Dictionary<string, string>(),
        Groups = [new ClassGroup("0", ["0"])],
        Meaning = [],
        Strategies = [.. strategies.Select(strategy => new StrategyResult
        {
            Name = strategy.Name,
            Title = strategy.Name,
            Accuracy = [[strategy.Final]],
            AccuracySoFar = [strategy.Final],
            AccuracyPerClass = [[strategy.Final]],
            Confusion = [[1]],
            Metrics = new Dictionary<string, double> { ["forgetting"] = 0.1 },
            Costs = [],
            MemoryBytes = 0,
        })],
    };
}
