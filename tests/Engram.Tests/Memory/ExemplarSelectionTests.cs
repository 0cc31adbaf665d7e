using Engram.Data;
using Engram.Memory;
using static TorchSharp.torch;

namespace Engram.Tests.Memory;

public sealed class ExemplarSelectionTests
{
    [Theory]
    [InlineData(40, 7, 40)]
    [InlineData(200, 16, 25)]
    [InlineData(3, 2, 10)]
    public void Herding_follows_algorithm_4_of_iCaRL(int samples, int width, int count)
    {
        var features = Features(samples, width);
        using var asTensor = AsTensor(features);

        var chosen = ExemplarSelection.Herding(asTensor, count);

        Assert.Equal(HerdingByDefinition(features, Math.Min(count, samples)), chosen);
    }

    [Fact]
    public void Herding_keeps_the_exemplars_mean_nearer_to_the_class_mean_than_chance()
    {
        var features = Features(500, 8);
        using var asTensor = AsTensor(features);
        var herded = ExemplarSelection.Herding(asTensor, 20);
        var random = new SeededRandom(1, "test");
        var byChance = Enumerable.Range(0, 200)
            .Select(_ => DistanceOfMeans(features, ExemplarSelection.Random(500, 20, random))).ToArray();

        Assert.True(
            DistanceOfMeans(features, herded) < byChance.Min(),
            $"herding {DistanceOfMeans(features, herded)}, chance {byChance.Min()} to {byChance.Max()}");
    }

    [Fact]
    public void Closest_to_mean_orders_samples_by_distance_to_the_mean()
    {
        var features = Features(60, 5);
        using var asTensor = AsTensor(features);
        var unit = Array.ConvertAll(features, Unit);
        var mean = MeanOf(unit);
        var expected = Enumerable.Range(0, 60).OrderBy(i => Distance(unit[i], mean)).Take(15).Select(i => (long)i);

        Assert.Equal(expected, ExemplarSelection.ClosestToMean(asTensor, 15));
    }

    [Fact]
    public void Features_of_the_wrong_shape_are_refused_by_name()
    {
        using var flat = zeros(4);
        var problem = Assert.Throws<ArgumentException>(() => ExemplarSelection.Herding(flat, 1));
        Assert.Contains("features: Float32 [4], expected float [samples, features]", problem.Message, StringComparison.Ordinal);
    }

    private static long[] HerdingByDefinition(double[][] features, int count)
    {
        var unit = Array.ConvertAll(features, Unit);
        var mean = MeanOf(unit);
        var chosen = new List<long>();
        for (var k = 1; k <= count; k++)
        {
            var best = Enumerable.Range(0, unit.Length).Where(x => !chosen.Contains(x))
                .MinBy(x => Distance(mean, MeanOf([unit[x], .. chosen.Select(p => unit[p])])));
            chosen.Add(best);
        }
        return [.. chosen];
    }

    private static double DistanceOfMeans(double[][] features, long[] chosen)
    {
        var unit = Array.ConvertAll(features, Unit);
        return Distance(MeanOf(unit), MeanOf([.. chosen.Select(i => unit[i])]));
    }

    private static double[][] Features(int samples, int width)
    {
        var random = new SeededRandom(7, $"features/{samples}");
        return [.. Enumerable.Range(0, samples).Select(_ =>
            Enumerable.Range(0, width).Select(_ => (double)(float)(random.NextDouble() * 2)).ToArray())];
    }

    private static Tensor AsTensor(double[][] rows) =>
        tensor(rows.SelectMany(row => row).ToArray()).view(rows.Length, rows[0].Length);

    private static double[] Unit(double[] row)
    {
        var norm = Math.Sqrt(row.Sum(x => x * x));
        return Array.ConvertAll(row, x => x / norm);
    }

    private static double[] MeanOf(double[][] rows) =>
        [.. Enumerable.Range(0, rows[0].Length).Select(column => rows.Average(row => row[column]))];

    private static double Distance(double[] a, double[] b) => Math.Sqrt(a.Zip(b).Sum(p => (p.First - p.Second) * (p.First - p.Second)));
}
