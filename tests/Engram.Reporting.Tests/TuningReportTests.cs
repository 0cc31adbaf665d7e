using Engram.Evaluation.Benchmarks;
using Engram.Evaluation.Tuning;
using Engram.Reporting.Tuning;

namespace Engram.Reporting.Tests;

public class TuningReportTests
{
    [Fact]
    public void The_front_has_what_nothing_is_better_than_in_both()
    {
        var front = TradeOffPlot.FrontOf([Row(0, 0.9, 0.2), Row(1, 0.5, 0.5), Row(2, 0.8, 0.5), Row(3, 0.9, 0.1), Row(4, 0.3, 0.7)]);
        Assert.Equal([0, 2, 4], front.Select(row => row.Number));
    }

    [Fact]
    public void The_report_shows_every_measurement_with_its_command_and_encodes_what_comes_from_outside()
    {
        using var folder = new TemporaryFolder();
        var results = new TuningResults
        {
            Experiment = "<script>",
            Strategy = "EWC",
            Method = "grid",
            Objective = "finalAverageAccuracy",
            Settings = new Dictionary<string, string> { ["vary"] = "λ" },
            Command = "engram tune a.yaml",
            Seconds = 3,
            Environment = new Dictionary<string, string>(),
            Rows = [Row(0, 0.9, 0.2, chosen: true), Row(1, 0.5, double.NaN), Row(2, double.NaN, double.NaN) with { Failure = "a.yaml: <b>" }],
            Missing = 1,
        };
        var files = TuningReport.Write(results, folder.Path);
        Assert.All(files, file => Assert.True(new FileInfo(file).Length > 100));
        var page = File.ReadAllText(files[2]);
        Assert.DoesNotContain("<script>", page, StringComparison.Ordinal);
        Assert.Contains("engram tune a.yaml --only 1", page, StringComparison.Ordinal);
        Assert.Contains("failed: a.yaml: &lt;b&gt;", page, StringComparison.Ordinal);
        Assert.Contains("1 measurements are missing", page, StringComparison.Ordinal);
        Assert.Contains("data:image/png;base64,", page, StringComparison.Ordinal);
        Assert.Equal([0x89, (byte)'P', (byte)'N', (byte)'G'], File.ReadAllBytes(files[1])[..4]);
    }

    private static TuningRow Row(int number, double @new, double old, bool chosen = false) => new(
        number, 1, new Dictionary<string, string> { ["lambda"] = "1" }, MeasuredNumber.Of([@new]), @new, old, 0.1, 1, chosen,
        $"engram tune a.yaml --only {number}");
}
