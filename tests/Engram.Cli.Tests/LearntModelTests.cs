using System.Globalization;
using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Persistence;
using Engram.Retention;
using Engram.Streams;
using TorchSharp;

namespace Engram.Cli.Tests;

/// <summary><c>engram inspect</c> and <c>engram predict</c> on a model that learnt real digits.</summary>
public class LearntModelTests
{
    private static readonly Mnist s_mnist = Mnist.Load(Commands.DataFolder.Find()!);

    [Fact]
    public void Predictions_from_idx_Csv_and_json_lines_are_those_of_the_learner()
    {
        using var folder = new Folder();
        var expected = Learnt(folder["model"], Scenario.ClassIncremental);
        File.WriteAllText(folder["digits.csv"], string.Join(',', Enumerable.Range(0, 784).Select(i => $"p{i}")) + "\n" + Lines(","));
        File.WriteAllText(folder["digits.jsonl"], string.Join('\n', Lines(",").Split('\n').Select(line => $"[{line}]")));

        var idx = Terminal.Run("predict", folder["model"], Path.Combine(Commands.DataFolder.Find()!, "t10k-images-idx3-ubyte.gz"));
        var csv = Terminal.Run("predict", folder["model"], folder["digits.csv"], "--top", "2");
        var json = Terminal.Run("predict", folder["model"], folder["digits.jsonl"], "--json");

        Assert.Equal(ExitCode.Success, idx.Code);
        Assert.Equal(10_000, idx.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Equal(expected, idx.Out.Split('\n').Take(20).Select(line => line.Split('\t')[1]));
        var rows = csv.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')).ToArray();
        Assert.Equal(expected, rows.Select(row => row[1]));
        Assert.All(rows, row => Assert.True(
            double.Parse(row[2], CultureInfo.InvariantCulture) >= double.Parse(row[4], CultureInfo.InvariantCulture)));
        Assert.Equal(expected, json.JsonLines.Select(line => (string)line["label"]!));
    }

    [Fact]
    public void A_model_of_tasks_asks_for_the_task_and_answers_with_its_labels_only()
    {
        using var folder = new Folder();
        Learnt(folder["model"], Scenario.TaskIncremental);
        File.WriteAllText(folder["digits.csv"], Lines(","));

        var without = Terminal.Run("predict", folder["model"], folder["digits.csv"]);
        var unknown = Terminal.Run("predict", folder["model"], folder["digits.csv"], "--task", "7");
        var second = Terminal.Run("predict", folder["model"], folder["digits.csv"], "--task", "1");

        Assert.Equal((ExitCode.Usage, "engram: --task: none, expected a task that was learnt"), (without.Code, Assert.Single(without.ErrorLines)));
        Assert.Equal((ExitCode.Usage, "engram: --task: 7, expected a task that was learnt"), (unknown.Code, Assert.Single(unknown.ErrorLines)));
        Assert.All(second.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.Contains(line.Split('\t')[1], new[] { "2", "3" }));
    }

    [Theory]
    [InlineData("short.csv", "1,2,3\n", "line 1 has 3 numbers, expected 784")]
    [InlineData("empty.csv", "a,b,c\n", "no samples")]
    [InlineData("words.jsonl", "{\"pixels\": []}\n", "line 1 is not numbers")]
    [InlineData("none.idx", "P5 28 28\n255\n and more", "magic")]
    public void A_file_that_does_not_fit_is_refused_in_one_line(string name, string content, string message)
    {
        using var folder = new Folder();
        Learnt(folder["model"], Scenario.ClassIncremental);
        File.WriteAllText(folder[name], content);

        var outcome = Terminal.Run("predict", folder["model"], folder[name]);

        Assert.Equal(ExitCode.Failure, outcome.Code);
        Assert.Contains(message, Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public void Inspect_tells_what_a_bundle_knows_and_a_damaged_part_is_named()
    {
        using var folder = new Folder();
        Learnt(folder["model"], Scenario.ClassIncremental);

        var shown = Terminal.Run("inspect", folder["model"], "--verify");
        Assert.Equal(ExitCode.Success, shown.Code);
        foreach (var words in new[] { "mlp 784-32", "4: 0, 1, 2, 3", "2 experience(s), which added 2, 2 classes", "replay" })
            Assert.Contains(words, shown.Out, StringComparison.Ordinal);
        Assert.Equal("engram-bundle", (string)System.Text.Json.Nodes.JsonNode.Parse(
            Terminal.Run("inspect", folder["model"], "--json").Out)!["format"]!);

        var part = Directory.GetFiles(folder["model/parts"])[0];
        File.WriteAllBytes(part, File.ReadAllBytes(part)[..^1]);
        var damaged = Terminal.Run("inspect", folder["model"], "--verify");
        Assert.Equal(ExitCode.Failure, damaged.Code);
        Assert.Contains(": part ", Assert.Single(damaged.ErrorLines), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("predict", "BUNDLE: missing")]
    [InlineData("inspect", "BUNDLE: missing")]
    [InlineData("inspect /nowhere/at/all", "bundle: \"/nowhere/at/all\" is no folder")]
    public void What_is_missing_is_named(string line, string message)
    {
        var outcome = Terminal.Run(line.Split(' '));
        Assert.Equal(ExitCode.Usage, outcome.Code);
        Assert.Contains(message, Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
    }

    // Learns digits 0 to 3 in two steps, saves, and gives the labels predicted for the first 20 test images.
    private static string[] Learnt(string path, Scenario scenario)
    {
        var tasks = scenario == Scenario.TaskIncremental;
        using var learner = new Learner(
            () => new ContinualModel(new Mlp(784, 32)), new LearnerOptions { Scenario = scenario }, [new Replay()]);
        for (var e = 0; e < 2; e++)
            learner.Learn(new Experience(e, SubsetSource.Balanced(SubsetSource.WithLabels(s_mnist.Train, Label.Numbers(2 * e, 2)), 100), tasks ? e : null));
        Bundle.Save(learner, path);
        using var scope = torch.NewDisposeScope();
        using var prediction = learner.Predict(FirstTwenty(), tasks ? 1 : null);
        return [.. prediction.Labels.Select(label => label.Name)];
    }

    private static torch.Tensor FirstTwenty() => s_mnist.Test.Inputs([.. Enumerable.Range(0, 20).Select(i => (long)i)]);

    private static string Lines(string between)
    {
        using var scope = torch.NewDisposeScope();
        return string.Join('\n', FirstTwenty().reshape(20, 784).data<byte>().ToArray().Chunk(784).Select(row => string.Join(between, row)));
    }
}
