using Engram.Data;
using Engram.Drift;

namespace Engram.Tests.Drift;

public sealed class KswinTests
{
    [Fact]
    public void The_distance_of_two_samples_is_what_brute_force_finds()
    {
        var random = new SeededRandom(6, "ks");
        for (var round = 0; round < 200; round++)
        {
            // Few different values, so that ties are met.
            double[] first = [.. Enumerable.Range(0, 1 + random.Next(40)).Select(_ => (double)random.Next(12))];
            double[] second = [.. Enumerable.Range(0, 1 + random.Next(40)).Select(_ => (double)random.Next(15))];
            var expected = first.Concat(second).Max(at =>
                Math.Abs(((double)first.Count(x => x <= at) / first.Length) - ((double)second.Count(x => x <= at) / second.Length)));

            Assert.Equal(expected, Kswin.LargestDistance([.. first.Order()], [.. second.Order()]), 1e-12);
        }
    }

    [Fact]
    public void Kswin_drifts_above_the_bound_and_keeps_the_newest_values_then()
    {
        var kswin = new Kswin(new SeededRandom(1, "kswin"));
        for (var i = 0; i < 100; i++) kswin.Add(i % 10);
        Assert.False(kswin.Drifting);

        var added = 0;
        while (!kswin.Drifting)
        {
            kswin.Add(100);
            added++;
            // Of the newest 30, `added` are above all others: at least that share apart; the bound is √(−ln 0.005 / 30) = 0.42025.
            Assert.True(kswin.Distance >= added / 30.0 - 1e-12);
            Assert.Equal(kswin.Distance > 0.42025, kswin.Drifting);
        }

        Assert.InRange(added, 1, 13);
        for (var i = 0; i < 69; i++) // 30 were kept: 69 more leave the window one short of full
        {
            kswin.Add(0);
            Assert.Equal(0, kswin.Distance);
        }
        kswin.Add(0);
        Assert.True(kswin.Distance > 0);
    }

    [Fact]
    public void The_same_seed_gives_the_same_detections()
    {
        Assert.Equal(Detections(7), Detections(7));
        Assert.NotEqual(Detections(7), Detections(8));

        static List<double> Detections(int seed)
        {
            var values = new SeededRandom(1, "values");
            var kswin = new Kswin(new SeededRandom(seed, "kswin"));
            var distances = new List<double>();
            for (var i = 0; i < 1000; i++)
            {
                kswin.Add(values.NextDouble());
                distances.Add(kswin.Distance);
            }
            return distances;
        }
    }

    [Fact]
    public void Kswin_sees_a_change_of_spread_that_moves_no_mean()
    {
        var random = new SeededRandom(2, "spread");
        var kswin = new Kswin(new SeededRandom(3, "kswin")) { Alpha = 1e-4 };
        var adwin = new Adwin();
        var (seenByKswin, seenByAdwin) = (false, false);
        for (var i = 0; i < 1000; i++)
        {
            var width = i < 500 ? 0.1 : 1;
            var value = 0.5 + (width * (random.NextDouble() - 0.5));
            kswin.Add(value);
            adwin.Add(value);
            seenByKswin |= i >= 500 && kswin.Drifting;
            seenByAdwin |= adwin.Drifting;
        }

        Assert.True(seenByKswin);
        Assert.False(seenByAdwin);
    }
}
