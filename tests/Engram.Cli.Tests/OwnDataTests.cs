using System.Globalization;
using Engram.Cli.Experiments;
using Engram.Data;
using Engram.Evaluation;
using SkiaSharp;

namespace Engram.Cli.Tests;

/// <summary>Experiments with images and tables of the user's own.</summary>
public class OwnDataTests
{
    private const string Rest = """
        stream: { experiences: 2 }
        training: { batchSize: 4 }
        strategies: [naive]
        """;

    [Fact]
    public void Images_in_folders_are_learnt_and_tested()
    {
        using var folder = Images("train", "test");
        var run = Run(folder, $"data: {{ source: images, path: \"{folder["data"]}\", shape: [3, 8, 6] }}\nmodel: {{ backbone: mlp 144-5 }}\n{Rest}");

        Assert.True(run.Code == ExitCode.Success, run.Error);
        var results = RunResults.FromJson(File.ReadAllText(folder["run/results.json"]));
        Assert.Equal(["cat, bird", "eagle, horse"], results.Groups.Select(group => group.Name));
        Assert.Equal(6, results.Strategies[0].Costs[0].Samples);
    }

    [Fact]
    public void Images_are_scaled_to_the_shape_and_grey_for_one_channel()
    {
        using var folder = Images("train", "test");
        var data = new DataSection { Source = "images", Shape = [1, 4, 4] }.Load(folder["data"]);

        Assert.Equal([1L, 4, 4], data.Train.InputShape);
        Assert.Equal((12, 12), (data.Train.Count, data.Test.Count));
        using var scope = TorchSharp.torch.NewDisposeScope();
        var red = data.Train.Gather([0]); // a red image: 0.299 · 200
        Assert.Equal(Enumerable.Repeat((byte)60, 16), red.Inputs.data<byte>().ToArray());
    }

    [Fact]
    public void A_table_is_learnt_and_tested_and_the_order_of_labels_is_by_number()
    {
        using var folder = Table(Lines(["10", "2", "1", "3"]), Lines(["1", "2", "3", "10"]));
        var run = Run(folder, $"data: {{ source: csv, path: \"{folder["data"]}\", label: kind }}\nmodel: {{ backbone: mlp 2-5 }}\n{Rest}");

        Assert.True(run.Code == ExitCode.Success, run.Error);
        Assert.Equal(["1, 2", "3, 10"], RunResults.FromJson(File.ReadAllText(folder["run/results.json"])).Groups.Select(group => group.Name));
    }

