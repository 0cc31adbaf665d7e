namespace Engram.Cli.Tests;

public class SampleSheetFileTests
{
    [Fact]
    public void A_run_draws_what_its_generators_make_after_each_experience_and_nothing_for_others()
    {
        using var folder = new Folder();
        File.WriteAllText(folder["small.yaml"], """
            data: { perClass: 8, testPerClass: 2 }
            stream: { groups: [[0, 1], [2, 3, 4]] }
            model: { backbone: mlp 784-16 }
            training: { batchSize: 8 }
            strategies: [naive, dgr, dgr-gan, brain-inspired, generative-classifier]
            """);

        var outcome = Terminal.Run("run", folder["small.yaml"], "--threads", "1", "--out", folder["run"]);

        Assert.True(outcome.Code == ExitCode.Success, outcome.Error);
        string[] expected =
            [.. new[] { "brain-inspired", "dgr", "dgr-gan", "generative-classifier" }.SelectMany(name => new[] { $"{name}-1.png", $"{name}-2.png" })];
        var files = Directory.GetFiles(folder["run/samples"]).Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(expected, files.Select(Path.GetFileName));
        Assert.All(files, file => Assert.Contains(Path.GetFileName(file), outcome.Out, StringComparison.Ordinal));
        int WidthOf(string name)
        {
            using var sheet = SkiaSharp.SKBitmap.Decode(folder[$"run/samples/{name}.png"]);
            return sheet.Width;
        }
        // A column for each class learnt so far, or ten where the generator cannot choose.
        Assert.Equal([2 + (2 * 58), 2 + (5 * 58), 2 + (10 * 58)], new[] { "dgr-gan-1", "dgr-gan-2", "dgr-1" }.Select(WidthOf));
    }
}
