using Engram.Data;
using Engram.Drift;

namespace Engram.Tests.Drift;

public sealed class AdwinTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 32)]
    [InlineData(3, 7)]
    public void Adwin_cuts_where_brute_force_over_all_splits_of_its_values_does(int seed, int testEvery)
    {
        var random = new SeededRandom(seed, "adwin");
        var adwin = new Adwin { TestEvery = testEvery };
        var reference = new WholeWindow(adwin.Delta, testEvery);

        for (var i = 0; i < 3000; i++)
        {
            var mean = (i / 700 % 3) switch { 0 => 0.2, 1 => 0.6, _ => 0.35 };
            var value = Math.Clamp(mean + (0.3 * (random.NextDouble() - 0.5)), 0, 1);
            adwin.Add(value);
            reference.Add(value);

            Assert.Equal(reference.Drifting, adwin.Drifting);
            var values = reference.Values;
            Assert.Equal(values.Count, adwin.Width);
            Assert.Equal(values.Average(), adwin.Estimate, 1e-12);
            Assert.Equal(reference.Variance, adwin.Variance, 1e-12);
        }
        Assert.True(reference.Drifts >= 4, $"{reference.Drifts} drifts");
    }

    [Fact]
    public void Adwin_holds_logarithmically_many_buckets()
    {
        var adwin = new Adwin();
        for (var i = 0; i < 100_000; i++) adwin.Add(0.5);

        Assert.Equal(100_000, adwin.Width);
        Assert.Equal(100_000, adwin.Buckets.Sum(bucket => bucket.Values));
        Assert.InRange(adwin.Buckets.Count(), 1, 5 * 17);
    }

    [Theory]
    [InlineData(-0.1)]
    [InlineData(1.1)]
    [InlineData(double.NaN)]
    public void Adwin_refuses_what_its_bound_does_not_hold_for(double value) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new Adwin().Add(value));

    // The paper's text, over all values at once: the window as lists of the values that share a bucket.
    private sealed class WholeWindow(double delta, int testEvery)
    {
        private readonly List<List<double>> _buckets = []; // oldest first
        private long _count;

        public List<double> Values => [.. _buckets.SelectMany(bucket => bucket)];

        public double Variance => VarianceOf(Values);

        public bool Drifting { get; private set; }

        public int Drifts { get; private set; }

        public void Add(double value)
        {
            _count++;
            _buckets.Add([value]);
            for (var size = 1; _buckets.Count(bucket => bucket.Count == size) > 5; size *= 2)
            {
                var oldest = _buckets.FindIndex(bucket => bucket.Count == size);
                _buckets[oldest].AddRange(_buckets[oldest + 1]);
                _buckets.RemoveAt(oldest + 1);
            }
            Drifting = false;
            while (_count % testEvery == 0 && HasCut())
            {
                _buckets.RemoveAt(0);
                Drifting = true;
            }
            if (Drifting) Drifts++;
        }

        private static double VarianceOf(List<double> values)
        {
            var mean = values.Average();
            return values.Sum(x => (x - mean) * (x - mean)) / values.Count;
        }

        private bool HasCut()
        {
            var values = Values;
            var (variance, n) = (VarianceOf(values), values.Count);
            var older = 0;
            foreach (var bucket in _buckets)
            {
                older += bucket.Count;
                if (older < 5 || n - older < 5) continue;
                var m = 1 / ((1.0 / older) + (1.0 / (n - older)));
                var log = Math.Log(2 / (delta / Math.Log(n)));
                var cut = Math.Sqrt(2 / m * variance * log) + (2 / (3 * m) * log);
                if (Math.Abs(values.Take(older).Average() - values.Skip(older).Average()) > cut) return true;
            }
            return false;
        }
    }
}
