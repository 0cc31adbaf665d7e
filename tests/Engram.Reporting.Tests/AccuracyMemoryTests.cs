using System.Globalization;

namespace Engram.Reporting.Tests;

public class AccuracyMemoryTests
{
    [Fact]
    public void The_curve_is_a_picture_and_bad_points_are_named()
    {
        var png = AccuracyMemoryPlot.RenderPng("Split MNIST", [new("patches", "8", 1_000_000, 0.9), new("patches", "16", 4_000_000, 0.95)]);
        Assert.Equal([0x89, 0x50, 0x4E, 0x47], png[..4]);
        Assert.Throws<ArgumentException>(() => AccuracyMemoryPlot.RenderPng("none", []));
        Assert.Throws<ArgumentException>(() => AccuracyMemoryPlot.RenderPng("none", [new("patches", "8", 0, 0.9)]));
    }

    /// <summary>Draws the picture of docs/methods from the table beside it.</summary>
    [Fact(Explicit = true)]
    public void Picture_of_the_measured_curve()
    {
        var folder = Path.Combine(Root(), "docs", "methods", "images");
        var points = File.ReadLines(Path.Combine(folder, "accuracy-memory.csv")).Skip(1).Select(line => line.Split(','))
            .GroupBy(cells => (Series: cells[0], Size: cells[1]))
            .Select(seeds => new AccuracyMemoryPoint(
                seeds.Key.Series, seeds.Key.Size, long.Parse(seeds.First()[5], CultureInfo.InvariantCulture),
                seeds.Average(cells => double.Parse(cells[6], CultureInfo.InvariantCulture))));
        File.WriteAllBytes(
            Path.Combine(folder, "accuracy-memory.png"),
            AccuracyMemoryPlot.RenderPng("Split MNIST, class-incremental: ridge regression, no stored sample", [.. points]));
    }

    /// <summary>Draws the pictures of docs/methods/compressed-replay.md from the tables beside them.</summary>
    [Theory(Explicit = true)]
    [InlineData("compressed-memory", "Split MNIST, class-incremental: replay of exemplars kept as pixels or as codes")]
    [InlineData("compressed-features", "Split CIFAR-100, class-incremental, frozen network: exemplars kept as images or as features")]
    public void Picture_of_compressed_memory(string name, string title)
    {
        var folder = Path.Combine(Root(), "docs", "methods", "images");
        var points = File.ReadLines(Path.Combine(folder, $"{name}.csv")).Skip(1).Select(line => line.Split(','))
            .GroupBy(cells => (Series: cells[0], Exemplars: cells[1]))
            .Select(seeds => new AccuracyMemoryPoint(
                seeds.Key.Series, seeds.Key.Exemplars, long.Parse(seeds.First()[3], CultureInfo.InvariantCulture),
                seeds.Average(cells => double.Parse(cells[4], CultureInfo.InvariantCulture))));
        File.WriteAllBytes(
            Path.Combine(folder, $"{name}.png"), AccuracyMemoryPlot.RenderPng(title, [.. points], "Memory of exemplars (MB)"));
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Engram.slnx"))) folder = folder.Parent;
        return folder!.FullName;
    }
}
