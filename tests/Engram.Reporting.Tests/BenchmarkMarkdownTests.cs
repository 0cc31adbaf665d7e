using Engram.Evaluation.Benchmarks;
using Engram.Learning;
using Engram.Reporting.Benchmarks;

namespace Engram.Reporting.Tests;

public class BenchmarkMarkdownTests
{
    [Fact]
    public void What_is_verified_and_what_is_not_is_told_by_name()
    {
        BenchmarkEntry Entry(string title, Scenario scenario, Verdict verdict, Verdict transfer = Verdict.Agrees, int? asked = null) =>
            new("m", title, scenario, new MeasuredNumber(90, 1, 5), verdict == Verdict.None ? null : new PublishedNumber(90), verdict, [90], [0], 1, "engram bench x",
                new TransferEntry(new MeasuredNumber(5.25, 0.5, 5), new PublishedNumber(5, null, 0.5), transfer, [5.25]), asked);
        var table = new BenchmarkTable
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
                Entry("EWC", Scenario.TaskIncremental, Verdict.Agrees), Entry("EWC", Scenario.ClassIncremental, Verdict.Agrees, Verdict.Below),
                Entry("ER", Scenario.ClassIncremental, Verdict.Below, asked: 20), Entry("SI", Scenario.ClassIncremental, Verdict.None, Verdict.None, asked: 5),
            ],
            Missing = [new MissingEntry("DGR", Scenario.DomainIncremental)],
        };
        (string Says, string Entries)[] expected =
        [
            ("Verified, agrees with the paper", "EWC (task, class); EWC (task, BWT); ER (class, BWT)"),
            ("Below the paper", "ER (class); EWC (class, BWT)"),
            ("Not verified, no number of the paper is recorded here", "SI (class)"),
            ("Not verified, one seed tells no standard error", "SI (class, BWT)"),
            ("Fewer seeds than asked for", "ER (class, 5 of 20 seeds)"),
            ("Not computed", "DGR (domain)"),
        ];

        var (text, page) = (BenchmarkMarkdown.Render(table), BenchmarkPage.Render(table));

        Assert.All(expected, list => Assert.Contains($"\n**{list.Says}**: {list.Entries}.\n", text, StringComparison.Ordinal));
        Assert.All(expected, list => Assert.Contains($"<li><b>{list.Says}</b>: {list.Entries}.</li>", page, StringComparison.Ordinal));
        Assert.Contains("| 5 of 20 |", text, StringComparison.Ordinal);
        Assert.Contains("<td>5 of 20</td>", page, StringComparison.Ordinal);
        Assert.Contains("counts as if its error were 0", text, StringComparison.Ordinal);
        Assert.Contains("counts as if its error were 0", page, StringComparison.Ordinal);
        Assert.Contains("| +5.25 ± 0.50 (published +5.00, agrees) |", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Above", text, StringComparison.Ordinal);
    }
}
