using System.Text.Json;
using Engram.Evaluation;

namespace Engram.Tests.Docs;

public class ResultsGuideTests
{
    [Fact]
    public void The_guide_to_results_lists_every_metric()
    {
        var guide = File.ReadAllText(Path.Combine(TestData.Root, "docs", "results.md"));
        Assert.All(MetricNames.All, name => Assert.Contains($"\n| `{name}` |", guide, StringComparison.Ordinal));
    }

    [Fact]
    public void The_guide_to_results_defines_every_cost()
    {
        var guide = File.ReadAllText(Path.Combine(TestData.Root, "docs", "results.md"));
        Assert.All(
            typeof(StrategyCost).GetProperties().Select(property => JsonNamingPolicy.CamelCase.ConvertName(property.Name)),
            name => Assert.Contains($"\n| `cost.{name}` |", guide, StringComparison.Ordinal));
    }
}
