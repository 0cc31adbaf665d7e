using Engram.Analytic;
using Engram.Data;
using Engram.Persistence;
using Engram.Streams;
using TorchSharp;

namespace Engram.Cli.Tests;

/// <summary>The commands about bundles, on one of an analytic learner.</summary>
public class AnalyticModelTests
{
    private static readonly Mnist s_mnist = Mnist.Load(Commands.DataFolder.Find()!);

    [Fact]
    public void Predictions_are_those_of_the_learner()
    {
        using var folder = new Folder();
        var expected = Learnt(folder["model"]);
        using var scope = torch.NewDisposeScope();
        var rows = s_mnist.Test.Inputs([.. Enumerable.Range(0, 20).Select(i => (long)i)]).reshape(20, 784).data<byte>().ToArray().Chunk(784);
        File.WriteAllLines(folder["digits.csv"], rows.Select(row => string.Join(',', row)));
        File.WriteAllLines(folder["digits.jsonl"], rows.Select(row => $"[{string.Join(',', row)}]"));

        var idx = Terminal.Run("predict", folder["model"], Path.Combine(Commands.DataFolder.Find()!, "t10k-images-idx3-ubyte.gz"));
        var csv = Terminal.Run("predict", folder["model"], folder["digits.csv"]);
        var json = Terminal.Run("predict", folder["model"], folder["digits.jsonl"], "--json");

        Assert.Equal((ExitCode.Success, ""), (idx.Code, idx.Error));
        Assert.Equal(expected, idx.Out.Split('\n').Take(20).Select(line => line.Split('\t')[1]));
        Assert.Equal(expected, csv.Out.Split('\n').Take(20).Select(line => line.Split('\t')[1]));
        Assert.Equal(expected, json.JsonLines.Select(line => (string)line["label"]!));
    }

    [Fact]
    public void Inspect_tells_what_it_knows_when_it_learnt_it_and_how_well_it_kept_it()
    {
        using var folder = new Folder();
        Learnt(folder["model"]);

        var shown = Terminal.Run("inspect", folder["model"], "--verify");

        Assert.Equal((ExitCode.Success, ""), (shown.Code, shown.Error));
        foreach (var words in new[]
        {
            "format 2", "2026-03-01 14:05:09 +01:00", "ridge over 784 features, extractor raw", "Byte [1, 28, 28]", "4: 0, 1, 2, 3",
            "1 experience(s), in closed form", "learnt 0-3", "accuracy 91.0 % then, 90.5 % now", "part statistics",
        })
            Assert.Contains(words, shown.Out, StringComparison.Ordinal);
        var part = Directory.GetFiles(folder["model/parts"]).MaxBy(file => new FileInfo(file).Length)!;
        File.WriteAllBytes(part, File.ReadAllBytes(part)[..^1]);
        Assert.Contains(": part statistics", Assert.Single(Terminal.Run("inspect", folder["model"], "--verify").ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public void It_is_exported_as_onnx_and_as_its_numbers()
    {
        using var folder = new Folder();
        Learnt(folder["model"]);

        var onnx = Terminal.Run("export", folder["model"], "--out", folder["m.onnx"]);
        var numbers = Terminal.Run("export", folder["model"], "--out", folder["m.safetensors"]);

        Assert.Equal((ExitCode.Success, ExitCode.Success), (onnx.Code, numbers.Code));
        Assert.Contains("4 classes", onnx.Out, StringComparison.Ordinal);
        var (tensors, metadata) = SafetensorsFile.Inspect(folder["m.safetensors"]);
        Assert.Equal([4L, 784], tensors.Single(tensor => tensor.Name == "head.weight").Shape);
        Assert.Equal("ridge", metadata["learner"]);
    }

    private static string[] Learnt(string path)
    {
        using var scope = torch.NewDisposeScope();
        using var learner = new RidgeClassifier(new RawFeatures(784), 10);
        learner.Learn(new Experience(0, SubsetSource.Balanced(SubsetSource.WithLabels(s_mnist.Train, Label.Numbers(0, 4)), 50)));
        var time = new DateTimeOffset(2026, 3, 1, 14, 5, 9, TimeSpan.FromHours(1));
        AnalyticBundle.Save(learner, path, new BundleInfo { Saved = time, History = [new LearntPart("0-3", time, 0.91, 0.905)] });
        using var prediction = learner.Predict(s_mnist.Test.Inputs([.. Enumerable.Range(0, 20).Select(i => (long)i)]));
        return [.. prediction.Labels.Select(label => label.Name)];
    }
}
