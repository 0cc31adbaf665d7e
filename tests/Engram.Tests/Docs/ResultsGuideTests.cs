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
}
