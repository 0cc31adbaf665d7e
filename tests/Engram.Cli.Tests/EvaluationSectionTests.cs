using System.Text.Json.Nodes;
using Engram.Cli.Experiments;
using Engram.Evaluation;

namespace Engram.Cli.Tests;

public class EvaluationSectionTests
{
    private const string Small = """
        data: { perClass: 6, testPerClass: 4 }
        model: { backbone: mlp 784-8 }
        strategies: [naive]
        """;

    [Fact]
    public void Metrics_of_the_summary_are_chosen_for_terminal_and_report_and_others_stay_in_the_file()
    {
        using var folder = new Folder();
        var run = Run(folder, "evaluation: { metrics: [macroF1, intransigence] }\nstream: { experiences: 2 }");
        Assert.True(run.Code == ExitCode.Success, run.Error);
        Assert.Contains("macro", run.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("For-", run.Out, StringComparison.Ordinal);

        var results = RunResults.FromJson(File.ReadAllText(folder["run/results.json"]));
        Assert.Equal(["macroF1", "intransigence"], results.SummaryMetrics!);
        Assert.Empty(results.Strategies[0].Metrics.Keys.Except(MetricNames.All));
        Assert.Equal(12, results.Strategies[0].Metrics.Count);

        File.Delete(folder["run/report.html"]);
        Assert.Equal(ExitCode.Success, Terminal.Run("report", folder["run"]).Code);
        Assert.Contains("<th scope=\"col\">macroF1</th><th scope=\"col\">intransigence</th>", File.ReadAllText(folder["run/report.html"]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("class-incremental", "", false, false)]
    [InlineData("class-incremental", "evaluation: { prequential: true }", true, false)]
    [InlineData("domain-incremental", "evaluation: { prequential: ~ }", false, true)]
    [InlineData("domain-incremental", "evaluation: { forwardTransfer: false }", false, false)]
    [InlineData("domain-incremental, online: 6", "", true, true)]
    [InlineData("domain-incremental, online: 6", "evaluation: { prequential: false, forwardTransfer: true }", false, true)]
    public void What_is_measured_is_the_files_choice(string stream, string evaluation, bool prequential, bool forward)
    {
        using var folder = new Folder();
        var run = Run(folder, $"stream: {{ groups: [[0, 1], [2, 3]], kind: {stream} }}\n{evaluation}");
        Assert.True(run.Code == ExitCode.Success, run.Error);
        var metrics = RunResults.FromJson(File.ReadAllText(folder["run/results.json"])).Strategies[0].Metrics;
        Assert.Equal((prequential, forward), (metrics.ContainsKey("prequentialAccuracy"), metrics.ContainsKey("forwardTransfer")));
    }

    [Theory]
    [InlineData("stream: { online: 6 }\nevaluation: { every: 0 }", "line 2: evaluation.every: 0, expected 1 or more")]
    [InlineData("evaluation: { every: 6 }", "line 1: evaluation.every: 6, expected none without stream.online")]
    public void Accuracy_between_tests_is_for_online_streams(string text, string expected)
    {
        using var folder = new Folder();
        var run = Run(folder, text);
        Assert.Equal(ExitCode.Usage, run.Code);
        Assert.Contains(expected, Assert.Single(run.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public void Accuracy_between_tests_makes_anytime_accuracy_another()
    {
        double Anytime(string evaluation)
        {
            using var folder = new Folder();
            var run = Run(folder, $"stream: {{ groups: [[0, 1], [2, 3]], online: 3 }}\n{evaluation}");
            Assert.True(run.Code == ExitCode.Success, run.Error);
            return RunResults.FromJson(File.ReadAllText(folder["run/results.json"])).Strategies[0].Metrics["anytimeAccuracy"];
        }
        Assert.NotEqual(Anytime(""), Anytime("evaluation: { every: 3 }"));
    }

    [Fact]
    public void The_schema_takes_null_where_the_reader_does()
    {
        var schema = JsonNode.Parse(ExperimentSchema.Render())!["properties"]!;
        Assert.Equal(["boolean", "null"], Types(schema["evaluation"]!, "prequential"));
        Assert.Equal(["integer", "null"], Types(schema["data"]!, "perClass"));
        Assert.Equal(["number", "null"], Types(schema["stream"]!, "validation"));
        Assert.Equal("boolean", (string)schema["evaluation"]!["properties"]!["forwardTransfer"]!["type"]!);
        var file = ExperimentFileTests.Read("data: { perClass: null }\nstream: { validation: ~, online: }\nstrategies: [naive]");
        Assert.Null(file.Data.PerClass ?? file.Stream.Online);
        Assert.Null(file.Stream.Validation);
    }

    private static string[] Types(JsonNode section, string key) =>
        [.. section["properties"]![key]!["type"]!.AsArray().Select(type => (string)type!)];

    private static Outcome Run(Folder folder, string text)
    {
        File.WriteAllText(folder["my.yaml"], $"{text}\n{Small}");
        return Terminal.Run("run", folder["my.yaml"], "--threads", "1", "--out", folder["run"]);
    }
}
