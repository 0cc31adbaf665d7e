using System.Text.Json.Nodes;
using Engram.Cli.Commands;
using Engram.Cli.Experiments;
using Engram.Data;
using Engram.Evaluation;

namespace Engram.Cli.Tests;

public class TuneTests
{
    private const string Small = """
        name: small
        data: { perClass: 12, testPerClass: 4 }   # few
        stream: { groups: [[0, 1], [2, 3]] }
        model: { backbone: mlp 784-16 }
        training: { batchSize: 8, optimizer: { kind: adam, learningRate: 0.01 } }
        memory: 10
        strategies:
          - naive
          - name: mine
            mechanisms:
              - ewc: { lambda: 5.5 }
        tune:
          strategy: mine
          method: grid
          validation: 0.25
          vary:
            training.optimizer.learningRate: [0.001, 0.01]
            strategies[1].mechanisms[0].ewc.lambda: [1, 1000]
        seed: 3
        """;

    private static readonly string s_two = Small.Replace("lambda: [1, 1000]", "lambda: [1000]", StringComparison.Ordinal);

    [Fact]
    public void Every_kind_of_stream_gives_a_search_its_experiences_without_a_test_sample()
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        var train = TensorSource.OfClasses(
            TorchSharp.torch.zeros(64, 1, 4, 4, dtype: TorchSharp.torch.ScalarType.Byte), [.. Enumerable.Range(0, 64).Select(i => i % 4)], Label.Numbers(0, 4));
        foreach (var kind in StreamSection.Kinds)
        {
            var data = new StreamSection { Kind = kind, Experiences = 2, Degrees = [0, 30], Blur = 0.25, Classes = 4 }.ForTuning(train, 0.25, seed: 1);
            Assert.Equal(2, data.Count);
            Assert.All([data[0], data[1]], experience => Assert.Equal(experience.Train.Count, 3 * experience.Validation!.Count));
        }
    }

    [Fact]
    public void A_search_measures_chooses_writes_and_measures_nothing_twice()
    {
        using var folder = Written(Small);
        var first = Tune(folder);
        Assert.True(first.Code == ExitCode.Success, first.Error);
        var results = first.JsonLines[^1]["results"]!;
        var rows = results["rows"]!.AsArray();
        Assert.Equal(4, rows.Count);
        Assert.Equal(1, rows.Count(row => (bool)row!["isChosen"]!));
        Assert.True((bool)rows[0]!["isChosen"]!);
        Assert.Equal(rows.Select(row => (double)row!["score"]!["mean"]!).OrderDescending(), rows.Select(row => (double)row!["score"]!["mean"]!));
        Assert.Equal($"engram tune {folder["small.yaml"]} --method grid --seed 3", (string)results["command"]!);
        Assert.All(first.JsonLines[^1]["files"]!.AsArray(), file => Assert.True(new FileInfo((string)file!).Length > 0));

        var chosen = ExperimentFile.Read(folder["out/chosen.yaml"]);
        Assert.Contains("# few", File.ReadAllText(folder["out/chosen.yaml"]), StringComparison.Ordinal);
        Assert.DoesNotContain("vary", File.ReadAllText(folder["out/chosen.yaml"]), StringComparison.Ordinal);
        Assert.Equal((string)rows[0]!["values"]!["training.optimizer.learningRate"]!,
            chosen.Training.Optimizer.LearningRate.ToString("R", System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(4, Directory.GetFileSystemEntries(folder["out/trials"]).Length); // and nothing in between

        var again = Tune(folder);
        Assert.All(again.JsonLines.Where(line => (string)line["event"]! == "trial"), line => Assert.True((bool)line["restored"]!));
        Assert.Equal(results["rows"]!.ToJsonString(), again.JsonLines[^1]["results"]!["rows"]!.ToJsonString());

        var alone = Tune(folder, "--only", "2", "--out", folder["alone"]);
        var two = rows.First(row => (int)row!["number"]! == 2)!;
        Assert.Equal((double)two["score"]!["mean"]!, (double)alone.JsonLines[^1]["results"]!["rows"]![0]!["score"]!["mean"]!);

        Assert.Equal(Small, File.ReadAllText(folder["out/experiment.yaml"])); // as it was tuned
        File.Delete(folder["out/report.html"]);
        var report = Terminal.Run("report", folder["out"]);
        Assert.True(report.Code == ExitCode.Success, report.Error);
        Assert.True(File.Exists(folder["out/report.html"]));
        File.WriteAllText(folder["out/tuning.json"], "{}");
        Assert.Contains("tuning.json: damaged", Assert.Single(Terminal.Run("report", folder["out"]).ErrorLines), StringComparison.Ordinal);
    }

    /// <summary>The proof that no test sample chooses anything: there is none to read.</summary>
    [Theory]
    [InlineData("grid")]
    [InlineData("continual")]
    public void Tuning_needs_no_test_files(string method)
    {
        using var folder = Written(s_two);
        Directory.CreateDirectory(folder["data"]);
        foreach (var file in Directory.GetFiles(DataFolder.Find()!, "train-*")) File.Copy(file, folder[$"data/{Path.GetFileName(file)}"]);

        var tuned = Tune(folder, "--method", method, "--data", folder["data"]);

        Assert.True(tuned.Code == ExitCode.Success, tuned.Error);
        // An experiment does read them, and says so.
        Assert.Equal(ExitCode.Usage, Terminal.Run("run", folder["out/chosen.yaml"], "--data", folder["data"], "--out", folder["run"]).Code);
    }

    [Fact]
    public void The_continual_procedure_writes_values_by_experience_and_they_run_are_stopped_and_go_on()
    {
        using var folder = Written(s_two);
        var tuned = Tune(folder, "--method", "continual", "--jobs", "1");
        Assert.True(tuned.Code == ExitCode.Success, tuned.Error);
        Assert.Equal(2, tuned.JsonLines[^1]["results"]!["choices"]!.AsArray().Count);
        double[] toGo = [.. tuned.JsonLines.Where(line => (string?)line["event"] == "attempt").Select(line => (double)line["secondsToGoAtMost"]!)];
        Assert.True(toGo[0] > 0 && toGo.All(seconds => seconds >= 0), string.Join(", ", toGo)); // times of attempts vary, so it need not fall
        Assert.Equal($"engram tune {folder["small.yaml"]} --method continual --seed 3 --jobs 1", (string)tuned.JsonLines[^1]["results"]!["command"]!);
        var alone = Tune(folder, "--method", "continual", "--only", "1");
        Assert.Equal(ExitCode.Usage, alone.Code);
        Assert.Contains("--only: 1 with the continual procedure", Assert.Single(alone.ErrorLines), StringComparison.Ordinal);
        var chosen = ExperimentFile.Read(folder["out/chosen.yaml"]);
        Assert.Equal(2, chosen.PerExperience.Count);

        string[] run = ["run", folder["out/chosen.yaml"], "--threads", "1", "--json", "--out"];
        Assert.Equal(ExitCode.Success, Terminal.Run([.. run, folder["whole"]]).Code);
        using var stop = new CancellationTokenSource();
        using var output = new StopAt("\"event\":\"phase\",\"strategy\":\"mine\"", stop);
        var host = new CliHost(output, TextWriter.Null, CliHost.Plain(output), false, TimeProvider.System, stop.Token);
        Assert.Equal(ExitCode.Interrupted, CommandLine.Run([.. run, folder["cut"]], host));
        Assert.Equal(ExitCode.Success, Terminal.Run("run", "--resume", folder["cut"]).Code);
        Assert.Equal(Accuracies(folder["whole"]), Accuracies(folder["cut"]));
    }

    [Fact]
    public void Values_by_experience_reach_the_learner()
    {
        var same = Small.Replace("tune:", "perExperience:\n  training.epochs: [1, 1]\ntune:", StringComparison.Ordinal)
            .Replace("{ batchSize: 8,", "{ epochs: 1, batchSize: 8,", StringComparison.Ordinal);
        long[] Samples(string text)
        {
            using var folder = Written(text);
            Assert.Equal(ExitCode.Success, Terminal.Run("run", folder["small.yaml"], "--threads", "1", "--out", folder["run"]).Code);
            return [.. RunResults.FromJson(File.ReadAllText(folder["run/results.json"])).Strategies[1].Costs.Select(cost => cost.Samples)];
        }
        Assert.Equal([24L, 24L], Samples(same));
        Assert.Equal([24L, 72L], Samples(same.Replace("[1, 1]", "[1, 3]", StringComparison.Ordinal)));
    }

    [Fact]
    public void An_interrupted_search_says_what_is_missing()
    {
        using var folder = Written(Small);
        var outcome = Terminal.Run(new CancellationToken(canceled: true), "tune", folder["small.yaml"], "--out", folder["out"]);
        Assert.Equal(ExitCode.Interrupted, outcome.Code);
        Assert.Contains("4 measurement(s) are missing; the same command goes on with them", outcome.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void An_interrupted_search_reports_the_trials_that_ended_and_goes_on_with_the_rest()
    {
        using var folder = Written(Small);
        using var stop = new CancellationTokenSource();
        using var output = new StopAt("\"event\":\"trial\"", stop);
        var host = new CliHost(output, TextWriter.Null, CliHost.Plain(output), false, TimeProvider.System, stop.Token);
        Assert.Equal(ExitCode.Interrupted, CommandLine.Run(["tune", folder["small.yaml"], "--jobs", "1", "--json", "--out", folder["out"]], host));
        var line = new Outcome(0, output.ToString(), "").JsonLines[^1];
        var rows = line["results"]!["rows"]!.AsArray();
        Assert.Single(rows);
        Assert.Equal((3, 3), ((int)line["missing"]!, (int)line["results"]!["missing"]!));
        Assert.Contains("3 measurements missing", File.ReadLines(folder["out/chosen.yaml"]).First(), StringComparison.Ordinal);

        var rest = Tune(folder).JsonLines.Where(line => (string?)line["event"] == "trial").ToArray();
        Assert.Equal([true, false, false, false], rest.Select(line => (bool)line["restored"]!));
    }

    [Fact]
    public void Settings_that_the_data_refuse_fail_alone()
    {
        using var folder = Written(Varied("[5, 12]"));
        var outcome = Tune(folder);
        Assert.Equal(ExitCode.Failure, outcome.Code);
        var line = Assert.Single(outcome.ErrorLines);
        Assert.Contains("trial 1 failed: ", line, StringComparison.Ordinal);
        Assert.Contains("stream.experiences: 12, expected at most the 10 classes", line, StringComparison.Ordinal);
        var rows = outcome.JsonLines[^1]["results"]!["rows"]!.AsArray();
        Assert.Equal((true, null), ((bool)rows[0]!["isChosen"]!, (string?)rows[0]!["failure"]));
        Assert.Contains("stream.experiences: 12", (string?)rows[1]!["failure"], StringComparison.Ordinal);
        Assert.Equal(0, (int)outcome.JsonLines[^1]["missing"]!);
    }

    [Fact]
    public void When_the_data_refuse_all_settings_there_is_one_line_and_no_report()
    {
        using var folder = Written(Varied("[11, 12]"));
        var outcome = Tune(folder);
        Assert.Equal(ExitCode.Usage, outcome.Code);
        Assert.Contains("all 2 trials failed, the first for: ", Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
        Assert.False(File.Exists(folder["out/tuning.json"]));
    }

    [Fact]
    public void What_else_is_in_the_folder_of_the_data_is_none_of_their_fingerprint()
    {
        const string Table = "a,b,label\n1,2,x\n2,1,y\n3,4,x\n4,3,y\n5,6,x\n6,5,y\n7,8,x\n8,7,y\n";
        using var folder = new Folder();
        File.WriteAllText(folder["small.yaml"], $"data: {{ source: csv, path: \"{folder.Path}\" }}\nstream: {{ experiences: 2 }}\nmodel: {{ backbone: mlp 2-3 }}\n"
            + "strategies: [naive]\nmemory: 10\ntune: { method: grid, validation: 0.25, vary: { memory: [5, 6] } }\n");
        File.WriteAllText(folder["train.csv"], Table);
        bool[] Restored()
        {
            var outcome = Tune(folder);
            Assert.True(outcome.Code == ExitCode.Success, outcome.Error);
            return [.. outcome.JsonLines.Where(line => (string)line["event"]! == "trial").Select(line => (bool)line["restored"]!)];
        }
        Assert.Equal([false, false], Restored());
        File.WriteAllText(folder["test.csv"], Table);
        Assert.Equal([true, true], Restored()); // results are in this folder too
        File.AppendAllText(folder["train.csv"], "9,9,x\n");
        Assert.Equal([false, false], Restored());
    }

    [Theory]
    [InlineData("result.accuracy", "[]", "result.accuracy: empty")]
    [InlineData("result.accuracy", "[[0.5], null]", "result.accuracy[1]: null")]
    [InlineData("result.accuracy", "[[0.5], 7]", "result.accuracy[1]: 7, expected a list)")]
    [InlineData("result.memoryBytes", "\"much\"", "result.memoryBytes: \"much\", expected a whole number)")]
    [InlineData("result.accuracy", "[[7], [0.5, 0.5]]", "result.accuracy[0]: 7, expected 0 to 1")]
    [InlineData("result.metrics.finalAverageAccuracy", "3", "result.metrics.finalAverageAccuracy: 3, expected 0 to 1")]
    [InlineData("result.metrics", "{}", "result.metrics.finalAverageAccuracy: missing")]
    [InlineData("seconds", "-1", "seconds: -1, expected 0 or more")]
    [InlineData("seconds", "null", "seconds: null, expected 0 or more")]
    public void A_trial_with_what_no_measurement_comes_to_is_damaged(string key, string wrong, string said)
    {
        using var folder = Written(s_two);
        Assert.Equal(ExitCode.Success, Tune(folder).Code);
        var trial = Directory.GetFiles(folder["out/trials"])[0];
        var json = JsonNode.Parse(File.ReadAllText(trial))!;
        var steps = key.Split('.');
        steps[..^1].Aggregate(json, (node, step) => node[step]!)[steps[^1]] = JsonNode.Parse(wrong);
        File.WriteAllText(trial, json.ToJsonString());

        var outcome = Tune(folder);

        Assert.Equal(ExitCode.Usage, outcome.Code);
        var line = Assert.Single(outcome.ErrorLines);
        Assert.Contains($"{Path.GetFileName(trial)}: damaged ({said}", line, StringComparison.Ordinal);
        Assert.True(Directory.GetFiles(folder["out/trials"]).Length == 2);
    }

    [Theory]
    [InlineData("attempt-0-0.json", "{")]
    [InlineData("attempt-0-0.json", "{}")]
    [InlineData("attempt-0-0.json", "null")]
    [InlineData("attempt-0-0.json", "{\"position\":0,\"number\":0,\"rate\":0.01,\"strength\":null,\"new\":7,\"old\":\"NaN\",\"seconds\":1}")]
    [InlineData("attempt-0-0.json", "{\"position\":0,\"number\":0,\"rate\":0.5,\"strength\":null,\"new\":1,\"old\":\"NaN\",\"seconds\":1}")]
    [InlineData("learnt-0/manifest.json", "{")]
    public void A_damaged_place_of_the_continual_procedure_is_one_line(string file, string content)
    {
        using var folder = Written(s_two);
        using var stop = new CancellationTokenSource();
        using var output = new StopAt("\"position\":1,\"number\":0", stop);
        var host = new CliHost(output, TextWriter.Null, CliHost.Plain(output), false, TimeProvider.System, stop.Token);
        string[] tune = ["tune", folder["small.yaml"], "--method", "continual", "--jobs", "1", "--json", "--out", folder["out"]];
        Assert.Equal(ExitCode.Interrupted, CommandLine.Run(tune, host));
        var place = Assert.Single(Directory.GetDirectories(folder["out/continual"]));
        var damaged = Path.Combine(place, file);
        Assert.True(File.Exists(damaged));
        File.WriteAllText(damaged, content);

        var outcome = Terminal.Run(tune);

        Assert.Equal(ExitCode.Usage, outcome.Code);
        Assert.Contains(Path.GetFileName(file), Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(place, "attempt-0-1.json")));
    }

    [Fact]
    public void A_damaged_trial_is_named_and_the_others_stay()
    {
        using var folder = Written(s_two);
        Tune(folder);
        var trials = Directory.GetFiles(folder["out/trials"]);
        var impossible = JsonNode.Parse(File.ReadAllText(trials[1]))!;
        impossible["result"]!["accuracySoFar"]![0] = 150;
        foreach (var (content, said) in new[] { ("{", ""), (impossible.ToJsonString(), "result.accuracySoFar[0]: 150, expected 0 to 1") })
        {
            File.WriteAllText(trials[1], content);
            var outcome = Tune(folder);
            Assert.Equal(ExitCode.Usage, outcome.Code);
            Assert.Contains($"{Path.GetFileName(trials[1])}: damaged ({said}", Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
        }
        Assert.All(trials.Where(trial => trial != trials[1]), trial => Assert.True(new FileInfo(trial).Length > 100));
    }

    [Fact]
    public void A_trial_whose_place_is_damaged_fails_alone()
    {
        using var folder = Written(s_two);
        Tune(folder);
        var trial = Directory.GetFiles(folder["out/trials"])[0];
        File.Delete(trial);
        var place = Directory.CreateDirectory(Path.Combine(Path.ChangeExtension(trial, ".checkpoint"), "current")).FullName;
        File.WriteAllText(Path.Combine(place, "manifest.json"), "{");

        var outcome = Tune(folder);

        Assert.Equal(ExitCode.Failure, outcome.Code);
        Assert.EndsWith($"without the folder {place}, its strategy starts again", Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public void Fewer_classes_than_experiences_are_one_line_and_choose_nothing()
    {
        using var folder = Written(Small.Replace("groups: [[0, 1], [2, 3]]", "experiences: 12", StringComparison.Ordinal));
        var outcome = Tune(folder);
        Assert.Equal(ExitCode.Usage, outcome.Code);
        Assert.Contains("small.yaml: line 3: stream.experiences: 12, expected at most the 10 classes", Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
        Assert.Empty(outcome.JsonLines); // no trial was begun
        Assert.False(Directory.Exists(folder["out"]));
    }

    [Fact]
    public void A_table_that_cannot_be_read_is_one_line_with_that_of_the_file()
    {
        using var folder = Written(Small
            .Replace("data: { perClass: 12, testPerClass: 4 }", "data: { source: csv, path: DATA }", StringComparison.Ordinal)
            .Replace("mlp 784-16", "mlp 2-3", StringComparison.Ordinal));
        File.WriteAllText(folder["small.yaml"], File.ReadAllText(folder["small.yaml"]).Replace("DATA", $"\"{folder.Path}\"", StringComparison.Ordinal));
        File.WriteAllText(folder["train.csv"], "a,b,label\n1,2,0\n1,oops,1\n");
        var outcome = Tune(folder);
        Assert.Equal(ExitCode.Usage, outcome.Code);
        var line = Assert.Single(outcome.ErrorLines);
        Assert.Contains("small.yaml: line 2: data: ", line, StringComparison.Ordinal);
        Assert.Contains("oops", line, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["out"]));
    }

    [Theory]
    [InlineData("lambda: [1, 1000]", "lambda: [1, -1]", "line 18: tune.vary.strategies[1].mechanisms[0].ewc.lambda: -1", "0 or more")]
    [InlineData("lambda: [1, 1000]", "lamda: [1, 1000]", "line 18: tune.vary.strategies[1].mechanisms[0].ewc.lamda", "has no value")]
    [InlineData("lambda: [1, 1000]", "lambda: { from: 0, to: 1 }", "from: 0", "above 0 on a logarithmic scale")]
    [InlineData("lambda: [1, 1000]", "lambda: { from: 1 }", "line 18: tune.vary.strategies[1].mechanisms[0].ewc.lambda.to: missing", "a number")]
    [InlineData("method: grid", "method: guess", "line 14: tune.method: \"guess\"", "halving")]
    [InlineData("method: grid", "methods: grid", "line 14: tune.methods: unknown", "validation")]
    [InlineData("validation: 0.25", "validation: 1", "line 15: tune.validation: 1", "below 1")]
    [InlineData("validation: 0.25", "objective: testAccuracy", "line 15: tune.objective: \"testAccuracy\"", "finalAverageAccuracy")]
    [InlineData("strategy: mine", "strategy: yours", "line 13: tune.strategy: \"yours\"", "mine")]
    [InlineData("  strategy: mine\n", "", "line 12: tune.strategy: missing", "naive, mine")]
    [InlineData("method: grid", "method: continual", "line 18: tune.vary.strategies[1].mechanisms[0].ewc.lambda", "one number to begin with")]
    [InlineData("method: grid\n  validation: 0.25\n  vary:", "method: continual\n  vary:\n    memory: [1]", "line 15: tune.vary: memory, ", "one strength")]
    [InlineData("tune:\n", "perExperience:\n  memory: [1, 2]\ntune:\n", "line 13: perExperience.memory", "training or strategies")]
    [InlineData(
        "  vary:\n    training.optimizer.learningRate: [0.001, 0.01]\n    strategies[1].mechanisms[0].ewc.lambda: [1, 1000]",
        "  points: 500\n  vary:\n    training.optimizer.learningRate: { from: 0.001, to: 0.01 }\n    strategies[1].mechanisms[0].ewc.lambda: { from: 1, to: 1000 }",
        "line 17: tune.vary: ", "combinations, expected at most")]
    [InlineData("tune:\n", "perExperience:\n  training.batchSize: [8, 0]\ntune:\n", "experience 1", "1 or more")]
    public void What_is_wrong_is_told_with_file_line_and_key(string old, string wrong, string said, string expected)
    {
        using var folder = Written(Small.Replace(old, wrong, StringComparison.Ordinal));
        var outcome = Tune(folder);
        Assert.Equal(ExitCode.Usage, outcome.Code);
        var line = Assert.Single(outcome.ErrorLines);
        Assert.Contains("small.yaml: ", line, StringComparison.Ordinal);
        Assert.Contains(said, line, StringComparison.Ordinal);
        Assert.Contains(expected, line, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["out"]));
    }

    [Fact]
    public void A_missing_section_and_an_online_stream_of_the_continual_procedure_are_told_with_a_line()
    {
        using var folder = Written(Small[..Small.IndexOf("tune:", StringComparison.Ordinal)]);
        Assert.Contains("small.yaml: line 1: tune: missing", Assert.Single(Tune(folder).ErrorLines), StringComparison.Ordinal);
        using var online = Written(s_two.Replace("stream: {", "stream: { online: 4,", StringComparison.Ordinal));
        Assert.Contains("small.yaml: line 3: stream.online: given", Assert.Single(Tune(online, "--method", "continual").ErrorLines), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tune", "FILE: missing")]
    [InlineData("tune nowhere.yaml", "nowhere.yaml: no such file")]
    [InlineData("tune x --jobs 0", "--jobs: \"0\"")]
    [InlineData("tune SMALL --method foo", "engram: --method: \"foo\", expected one of grid, ")]
    public void A_wrong_command_gives_one_line_and_exit_code_2(string line, string said)
    {
        using var folder = Written(Small);
        var outcome = Terminal.Run(line.Replace("SMALL", folder["small.yaml"], StringComparison.Ordinal).Split(' '));
        Assert.Equal(ExitCode.Usage, outcome.Code);
        Assert.Contains(said, Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
    }

    private static string Varied(string experiences) => Small.Replace("groups: [[0, 1], [2, 3]]", "experiences: 5", StringComparison.Ordinal)
        .Replace("training.optimizer.learningRate: [0.001, 0.01]", $"stream.experiences: {experiences}", StringComparison.Ordinal)
        .Replace("lambda: [1, 1000]", "lambda: [1000]", StringComparison.Ordinal);

    private static Outcome Tune(Folder folder, params string[] more) => Terminal.Run(
        ["tune", folder["small.yaml"], "--json", .. more.Contains("--out") ? Array.Empty<string>() : ["--out", folder["out"]], .. more]);

    private static Folder Written(string text)
    {
        var folder = new Folder();
        File.WriteAllText(folder["small.yaml"], text);
        return folder;
    }

    private static double[][][] Accuracies(string run) =>
        [.. RunResults.FromJson(File.ReadAllText(Path.Combine(run, "results.json"))).Strategies.Select(strategy => strategy.Accuracy)];
}
