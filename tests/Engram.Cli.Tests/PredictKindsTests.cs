using System.Globalization;
using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Persistence;
using Engram.Retention;
using Engram.Streams;
using TorchSharp;

namespace Engram.Cli.Tests;

/// <summary><c>engram predict</c> for values, for several labels a sample, and where a mechanism predicts.</summary>
public class PredictKindsTests
{
    private static readonly Mnist s_mnist = Mnist.Load(Commands.DataFolder.Find()!);

    [Fact]
    public void Values_are_shown_by_name_in_their_order()
    {
        using var folder = new Folder();
        var expected = Learnt(folder, TargetKind.Regression, (digit => digit - 4.5, "centred"), (digit => digit * 1000.0, "thousands"));

        var plain = Terminal.Run("predict", folder["model"], folder["digits.csv"]);
        var json = Terminal.Run("predict", folder["model"], folder["digits.csv"], "--json");
        var top = Terminal.Run("predict", folder["model"], folder["digits.csv"], "--top", "1");

        Assert.Equal((ExitCode.Success, ""), (plain.Code, plain.Error));
        var rows = plain.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')).ToArray();
        Assert.All(rows, row => Assert.Equal(("centred", "thousands", 5), (row[1], row[3], row.Length)));
        Assert.Equal(expected, rows.SelectMany(row => new[] { Number(row[2]), Number(row[4]) }), (one, other) => Near(one, other));
        Assert.Equal(expected, json.JsonLines.SelectMany(line => new[] { (float)line["values"]!["centred"]!, (float)line["values"]!["thousands"]! }));
        Assert.Equal((ExitCode.Usage, "engram: --top: the model predicts values, expected none, for all are shown"), (top.Code, Assert.Single(top.ErrorLines)));
    }

    [Fact]
    public void Of_several_labels_those_that_apply_are_shown_or_as_many_as_asked_for()
    {
        using var folder = new Folder();
        var scores = Learnt(folder, TargetKind.MultiLabel, (digit => digit % 2, "odd"), (digit => digit >= 5 ? 1 : 0, "large"));
        string[][] expected = [.. scores.Chunk(2).Select(row => (string[])[.. row[0] >= 0 ? ["odd"] : Array.Empty<string>(), .. row[1] >= 0 ? ["large"] : Array.Empty<string>()])];
        Assert.Equal([0, 1, 2], expected.Select(row => row.Length).Distinct().Order());

        var plain = Terminal.Run("predict", folder["model"], folder["digits.csv"]);
        var json = Terminal.Run("predict", folder["model"], folder["digits.csv"], "--json");
        var top = Terminal.Run("predict", folder["model"], folder["digits.csv"], "--top", "2");

        Assert.Equal((ExitCode.Success, ""), (plain.Code, plain.Error));
        var rows = plain.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')).ToArray();
        Assert.Equal(expected.Select(row => string.Join(' ', row.Order(StringComparer.Ordinal))),
            rows.Select(row => string.Join(' ', row.Skip(1).Where((_, place) => place % 2 == 0).Order(StringComparer.Ordinal))));
        Assert.Equal(expected, json.JsonLines.Select(line => line["labels"]!.AsArray().Select(label => (string)label!).ToArray()));
        Assert.All(top.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.Equal(5, line.Split('\t').Length));
    }

    [Theory]
    [InlineData("icarl")]
    [InlineData("knn")]
    [InlineData("fecam")]
    [InlineData("bic")]
    [InlineData("progressive")]
    public void Where_a_mechanism_predicts_the_labels_are_those_of_the_learner(string name)
    {
        using var folder = new Folder();
        var strategy = Strategies.Named(name);
        var tasks = strategy.Scenarios[0] == Scenario.TaskIncremental;
        using var learner = new Learner(
            () =>
            {
                var backbone = strategy.Backbone?.Invoke(784) ?? new Mlp(784, 32);
                return new ContinualModel(backbone, strategy.Head?.Invoke(backbone.FeatureCount));
            },
            new LearnerOptions { Scenario = strategy.Scenarios[0] }, [.. strategy.Create(new StrategyBudget(40))]);
        for (var e = 0; e < 2; e++)
            learner.Learn(new Experience(e, SubsetSource.Balanced(SubsetSource.WithLabels(s_mnist.Train, Label.Numbers(2 * e, 2)), 50), tasks ? e : null));
        Assert.Contains(Bundle.Save(learner, folder["model"]).Mechanisms, mechanism => mechanism.Predicts);
        WriteDigits(folder);
        using var scope = torch.NewDisposeScope();
        using var prediction = learner.Predict(Digits(), tasks ? 1 : null);

        var outcome = Terminal.Run(["predict", folder["model"], folder["digits.csv"], .. tasks ? ["--task", "1"] : Array.Empty<string>()]);

        Assert.Equal((ExitCode.Success, ""), (outcome.Code, outcome.Error));
        Assert.Equal(prediction.Labels.Select(label => label.Name),
            outcome.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')[1]));
    }

    // Learns values of digits, saves, and gives the scores of the first forty test digits.
    private static float[] Learnt(Folder folder, TargetKind kind, params (Func<int, double> Value, string Name)[] columns)
    {
        using var scope = torch.NewDisposeScope();
        var source = SubsetSource.Balanced(s_mnist.Train, 50);
        var values = Enumerable.Range(0, source.Count).SelectMany(i => columns.Select(
            column => (float)column.Value(int.Parse(source.Labels[source.Codes.Span[i]].Name, CultureInfo.InvariantCulture)))).ToArray();
        var inputs = source.Gather([.. Enumerable.Range(0, source.Count).Select(i => (long)i)]).Inputs;
        using var learner = new Learner(() => new ContinualModel(new Mlp(784, 32)), new LearnerOptions { Epochs = 3 });
        learner.Learn(new Experience(0, TensorSource.OfValues(
            inputs, torch.tensor(values).view(source.Count, columns.Length), [.. columns.Select(column => (Label)column.Name)], kind)));
        Bundle.Save(learner, folder["model"]);
        WriteDigits(folder);
        return learner.Scores(Digits()).data<float>().ToArray();
    }

    private static void WriteDigits(Folder folder)
    {
        using var scope = torch.NewDisposeScope();
        File.WriteAllLines(folder["digits.csv"], Digits().reshape(40, 784).data<byte>().ToArray().Chunk(784).Select(row => string.Join(',', row)));
    }

    private static torch.Tensor Digits() => s_mnist.Test.Inputs([.. Enumerable.Range(0, 40).Select(i => (long)i)]);

    private static float Number(string text) => float.Parse(text, CultureInfo.InvariantCulture);

    // G7 keeps seven digits.
    private static bool Near(float one, float other) => Math.Abs(one - other) <= 1e-6 * Math.Max(1e-3, Math.Abs(one));
}
