namespace Engram.Drift;

/// <summary>Adaptive windowing: a window that grows while its values agree and drops its older part when they do not.</summary>
/// <remarks>
/// Bifet and Gavaldà 2007, Learning from Time-Changing Data with Adaptive Windowing: ADWIN2. The window is kept in an exponential
/// histogram of O(M log(n/M)) buckets (section 4). For each split into an older part of n₀ and a newer of n₁ values, with
/// m = 1/(1/n₀ + 1/n₁), δ′ = δ/ln n and σ² the window's variance, drift is |μ₀ − μ₁| &gt; ε_cut,
/// ε_cut = √(2/m · σ² · ln(2/δ′)) + 2/(3m) · ln(2/δ′) (eq. 3.1 of that section), whereupon the oldest bucket is dropped, until no split
/// is so. As in the authors' own program, splits are tried every 32 values, and parts of fewer than 5 are not judged.
/// The bound holds for values from 0 to 1.
/// </remarks>
public sealed class Adwin : IDriftDetector
{
    private const int BucketsPerRow = 5; // M
    private const int SmallestPart = 5;
    private readonly List<Row> _rows = [new()]; // row i: buckets of 2^i values
    private double _sum;
    private double _squares; // Σ (x − mean)²

    /// <summary>δ: bound of the chance of a false alarm at a test.</summary>
    /// <value>Default 0.002.</value>
    public double Delta { get; init; } = 0.002;

    /// <summary>Values between tests.</summary>
    /// <value>Default 32.</value>
    public int TestEvery { get; init; } = 32;

    /// <inheritdoc/>
    public string Name => "adwin";

    /// <inheritdoc/>
    public bool Drifting { get; private set; }

    /// <inheritdoc/>
    public bool Warning => false;

    /// <inheritdoc/>
    public double Estimate => Width == 0 ? 0 : _sum / Width;

    /// <summary>Variance of the values in the window.</summary>
    public double Variance => Width == 0 ? 0 : _squares / Width;

    /// <summary>Values in the window.</summary>
    public long Width { get; private set; }

    /// <inheritdoc/>
    public long Count { get; private set; }

    /// <summary>Buckets held, oldest first: how many values each stands for, and their sum.</summary>
    internal IEnumerable<(long Values, double Sum)> Buckets
    {
        get
        {
            for (var row = _rows.Count - 1; row >= 0; row--)
                for (var bucket = 0; bucket < _rows[row].Count; bucket++)
                    yield return (1L << row, _rows[row].Buckets[bucket].Sum);
        }
    }

    /// <inheritdoc/>
    public void Add(double value)
    {
        if (value is not (>= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(value), value, "expected a number from 0 to 1");
        Count++;
        if (Width > 0) _squares += Width * Square(value - Estimate) / (Width + 1);
        Width++;
        _sum += value;
        _rows[0].Append(new Bucket(value, 0));
        Compress();
        Drifting = false;
        if (Count % TestEvery == 0)
            while (HasCut()) DropOldest();
    }

    /// <inheritdoc/>
    public void Reset()
    {
        _rows.Clear();
        _rows.Add(new());
        (_sum, _squares, Width, Count, Drifting) = (0, 0, 0, 0, false);
    }

    private static double Square(double x) => x * x;

    // Two oldest buckets of a full row become one of the next: no row holds more than M.
    private void Compress()
    {
        for (var row = 0; _rows[row].Count > BucketsPerRow; row++)
        {
            var (a, b) = (_rows[row].Buckets[0], _rows[row].Buckets[1]);
            double size = 1L << row;
            var merged = new Bucket(a.Sum + b.Sum, a.Squares + b.Squares + (size * Square((a.Sum - b.Sum) / size) / 2));
            _rows[row].RemoveOldest(2);
            if (row + 1 == _rows.Count) _rows.Add(new());
            _rows[row + 1].Append(merged);
        }
    }

    private bool HasCut()
    {
        var log = Math.Log(2 * Math.Log(Width) / Delta); // ln(2/δ′)
        var variance = Variance;
        var (n0, sum0) = (0L, 0.0);
        for (var row = _rows.Count - 1; row >= 0; row--)
        {
            for (var bucket = 0; bucket < _rows[row].Count; bucket++)
            {
                (n0, sum0) = (n0 + (1L << row), sum0 + _rows[row].Buckets[bucket].Sum);
                var n1 = Width - n0;
                if (n1 < SmallestPart) return false;
                if (n0 < SmallestPart) continue;
                var inverse = (1.0 / n0) + (1.0 / n1); // 1/m
                var cut = Math.Sqrt(2 * inverse * variance * log) + (2 * inverse * log / 3);
                if (Math.Abs((sum0 / n0) - ((_sum - sum0) / n1)) > cut) return true;
            }
        }
        return false;
    }

    private void DropOldest()
    {
        Drifting = true;
        var last = _rows.Count - 1;
        var oldest = _rows[last].Buckets[0];
        long size = 1L << last;
        _rows[last].RemoveOldest(1);
        if (_rows[last].Count == 0 && last > 0) _rows.RemoveAt(last);
        Width -= size;
        _sum -= oldest.Sum;
        if (Width == 0) return;
        var gap = (oldest.Sum / size) - Estimate;
        _squares = Math.Max(0, _squares - oldest.Squares - (size * (double)Width * Square(gap) / (size + Width)));
    }

    /// <param name="Sum">Of its values.</param>
    /// <param name="Squares">Σ (x − mean)² of its values.</param>
    private readonly record struct Bucket(double Sum, double Squares);

    private sealed class Row
    {
        public Bucket[] Buckets { get; } = new Bucket[BucketsPerRow + 1]; // oldest first

        public int Count { get; private set; }

        public void Append(Bucket bucket) => Buckets[Count++] = bucket;

        public void RemoveOldest(int count)
        {
            Count -= count;
            Array.Copy(Buckets, count, Buckets, 0, Count);
        }
    }
}
