using Engram.Evaluation;

namespace Engram.Reporting.Tests;

public sealed class RunResultsTests
{
    [Theory]
    [InlineData("{\"schemaVersion\": 2, \"somethingNew\": true}", "schemaVersion: 2")]
    [InlineData("{\"schemaVersion\": 0}", "schemaVersion: 0")]
    [InlineData("{\"schemaVersion\": \"1\"}", "schemaVersion: \"1\"")]
    [InlineData("{}", "schemaVersion: missing")]
    [InlineData("[]", "found Array")]
    [InlineData("null", "found Null")]
    [InlineData("{\"schemaVersion\": 1", "results:")]
    [InlineData("{\"schemaVersion\": 1}", "experiment")]
    public void What_is_no_results_file_of_a_known_schema_is_refused_by_name(string json, string expected)
    {
        var problem = Assert.Throws<FormatException>(() => RunResults.FromJson(json));

        Assert.Contains(expected, problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_field_that_is_null_is_refused()
    {
        var run = SampleRuns.Digits(1) with { Strategies = [] };
        var json = run.ToJson().Replace("\"strategies\": []", "\"strategies\": null", StringComparison.Ordinal);

        var metric = (run with { SummaryMetrics = ["brier"] }).ToJson().Replace("\"brier\"", "null", StringComparison.Ordinal);
        Assert.Contains("summaryMetrics[0]: null", Assert.Throws<FormatException>(() => RunResults.FromJson(metric)).Message, StringComparison.Ordinal);
        var problem = Assert.Throws<FormatException>(() => RunResults.FromJson(json));

        Assert.Contains("strategies", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_strategy_whose_numbers_do_not_fit_together_is_refused_by_name()
    {
        var run = SampleRuns.Digits(1);
        var good = run.Strategies[0];
        foreach (var (bad, expected) in new (StrategyResult?, string)[]
        {
            (null, "strategies[0]: null"), (good with { AccuracySoFar = [] }, "strategies[0].accuracySoFar: 0, expected 3"),
            (good with { Accuracy = [] }, "strategies[0].accuracy: empty"), (good with { Accuracy = [[7], .. good.Accuracy[1..]] }, "strategies[0].accuracy[0]"),
            (good with { Accuracy = [.. good.Accuracy[..^1], []] }, "strategies[0].accuracy["),
        })
        {
            var json = (run with { Strategies = [bad!] }).ToJson();
            Assert.Contains(expected, Assert.Throws<FormatException>(() => RunResults.FromJson(json)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_diverged_loss_survives_the_round_trip()
    {
        var run = SampleRuns.Digits(1);
        var diverged = run with
        {
            Strategies = [run.Strategies[0] with { Costs = [.. run.Strategies[0].Costs.Select(cost => cost with { FinalLoss = double.NaN })] }],
        };

        var read = RunResults.FromJson(diverged.ToJson());

        Assert.True(double.IsNaN(read.Strategies[0].Costs[0].FinalLoss));
    }
}
