using System.Text.RegularExpressions;

namespace Engram.Reporting.Tests;

public sealed partial class HtmlReportTests
{
    private static readonly string[] s_void = ["meta", "link", "br"];

    [Fact]
    public void The_page_holds_every_section_and_every_number()
    {
        var run = SampleRuns.Digits();

        var html = HtmlReport.Render(run);

        foreach (var id in new[] { "summary", "curves", "matrices", "classes", "confusion", "costs", "run" })
            Assert.Contains($"<section id=\"{id}\">", html, StringComparison.Ordinal);
        Assert.All(run.Meaning, sentence => Assert.Contains(sentence, html, StringComparison.Ordinal));
        Assert.Contains(run.Command, html, StringComparison.Ordinal);
        Assert.Contains("2026-03-01 14:05 &#x2B;02:00", html, StringComparison.Ordinal);
        foreach (var pair in run.Settings.Concat(run.Environment))
            Assert.Contains($"<th scope=\"row\">{pair.Key}</th><td class=\"text\">{pair.Value}</td>", html, StringComparison.Ordinal);
        foreach (var strategy in run.Strategies)
        {
            foreach (var accuracy in strategy.Accuracy.Append(strategy.AccuracyPerClass[^1]).Append(strategy.AccuracySoFar).SelectMany(row => row))
                Assert.Contains(Quantity.Percent(accuracy), html, StringComparison.Ordinal);
            foreach (var count in strategy.Confusion.SelectMany(row => row))
                Assert.Contains($">{Quantity.Count(count)}</td>", html, StringComparison.Ordinal);
            foreach (var metric in strategy.Metrics.Values)
                Assert.Contains($"<td>{Quantity.Fixed(metric, 4)}</td>", html, StringComparison.Ordinal);
            foreach (var cost in strategy.Costs)
                Assert.Contains($"<td>{Quantity.Fixed(cost.TrainSeconds, 2)}</td>", html, StringComparison.Ordinal);
            Assert.Contains(Quantity.Bytes(strategy.MemoryBytes), html, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_page_needs_nothing_else_and_says_so()
    {
        var html = HtmlReport.Render(SampleRuns.Digits());

        Assert.DoesNotMatch("(?i)https?:|//cdn|@import|url\\(|<script|<img|<iframe|javascript:", html);
        Assert.Contains("Content-Security-Policy\" content=\"default-src 'none'", html, StringComparison.Ordinal);
        Assert.Contains("<html lang=\"en\">", html, StringComparison.Ordinal);
        Assert.Contains("@media print", html, StringComparison.Ordinal);
        Assert.Contains("light-dark(", html, StringComparison.Ordinal);
        Assert.Equal(Regex.Count(html, "<table"), Regex.Count(html, "<caption>"));
        Assert.Contains("role=\"img\" aria-labelledby=", html, StringComparison.Ordinal);
    }

    [Fact]
    public void Hostile_labels_stay_text()
    {
        var html = HtmlReport.Render(SampleRuns.WithHostileLabels());

        Assert.DoesNotContain("<script", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("<b>dog", html, StringComparison.Ordinal);
        Assert.DoesNotContain("\" onload=", html, StringComparison.Ordinal);
        Assert.Contains("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; &#x27;q&#x27; 数字", html, StringComparison.Ordinal);
        AssertBalanced(html);
    }

    [Fact]
    public void Odd_runs_give_whole_pages()
    {
        var digits = SampleRuns.Digits(2);
        foreach (var run in new[]
        {
            digits,
            SampleRuns.Digits(12),
            SampleRuns.Of("nothing", 0, []) with { Meaning = [], Settings = new Dictionary<string, string>() },
            SampleRuns.Of("one", 1, [new("all", ["a"])]),
            SampleRuns.WithManyGroups(30),
            digits with
            {
                Strategies =
                [
                    digits.Strategies[0] with { Accuracy = [[0.9]], AccuracySoFar = [0.9], AccuracyPerClass = [[0.9]] },
                    digits.Strategies[1] with
                    {
                        Accuracy = [], AccuracySoFar = [], AccuracyPerClass = [], Confusion = [], Costs = [],
                    },
                ],
            },
        })
        {
            var html = HtmlReport.Render(run);
            AssertBalanced(html);
            Assert.DoesNotContain("NaN", html, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_best_strategy_is_marked_unless_there_is_a_tie()
    {
        Assert.Single(Regex.Matches(HtmlReport.Render(SampleRuns.Digits()), "class=\"final best\""));
        Assert.Empty(Regex.Matches(HtmlReport.Render(SampleRuns.Of("tie", 2, [new("all", ["a"])])), "class=\"final best\""));
    }

    [Fact]
    public void Many_classes_give_the_worst_confusions_instead_of_a_huge_matrix()
    {
        var html = HtmlReport.Render(SampleRuns.WithManyGroups(30));

        Assert.Contains("The most frequent of the confusions among 60 classes", html, StringComparison.Ordinal);
        Assert.DoesNotContain("Confusion matrix of", html, StringComparison.Ordinal);
    }

    private static void AssertBalanced(string html)
    {
        var open = new Stack<string>();
        foreach (Match tag in Tag().Matches(StyleBlock().Replace(html, "")))
        {
            var name = tag.Groups["name"].Value;
            if (tag.Value.EndsWith("/>", StringComparison.Ordinal) || s_void.Contains(name)) continue;
            if (tag.Groups["close"].Length == 0) open.Push(name);
            else Assert.Equal(open.Pop(), name);
        }
        Assert.Empty(open);
    }

    [GeneratedRegex("<(?<close>/?)(?<name>[a-z][a-z0-9]*)(?:\"[^\"]*\"|[^\">])*>")]
    private static partial Regex Tag();

    [GeneratedRegex("<style>.*?</style>", RegexOptions.Singleline)]
    private static partial Regex StyleBlock();
}
