using System.Text.Json.Nodes;
using Engram.Evaluation;
using Engram.Evaluation.Benchmarks;
using Engram.Evaluation.Tuning;
using Engram.Learning;

namespace Engram.Cli.Tests;

/// <summary>Reports and comparisons of results that are damaged, or of something else than runs.</summary>
public class RunFolderTests
{
    private static readonly StrategyResult s_naive = new()
    {
        Name = "naive",
        Title = "Naive",
        Accuracy = [[1], [0.25, 0.75]],
        AccuracySoFar = [1, 0.5],
        AccuracyPerClass = [[1], [0.25, 0.75]],
        Confusion = [[1, 3], [1, 3]],
        Metrics = new Dictionary<string, double>
        {
            ["finalAverageAccuracy"] = 0.5,
            ["averageIncrementalAccuracy"] = 0.75,
            ["learningAccuracy"] = 0.875,
            ["forgetting"] = 0.75,
            ["backwardTransfer"] = -0.75,
            ["maximumForgetting"] = 0.75,
            ["remembering"] = 0.25,
            ["stabilityPlasticity"] = 0.4,
            ["macroF1"] = 0.5,
            ["calibrationError"] = double.NaN,
            ["brier"] = double.NaN,
            ["anytimeAccuracy"] = 0.75,
        },
        Costs = [new ExperienceCost(4, 1, 1, 0.5), new ExperienceCost(4, 1, 1, 0.5)],
        MemoryBytes = 0,
    };

    private static readonly RunResults s_run = new()
    {
        SchemaVersion = RunResults.CurrentSchemaVersion,
        Experiment = "small",
        Started = default,
        Seconds = 1,
        Command = "engram run small.yaml",
        Settings = new Dictionary<string, string> { ["seed"] = "0" },
        Environment = new Dictionary<string, string>(),
        Groups = [new ClassGroup("a", ["a"]), new ClassGroup("b", ["b"])],
        Strategies = [s_naive],
        Meaning = [],
    };

    private static readonly BenchmarkTable s_table = new()
    {
        Benchmark = "x",
        Title = "X",
        Source = "a paper",
        Protocol = "a protocol",
        IsShort = false,
        Command = "engram bench x",
        CellSeconds = 1,
        Environment = new Dictionary<string, string>(),
        Entries = [new BenchmarkEntry("none", "None", Scenario.ClassIncremental, new MeasuredNumber(20, 1, 2), null, Verdict.None,
            [19, 21], [0, 1], 1, "engram bench x", new TransferEntry(new MeasuredNumber(-90, 1, 2), null, Verdict.None, [-91, -89]))],
    };

    private static readonly TuningResults s_search = new()
    {
        Experiment = "small",
        Strategy = "EWC",
        Method = "grid",
        Objective = "finalAverageAccuracy",
        Settings = new Dictionary<string, string>(),
        Command = "engram tune small.yaml",
        Seconds = 1,
        Environment = new Dictionary<string, string>(),
        Rows = [new TuningRow(0, 1, new Dictionary<string, string> { ["lambda"] = "1" }, new MeasuredNumber(0.5, double.NaN, 1), 0.6, 0.4, 0.1, 1, true, "engram tune")],
    };

