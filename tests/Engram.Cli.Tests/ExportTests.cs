using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Persistence;
using Engram.Retention;
using Engram.Streams;
using TorchSharp;

namespace Engram.Cli.Tests;

/// <summary><c>engram export</c>; what ONNX Runtime makes of the files is tested beside the library.</summary>
public class ExportTests
{
    [Fact]
    public void A_model_is_written_as_onnx_and_as_weights_by_name()
    {
        using var folder = new Folder();
        Save(folder["model"], () => new ContinualModel(new Mlp(6, 4)));

        var onnx = Terminal.Run("export", folder["model"], "--out", folder["m.onnx"]);
        var weights = Terminal.Run("export", folder["model"], "--format", "safetensors", "--out", folder["m.bin"], "--json");

        Assert.Equal((ExitCode.Success, ""), (onnx.Code, onnx.Error));
        Assert.Contains("mlp 6-4, linear head over 4 features, 3 classes", onnx.Out, StringComparison.Ordinal);
        Assert.True(new FileInfo(folder["m.onnx"]).Length > 200);
        Assert.Equal(["0", "1", "2"], weights.JsonLines.Single()["labels"]!.AsArray().Select(label => (string)label!));
        var (tensors, metadata) = SafetensorsFile.Inspect(folder["m.bin"]);
        Assert.Equal(["fc1.bias", "fc1.weight", "head.bias", "head.weight"], tensors.Select(tensor => tensor.Name).Order(StringComparer.Ordinal));
        Assert.Equal("[\"0\",\"1\",\"2\"]", metadata["labels"]);
        using var scope = torch.NewDisposeScope();
        using var model = Bundle.LoadModel(folder["model"]);
        using var other = new Mlp(6, 4);
        other.LoadWeights(SafetensorsFile.Read(folder["m.bin"]));
        var inputs = torch.rand(5, 6);
        Assert.True(other.forward(inputs).equal(model.Model.Backbone.forward(inputs)).all().item<bool>());
    }

    [Fact]
    public void What_onnx_cannot_say_is_refused_by_name_and_its_weights_come_with_a_warning()
    {
        using var folder = new Folder();
        Save(folder["icarl"], () => new ContinualModel(new Mlp(6, 4)), new Icarl());
        Save(folder["own"], () => new ContinualModel(new ModuleBackbone(torch.nn.Linear(6, 4), 4, "mine")));

        var icarl = Terminal.Run("export", folder["icarl"], "--out", folder["m.onnx"]);
        var own = Terminal.Run("export", folder["own"], "--out", folder["m.onnx"]);
        var weights = Terminal.Run("export", folder["icarl"], "--out", folder["m.safetensors"]);
        var ownWeights = Terminal.Run("export", folder["own"], "--out", folder["own.safetensors"]);

        Assert.Equal((ExitCode.Usage, ExitCode.Usage), (icarl.Code, own.Code));
        Assert.StartsWith("engram: bundle: mechanism icarl takes part in prediction", Assert.Single(icarl.ErrorLines), StringComparison.Ordinal);
        Assert.StartsWith("engram: bundle: backbone mine cannot be rebuilt", Assert.Single(own.ErrorLines), StringComparison.Ordinal);
        Assert.False(File.Exists(folder["m.onnx"]));
        Assert.Equal((ExitCode.Success, ExitCode.Success), (weights.Code, ownWeights.Code));
        Assert.Contains("icarl takes part in prediction", weights.Out, StringComparison.Ordinal);
        Assert.Equal("by icarl too", SafetensorsFile.Inspect(folder["m.safetensors"]).Metadata["prediction"]);
    }

    [Theory]
    [InlineData("--format, none", "--out", "m.bin")]
    [InlineData("--format: \"pickle\", expected onnx or safetensors", "--format", "pickle", "--out", "m.bin")]
    [InlineData("--out: ", "--out", "nowhere/m.onnx")]
    [InlineData("--out", "--format", "onnx")]
    public void A_wrong_command_is_explained_in_one_line(string message, params string[] options)
    {
        using var folder = new Folder();
        Save(folder["model"], () => new ContinualModel(new Mlp(6, 4)));
        string[] placed = [.. options.Select(option => option.Contains('.', StringComparison.Ordinal) ? folder[option] : option)];

        var outcome = Terminal.Run(["export", folder["model"], .. placed]);

        Assert.Equal(ExitCode.Usage, outcome.Code);
        Assert.Contains(message.Replace(", none", ": none", StringComparison.Ordinal), Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_bundle_is_no_file()
    {
        using var folder = new Folder();
        Save(folder["model"], () => new ContinualModel(new Mlp(6, 4)));
        foreach (var part in Directory.GetFiles(folder["model/parts"])) File.WriteAllBytes(part, File.ReadAllBytes(part)[..^1]);

        foreach (var file in new[] { "m.onnx", "m.safetensors" })
        {
            var outcome = Terminal.Run("export", folder["model"], "--out", folder[file]);
            Assert.Equal(ExitCode.Failure, outcome.Code);
            Assert.Contains(": part ", Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
            Assert.False(File.Exists(folder[file]));
        }
        Assert.Single(Directory.GetFileSystemEntries(folder.Path));
    }

    private static void Save(string path, Func<ContinualModel> model, params RetentionMechanism[] mechanisms)
    {
        using var scope = torch.NewDisposeScope();
        using var learner = new Learner(model, new LearnerOptions { BatchSize = 4 }, mechanisms);
        learner.Learn(new Experience(0, TensorSource.OfClasses(
            torch.rand(12, 6), [.. Enumerable.Range(0, 12).Select(i => (Label)(i % 3))])));
        Bundle.Save(learner, path);
    }
}
