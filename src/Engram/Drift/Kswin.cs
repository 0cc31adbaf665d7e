using Engram.Data;

namespace Engram.Drift;

/// <summary>Kolmogorov-Smirnov windowing: the newest values against a random sample of those before; a change of shape is found too.</summary>
/// <remarks>
/// Raab, Heusinger and Schleif 2020, Reactive Soft Prototype Computing for Concept Drift Streams, section 4. Of a window of n values, the
/// newest r are compared with r drawn without replacement from the other n − r; drift when their largest distance between distribution
/// functions exceeds √(−ln α / r), after which only the newest r are kept. The test is made at every value, so that on long
/// stationary streams false alarms come far more often than α says of one test; lower α where they cost something.
/// </remarks>
public sealed class Kswin : IDriftDetector
{
    private readonly SeededRandom _random;
    private readonly double[] _window; // oldest first
    private readonly double[] _newest;
    private readonly double[] _sample;
    private readonly double[] _older;
    private int _held;

    /// <summary>Creates one.</summary>
    /// <param name="random">Draws the samples.</param>
    /// <param name="window">n: values kept, default 100.</param>
    /// <param name="newest">r: values compared, default 30; at most half of the window.</param>
    public Kswin(SeededRandom random, int window = 100, int newest = 30)
    {
        ArgumentNullException.ThrowIfNull(random);
        ArgumentOutOfRangeException.ThrowIfLessThan(newest, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(window, 2 * newest);
        (_random, _window, _newest, _sample, _older) = (random, new double[window], new double[newest], new double[newest], new double[window - newest]);
    }

    /// <summary>α: significance of one test.</summary>
    /// <value>Default 0.005.</value>
    public double Alpha { get; init; } = 0.005;

    /// <inheritdoc/>
    public string Name => "kswin";

    /// <inheritdoc/>
    public bool Drifting { get; private set; }

    /// <inheritdoc/>
    public bool Warning => false;

    /// <inheritdoc/>
    public double Estimate
    {
        get
        {
            var newest = _window.AsSpan(Math.Max(0, _held - _newest.Length), Math.Min(_held, _newest.Length));
            var sum = 0.0;
            foreach (var value in newest) sum += value;
            return newest.IsEmpty ? 0 : sum / newest.Length;
        }
    }

    /// <inheritdoc/>
    public long Count { get; private set; }

    /// <summary>The distance that the last test found, 0 to 1; 0 before the window was full.</summary>
    public double Distance { get; private set; }

    /// <inheritdoc/>
    public void Add(double value)
    {
        if (!double.IsFinite(value)) throw new ArgumentOutOfRangeException(nameof(value), value, "expected a finite number");
        Count++;
        if (_held == _window.Length) _window.AsSpan(1).CopyTo(_window);
        else _held++;
        _window[_held - 1] = value;
        (Drifting, Distance) = (false, 0);
        if (_held < _window.Length) return;

        var newest = _window.AsSpan(_older.Length);
        newest.CopyTo(_newest);
        _window.AsSpan(0, _older.Length).CopyTo(_older);
        for (var i = 0; i < _sample.Length; i++) // the first r of a shuffle
        {
            var j = i + _random.Next(_older.Length - i);
            (_older[i], _older[j]) = (_older[j], _older[i]);
            _sample[i] = _older[i];
        }
        Array.Sort(_newest);
        Array.Sort(_sample);
        Distance = LargestDistance(_newest, _sample);
        if (!(Distance > Math.Sqrt(-Math.Log(Alpha) / _newest.Length))) return;
        Drifting = true;
        newest.CopyTo(_window);
        _held = _newest.Length;
    }

    /// <inheritdoc/>
    public void Reset() => (_held, Drifting, Distance, Count) = (0, false, 0, 0);

    /// <summary>sup |F(x) − G(x)| of two sorted samples.</summary>
    internal static double LargestDistance(ReadOnlySpan<double> first, ReadOnlySpan<double> second)
    {
        var (i, j, largest) = (0, 0, 0.0);
        while (i < first.Length && j < second.Length)
        {
            var at = Math.Min(first[i], second[j]);
            while (i < first.Length && first[i] == at) i++;
            while (j < second.Length && second[j] == at) j++;
            largest = Math.Max(largest, Math.Abs(((double)i / first.Length) - ((double)j / second.Length)));
        }
        return largest;
    }
}