    [Theory]
    [InlineData("run", "strategies.0.confusion.1", "null", "strategies[0].confusion[1]: null")]
    [InlineData("run", "strategies.0.confusion.1", "[4]", "strategies[0].confusion[1]: 1, expected 2")]
    [InlineData("run", "strategies.0.confusion.1.0", "-4", "strategies[0].confusion[1]: -4")]
    [InlineData("run", "strategies.0.costs.0", "null", "strategies[0].costs[0]: null")]
    [InlineData("run", "strategies.0.costs", "[]", "strategies[0].costs: 0, expected 2")]
    [InlineData("run", "strategies.0.costs.0", "{ \"samples\": 4 }", "strategies[0].costs[0]: without trainSeconds, evaluationSeconds, finalLoss (line ")]
    [InlineData("run", "strategies.0.costs.0.samples", "-4", "strategies[0].costs:")]
    [InlineData("run", "strategies.0.accuracyPerClass.1", "null", "strategies[0].accuracyPerClass[1]: null")]
    [InlineData("run", "strategies.0.accuracyPerClass.1.0", "1.5", "strategies[0].accuracyPerClass[1][0]: 1.5, expected 0 to 1")]
    [InlineData("run", "strategies.0.accuracySoFar.1", "150", "strategies[0].accuracySoFar[1]: 150, expected 0 to 1")]
    [InlineData("run", "strategies.0.memoryBytes", "-1", "strategies[0].memoryBytes: -1")]
    [InlineData("run", "strategies.0.confusion", "[[4]]", "strategies[0].confusion: 1, expected 2")]
    [InlineData("run", "strategies.0.metrics", "null", "strategies[0].metrics: null, expected an object (line ")]
    [InlineData("run", "strategies.0.metrics", "{}", "strategies[0].metrics.finalAverageAccuracy: missing")]
    [InlineData("run", "strategies.0.metrics.forgetting", "-1.5", "strategies[0].metrics.forgetting: -1.5, expected -1 to 1")]
    [InlineData("run", "strategies.0.metrics.brier", "2.5", "strategies[0].metrics.brier: 2.5, expected 0 to 2")]
    [InlineData("run", "strategies.0.metrics.macroF1", "7", "strategies[0].metrics.macroF1: 7, expected 0 to 1")]
    [InlineData("run", "groups", "[]", "groups: none")]
    [InlineData("run", "groups", """[{ "name": "a", "classes": ["a", "b"] }]""", "groups: 1, expected 2 or more")]
    [InlineData("run", "groups.1.classes.0", "null", "groups[1].classes[0]: null")]
    [InlineData("run", "groups.1", "{ \"name\": \"b\" }", "classes")]
    [InlineData("run", "seconds", "\"NaN\"", "seconds: NaN, expected 0 to")]
    [InlineData("run", "meaning", "[null]", "meaning[0]: null")]
    [InlineData("run", "settings.seed", "null", "settings.seed: null")]
    [InlineData("benchmark", "entries", "[]", "entries: none")]
    [InlineData("benchmark", "entries.0", "null", "entries[0]: null")]
    [InlineData("benchmark", "entries.0.accuracies.0", "150", "entries[0].accuracies: 150, expected 0 to 100")]
    [InlineData("benchmark", "entries.0.accuracies", "[20]", "entries[0].accuracies: 1, expected 2")]
    [InlineData("benchmark", "entries.0.seeds", "[]", "entries[0].seeds: none")]
    [InlineData("benchmark", "entries.0.seeds", "[1, 1]", "entries[0].seeds: 1, 1, expected each once")]
    [InlineData("benchmark", "entries.0.measured.mean", "25", "entries[0].measured.mean: 25, expected 20")]
    [InlineData("benchmark", "entries.0.measured.sem", "0.25", "entries[0].measured.sem: 0.25, expected")]
    [InlineData("benchmark", "entries.0.measured.seeds", "9", "entries[0].measured.seeds: 9, expected 2")]
    [InlineData("benchmark", "entries.0.secondsPerSeed", "1e300", "entries[0].secondsPerSeed: 1E+300, expected 0 to")]
    [InlineData("benchmark", "cellSeconds", "-1", "cellSeconds: -1")]
    [InlineData("benchmark", "entries.0.transfer.measured.mean", "-9", "entries[0].transfer.measured.mean: -9, expected -90")]
    [InlineData("benchmark", "entries.0.transfer.values", "[]", "entries[0].transfer.values: 0, expected 2")]
    [InlineData("benchmark", "entries.0.transfer.values", "null", "values")]
    [InlineData("benchmark", "entries.0.verdict", "99", "entries[0].verdict: 99, expected one of ")]
    [InlineData("search", "rows", "[]", "rows: none")]
    [InlineData("search", "rows.0.new", "7", "rows[0].new: 7, expected 0 to 1")]
    [InlineData("search", "rows.0.values.lambda", "null", "rows[0].values.lambda: null")]
    [InlineData("search", "rows.0.score", "null", "rows[0].score: null, expected an object (line ")]
    [InlineData("search", "rows.0.score.mean", "7", "rows[0].score.mean: 7, expected 0 to 1")]
    [InlineData("search", "rows.0.score.sem", "-1", "rows[0].score.sem: -1")]
    [InlineData("search", "rows.0.seconds", "-1", "rows[0].seconds: -1")]
    [InlineData("search", "missing", "-1", "missing: -1")]
    public void Damaged_results_are_one_line_that_names_file_and_field_and_exit_code_2(string kind, string place, string value, string expected)
    {
        using var folder = new Folder();
        Write(folder, kind);
        var sound = Terminal.Run("report", folder.Path);
        Assert.True(sound.Code == ExitCode.Success, sound.Error);
        var file = folder[kind == "search" ? "tuning.json" : "results.json"];
        File.WriteAllText(file, With(File.ReadAllText(file), place, value));

        var outcome = Terminal.Run(kind == "run" ? "compare" : "report", folder.Path);

        Assert.Equal(ExitCode.Usage, outcome.Code);
        var line = Assert.Single(outcome.ErrorLines);
        Assert.Contains($"{Path.GetFileName(file)}: damaged (", line, StringComparison.Ordinal);
        Assert.Contains(expected, line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("run", "strategies", "strategies[1].name: naive is there already")]
    [InlineData("search", "rows", "rows: 2 are chosen, expected one at most")]
    public void What_there_is_once_is_not_there_twice(string kind, string list, string expected)
    {
        using var folder = new Folder();
        Write(folder, kind);
        var file = folder[kind == "search" ? "tuning.json" : "results.json"];
        var first = JsonNode.Parse(File.ReadAllText(file))![list]![0]!.ToJsonString();
        File.WriteAllText(file, With(File.ReadAllText(file), list, $"[{first}, {first}]"));

        var outcome = Terminal.Run("report", folder.Path);

        Assert.Equal(ExitCode.Usage, outcome.Code);
        Assert.Contains(expected, Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public void A_benchmark_from_before_backward_transfer_still_makes_a_report()
    {
        using var folder = new Folder();
        var table = JsonNode.Parse(s_table.ToJson())!;
        table["entries"]![0]!.AsObject().Remove("transfer");
        File.WriteAllText(folder["results.json"], table.ToJsonString());

        var outcome = Terminal.Run("report", folder.Path);

        Assert.True(outcome.Code == ExitCode.Success, outcome.Error);
    }

    [Theory]
    [InlineData("benchmark", "holds a benchmark's table")]
    [InlineData("search", "holds a search")]
    public void What_is_no_run_is_not_compared_and_told_for_what_it_is(string kind, string expected)
    {
        using var folder = new Folder();
        Write(folder, kind);
        var outcome = Terminal.Run("compare", folder.Path);
        Assert.Equal(ExitCode.Usage, outcome.Code);
        Assert.Contains(expected, Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_is_compared_once()
    {
        using var folder = new Folder();
        Write(folder, "run");
        var outcome = Terminal.Run("compare", folder.Path, folder.Path + Path.DirectorySeparatorChar);
        Assert.Equal(ExitCode.Usage, outcome.Code);
        Assert.Contains($"\"{folder.Path}\" is named 2 times, expected each run once", Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("training: { epochs: 1 }", "training: { epochs: 2 }", "training.epochs: \"1\" in ")]
    [InlineData("training: { epochs: 1 }", "memory: 5", "training: keys with values in ")]
    [InlineData("strategies: [{ name: e, mechanisms: [ewc: { lambda: 1 }] }]", "strategies: [{ name: e, mechanisms: [ewc: { lambda: 2 }] }]", "strategies[0].mechanisms[0].ewc.lambda: \"1\" in ")]
    [InlineData("strategies: [naive, { name: e, mechanisms: [ewc: { lambda: 1 }] }]", "strategies: [{ name: e, mechanisms: [ewc: { lambda: 1 }] }, replay]", null)]
    [InlineData("stream: { groups: [[0], [1]] }", "stream: { groups: [[0], [1], [2]] }", "stream.groups[2]: nothing in ")]
    [InlineData("seed: 1 # first", "tune: { trials: 5 }\nseed: 2", null)]
    public void Files_of_compared_runs_differ_in_the_seed_alone(string first, string second, string? expected)
    {
        using var folder = new Folder();
        var outcome = Compare(folder, "experiment.yaml", [first, second], ["0", "1"]);
        AssertSame(outcome, expected, "expected runs that differ in the seed alone");
    }

    [Fact]
    public void A_strategy_that_the_first_run_has_not_is_the_same_in_the_others()
    {
        using var folder = new Folder();
        string[] files = ["strategies: [naive]", .. new[] { 1, 2 }.Select(lambda => $"strategies: [{{ name: e, mechanisms: [ewc: {{ lambda: {lambda} }}] }}]")];
        AssertSame(Compare(folder, "experiment.yaml", files, ["0", "1", "2"]), "strategies[0].mechanisms[0].ewc.lambda: \"1\" in ", "expected runs that differ in the seed alone");
    }

    [Theory]
    [InlineData("{\"dataFingerprint\":\"a\"}", "{\"dataFingerprint\":\"b\"}", "data of fingerprint: a in ")]
    [InlineData("{\"dataFingerprint\":\"a\"}", "{\"dataFingerprint\":\"a\"}", null)]
    [InlineData("{\"dataFingerprint\":\"a\"}", "{}", null)]
    [InlineData("{\"dataFingerprint\":\"a\"}", "{", "settings.json: damaged (")]
    [InlineData("{\"dataFingerprint\":\"a\"}", "{\"dataFingerprint\":[]}", "settings.json: damaged (")]
    public void Compared_runs_have_the_same_data(string first, string second, string? expected)
    {
        using var folder = new Folder();
        AssertSame(Compare(folder, "settings.json", [first, second], ["0", "1"]), expected, "expected ");
    }

    [Fact]
    public void A_seed_twice_and_another_setting_are_one_line_and_exit_code_2()
    {
        using var folder = new Folder();
        AssertSame(Compare(folder, "none", ["", ""], ["0", "0"]), "seed 0 of naive is there 2 times", "expected each seed once");
        AssertSame(Compare(folder, "none", ["", ""], ["0", "1"], ["1", "2"]), "epochs: \"2\" beside \"1\"", "expected runs that differ in the seed alone");
    }

    [Fact]
    public void More_than_six_runs_are_not_shown_one_by_one_and_that_is_said()
    {
        using var folder = new Folder();
        string[] seeds = ["0", "1", "2", "3", "4", "5"];
        var six = Compare(folder, "none", [.. seeds.Select(_ => "")], seeds);
        var seven = Compare(folder, "none", [.. seeds.Select(_ => ""), ""], [.. seeds, "6"]);
        Assert.DoesNotContain("--json", six.Out, StringComparison.Ordinal);
        Assert.Contains("More than 6 runs: each by itself is in --json only.", seven.Out, StringComparison.Ordinal);
    }

    private static Outcome Compare(Folder folder, string file, string[] contents, string[] seeds, string[]? epochs = null)
    {
        var runs = seeds.Select((_, i) => folder[$"run-{i}"]).ToArray();
        foreach (var (i, run) in runs.Index())
        {
            Directory.CreateDirectory(run);
            var settings = new Dictionary<string, string> { ["seed"] = seeds[i], ["epochs"] = epochs?[i] ?? "1" };
            File.WriteAllText(Path.Combine(run, "results.json"), (s_run with { Settings = settings }).ToJson());
            File.WriteAllText(Path.Combine(run, file), contents[i]);
        }
        return Terminal.Run(["compare", .. runs]);
    }

    private static void AssertSame(Outcome outcome, string? expected, string end)
    {
        Assert.Equal(expected is null ? ExitCode.Success : ExitCode.Usage, outcome.Code);
        if (expected is null) return;
        var line = Assert.Single(outcome.ErrorLines);
        Assert.Contains(expected, line, StringComparison.Ordinal);
        Assert.Contains(end, line, StringComparison.Ordinal);
    }

    private static void Write(Folder folder, string kind)
    {
        if (kind == "search") File.WriteAllText(folder["tuning.json"], s_search.ToJson());
        else File.WriteAllText(folder["results.json"], kind == "run" ? s_run.ToJson() : s_table.ToJson());
    }

    // Fields and places of lists, with points between them.
    private static string With(string json, string place, string value)
    {
        var root = JsonNode.Parse(json)!;
        var steps = place.Split('.');
        var parent = steps[..^1].Aggregate(root, (node, step) => int.TryParse(step, out var at) ? node[at]! : node[step]!);
        if (int.TryParse(steps[^1], out var last)) parent[last] = JsonNode.Parse(value);
        else parent[steps[^1]] = JsonNode.Parse(value);
        return root.ToJsonString();
    }
}
