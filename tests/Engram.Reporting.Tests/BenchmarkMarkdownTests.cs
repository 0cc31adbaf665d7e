using Engram.Evaluation.Benchmarks;
using Engram.Learning;
using Engram.Reporting.Benchmarks;

namespace Engram.Reporting.Tests;

public class BenchmarkMarkdownTests
{
    [Fact]
    public void What_is_verified_and_what_is_not_is_told_by_name()
    {
        BenchmarkEntry Entry(string title, Scenario scenario, Verdict verdict) =>
            new("m", title, scenario, new MeasuredNumber(90, 1, 5), verdict == Verdict.None ? null : new PublishedNumber(90), verdict, [90], [0], 1, "engram bench x",
                new TransferEntry(new MeasuredNumber(5.25, 0.5, 5), new PublishedNumber(5, null, 0.5), Verdict.Agrees, [5.25]));
        var text = BenchmarkMarkdown.Render(new BenchmarkTable
        {
            Benchmark = "x",
            Title = "X",
            Source = "a paper",
            Protocol = "a protocol",
            IsShort = false,
            Command = "engram bench x",
            CellSeconds = 3600,
            Environment = new Dictionary<string, string> { ["processor"] = "p", ["cores"] = "2", ["libtorch"] = "2", ["Engram"] = "0" },
            Entries =
            [
                Entry("EWC", Scenario.TaskIncremental, Verdict.Agrees), Entry("EWC", Scenario.ClassIncremental, Verdict.Agrees),
                Entry("ER", Scenario.ClassIncremental, Verdict.Below), Entry("SI", Scenario.ClassIncremental, Verdict.None),
            ],
            Missing = [new MissingEntry("DGR", Scenario.DomainIncremental)],
        });

        Assert.Contains("**Verified, agrees with the paper**: EWC (task, class).", text, StringComparison.Ordinal);
        Assert.Contains("**Below the paper**: ER (class).", text, StringComparison.Ordinal);
        Assert.Contains("**Not verified, the paper gives no number**: SI (class).", text, StringComparison.Ordinal);
        Assert.Contains("**Not computed**: DGR (domain).", text, StringComparison.Ordinal);
        Assert.Contains("| +5.25 ± 0.50 (published +5.00, agrees) |", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Above", text, StringComparison.Ordinal);
    }
}