    [Fact]
    public void The_command_names_another_folder_than_the_file()
    {
        using var folder = Table(Lines(["1", "2"]), Lines(["1", "2"]));
        File.WriteAllText(folder["my.yaml"], $"data: {{ source: csv, path: nowhere, label: kind }}\nmodel: {{ backbone: mlp 2-5 }}\n{Rest}");
        Assert.Equal(ExitCode.Success, Terminal.Run("run", folder["my.yaml"], "--data", folder["data"], "--out", folder["run"]).Code);
        var wrong = Terminal.Run("run", folder["my.yaml"], "--data", folder["none"], "--out", folder["other"]);
        Assert.Equal(ExitCode.Usage, wrong.Code);
        Assert.Contains($"--data: \"{folder["none"]}\" is no folder", Assert.Single(wrong.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public void A_table_keeps_its_numbers_and_may_have_quotes_and_empty_lines()
    {
        using var folder = Table("\uFEFFa,\"b\",label\n1.5,-2e3,x\n\n\"3\",0,\"y, z\"\n", "");
        var train = new DataSection { Source = "csv" }.LoadTraining(folder["data"]);

        Assert.Equal([new Label("x"), new Label("y, z")], train.Labels);
        using var scope = TorchSharp.torch.NewDisposeScope();
        Assert.Equal([1.5f, -2000, 3, 0], train.Gather([0, 1]).Inputs.data<float>().ToArray());
    }

    [Fact]
    public void Training_samples_are_read_where_there_are_no_others()
    {
        using var images = Images("train");
        using var table = Table(Lines(["a", "b"]), null);
        var (own, numbers) = (new DataSection { Source = "images", Shape = [3, 4, 4], PerClass = 2 }, new DataSection { Source = "csv", Label = "kind" });

        Assert.Equal(8, own.LoadTraining(images["data"]).Count);
        Assert.Equal(2, numbers.LoadTraining(table["data"]).Labels.Count);
        Assert.Contains("test: no such folder", Assert.Throws<InvalidDataException>(() => own.Load(images["data"])).Message, StringComparison.Ordinal);
        Assert.Contains("test.csv: no such file", Assert.Throws<InvalidDataException>(() => numbers.Load(table["data"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_search_over_a_table_needs_no_test_file_and_names_the_users_file()
    {
        using var folder = Table(Lines(["a", "b", "c", "d"]), null);
        File.WriteAllText(folder["my.yaml"], $$"""
            tune: { method: grid, validation: 0.5, vary: { training.batchSize: [1, 2] } }
            data: { source: csv, path: "{{folder["data"]}}", label: kind }
            model: { backbone: mlp 2-5 }
            stream: { experiences: 2 }
            training: { batchSize: 4 }
            strategies: [naive]
            """);
        var tuned = Terminal.Run("tune", folder["my.yaml"], "--out", folder["out"]);
        Assert.True(tuned.Code == ExitCode.Success, tuned.Error);

        File.WriteAllText(folder["my.yaml"], File.ReadAllText(folder["my.yaml"]).Replace("experiences: 2", "experiences: 5", StringComparison.Ordinal));
        var wrong = Terminal.Run("tune", folder["my.yaml"], "--out", folder["out"]);
        Assert.Equal(ExitCode.Usage, wrong.Code);
        Assert.Contains($"{folder["my.yaml"]}: line 4: stream.experiences: 5", Assert.Single(wrong.ErrorLines), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a,label\n1,x\nfast,x\n", "train.csv: line 3, column \"a\": \"fast\"", "a finite number")]
    [InlineData("a,label\n1,x\n1e99,x\n", "train.csv: line 3, column \"a\": \"1e99\"", "a finite number")]
    [InlineData("a,label\n1,\n", "train.csv: line 2, column \"label\": empty", "a label")]
    [InlineData("a,label\n1,x,2\n", "train.csv: line 2: 3 field(s)", "expected 2")]
    [InlineData("a,b\n1,x\n", "train.csv: line 1, column \"label\": missing", "among a, b")]
    [InlineData("a,a,label\n1,1,x\n", "train.csv: line 1, column \"a\": there twice", "once")]
    [InlineData("label\nx\n", "train.csv: line 1: no column but \"label\"", "columns of numbers")]
    [InlineData("a,label\n", "train.csv: line 2: no class", "a line for each sample")]
    [InlineData("", "train.csv: line 1: no line", "one of names")]
    [InlineData("a,label\n1,\"x\n", "train.csv: line 2: a quote that does not end", "at the end of the field")]
    [InlineData("b,label\n1,x\n1,y\n", "test.csv: line 1, column \"a\": expected column \"b\" in place 1", "as in train.csv")]
    [InlineData("a,label\n1,x\n", "label \"y\" has test samples only", "training samples")]
    [InlineData("a,label\n1,x\n1,y\n1,z\n", "label \"z\" has training samples only", "test samples")]
    public void A_table_that_does_not_fit_is_told_with_file_line_and_column(string train, string said, string expected)
    {
        using var folder = Table(train, "a,label\n1,x\n1,y\n");
        Refused(folder, $"name: t\ndata: {{ source: csv, path: \"{folder["data"]}\" }}\nmodel: {{ backbone: mlp 1-5 }}\n{Rest}", "line 2: data: ", said, expected);
    }

    [Theory]
    [InlineData("images, shape: [1, 8, 8]", 1, "data.path: missing", "train/<label>/ and test/<label>/")]
    [InlineData("csv", 1, "data.path: missing", "train.csv and test.csv")]
    [InlineData("csv, path: nowhere", 1, "data.path: \"nowhere\" is no folder", "train.csv and test.csv")]
    [InlineData("images, path: DATA", 1, "data.shape: missing", "[channels, height, width]")]
    [InlineData("images, path: DATA, shape: [2, 8, 8]", 1, "data.shape: [2, 8, 8]", "1 or 3 channels")]
    [InlineData("images, path: DATA, shape: [8, 8]", 1, "data.shape: [8, 8]", "1 or 3 channels")]
    [InlineData("images, path: DATA, shape: [1, 8, 80000]", 1, "data.shape: [1, 8, 80000]", "1 to 1024")]
    [InlineData("mnist, shape: [1, 28, 28]", 1, "data.shape: given", "none with source mnist")]
    [InlineData("images, path: DATA, shape: [1, 8, 8], label: x", 1, "data.label: given", "none with source images")]
    [InlineData("images, path: DATA, shape: [3, 28, 28]", 2, "model.backbone: architecture: mlp 784-5 reads 784 numbers", "samples of [3, 28, 28], which are 2352 numbers")]
    [InlineData("images, path: DATA, shape: [1, 28, 28]", 1, "test: no class", "a folder of images for each label")]
    public void What_is_wrong_with_own_data_is_one_line(string source, int line, string said, string expected)
    {
        using var folder = Images("train");
        Directory.CreateDirectory(folder["data/test/.hidden"]);
        Refused(folder, $"data: {{ source: {source.Replace("DATA", $"\"{folder["data"]}\"", StringComparison.Ordinal)} }}\nmodel: {{ backbone: mlp 784-5 }}\n{Rest}",
            $"line {line}: ", said, expected);
    }

    [Theory]
    [InlineData("mnist", "mlp 100-50", "mlp 100-50 reads 100 numbers", "samples of [1, 28, 28], which are 784 numbers")]
    [InlineData("mnist", "resnet20", "resnet20 reads images of [3, height, width]", "samples of [1, 28, 28]")]
    [InlineData("cifar-10", "digits-cnn", "digits-cnn reads images of [1, 28, 28]", "samples of [3, 32, 32]")]
    [InlineData("csv, path: DATA, label: kind", "digits-cnn", "digits-cnn reads images of [1, 28, 28]", "samples of [2]")]
    [InlineData("csv, path: DATA, label: kind", "mlp 784-5", "mlp 784-5 reads 784 numbers", "samples of [2]")]
    public void A_model_that_does_not_fit_the_data_is_told_before_a_folder_is_made(string source, string backbone, string said, string expected)
    {
        using var folder = Table(Lines(["a", "b"]), Lines(["a", "b"]));
        var text = $"data: {{ source: {source.Replace("DATA", $"\"{folder["data"]}\"", StringComparison.Ordinal)} }}\nmodel:\n  backbone: {backbone}\n{Rest}";
        Refused(folder, text, "line 3: model.backbone: architecture: ", said, expected);
        File.WriteAllText(folder["my.yaml"], text + "\ntune: { vary: { training.batchSize: [1, 2] } }");
        var tuned = Terminal.Run("tune", folder["my.yaml"], "--out", folder["out"]);
        Assert.Equal(ExitCode.Usage, tuned.Code);
        Assert.Contains("line 3: model.backbone: ", Assert.Single(tuned.ErrorLines), StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["out"]));
    }

    [Fact]
    public void The_default_model_and_a_strategys_own_model_must_fit_too()
    {
        using var folder = Table(Lines(["a", "b"]), Lines(["a", "b"]));
        var data = $"data: {{ source: csv, path: \"{folder["data"]}\", label: kind }}\nstream: {{ experiences: 2 }}\nstrategies:\n";
        Refused(folder, data + "  - naive", "line 1: model.backbone: missing", "mlp 784-400-400 reads 784 numbers", "samples of [2]");
        Refused(folder, data + "  - knn\n  - ridge", "line 5: strategies[1]: \"ridge\" has a model of its own", "patches", "samples of [2]");
        Assert.Equal(ExitCode.Success, Run(folder, data + "  - knn").Code);
    }

    private static void Refused(Folder folder, string text, params string[] said)
    {
        var run = Run(folder, text);
        Assert.Equal(ExitCode.Usage, run.Code);
        var line = Assert.Single(run.ErrorLines);
        Assert.All(["my.yaml: ", .. said], part => Assert.Contains(part, line, StringComparison.Ordinal));
        Assert.False(Directory.Exists(folder["run"]));
    }

    private static Outcome Run(Folder folder, string text)
    {
        File.WriteAllText(folder["my.yaml"], text);
        return Terminal.Run("run", folder["my.yaml"], "--threads", "1", "--out", folder["run"]);
    }

    // Three images of each of four labels, each label in a colour of its own.
    private static Folder Images(params string[] halves)
    {
        var folder = new Folder();
        (string, SKColor)[] labels = [("bird", new(200, 0, 0)), ("cat", new(0, 200, 0)), ("eagle", new(0, 0, 200)), ("horse", new(200, 200, 0))];
        foreach (var half in halves)
            foreach (var (label, colour) in labels)
            {
                Directory.CreateDirectory(folder[$"data/{half}/{label}"]);
                using var bitmap = new SKBitmap(new SKImageInfo(10, 12, SKColorType.Rgba8888));
                bitmap.Erase(colour);
                using var data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
                for (var i = 0; i < 3; i++) File.WriteAllBytes(folder[$"data/{half}/{label}/{i}.png"], data.ToArray());
            }
        return folder;
    }

    private static Folder Table(string train, string? test)
    {
        var folder = new Folder();
        Directory.CreateDirectory(folder["data"]);
        File.WriteAllText(folder["data/train.csv"], train);
        if (test is not null) File.WriteAllText(folder["data/test.csv"], test);
        return folder;
    }

    // Four samples of each label.
    private static string Lines(string[] labels) => "x,kind,y\n" + string.Concat(Enumerable.Range(0, 4).SelectMany(i => labels.Select((label, place) =>
        string.Create(CultureInfo.InvariantCulture, $"{place + (0.1 * i)},{label},{-place}\n"))));
}
