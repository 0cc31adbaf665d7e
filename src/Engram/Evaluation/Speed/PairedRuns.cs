using System.Diagnostics;

namespace Engram.Evaluation.Speed;

/// <summary>How one thing's time compares with another's over several rounds.</summary>
/// <param name="Min">The smallest ratio of a round.</param>
/// <param name="Median">The middle one.</param>
/// <param name="Max">The largest.</param>
/// <param name="First">Median time of the first, in seconds.</param>
/// <param name="Second">Median time of the second, in seconds.</param>
public sealed record PairedRatio(double Min, double Median, double Max, double First, double Second);

/// <summary>Measures two things in alternation, so that whatever else the machine does falls on both.</summary>
public static class PairedRuns
{
    /// <summary>Runs A, B, A, B, ... and compares the two of each round; one round before the first is not counted.</summary>
    /// <param name="first">A: does the work and returns the seconds it took.</param>
    /// <param name="second">B.</param>
    /// <param name="rounds">Rounds, 1 or more.</param>
    /// <returns>The ratios of A's time to B's.</returns>
    public static PairedRatio Compare(Func<double> first, Func<double> second, int rounds)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        ArgumentOutOfRangeException.ThrowIfLessThan(rounds, 1);
        first();
        second();
        var (a, b) = (new double[rounds], new double[rounds]);
        for (var round = 0; round < rounds; round++) (a[round], b[round]) = (first(), second());
        double[] ratios = [.. a.Zip(b, (own, other) => own / other).Order()];
        return new PairedRatio(ratios[0], Median(ratios), ratios[^1], Median(a), Median(b));
    }

    /// <summary>The same for things that do not measure themselves.</summary>
    /// <param name="first">A.</param>
    /// <param name="second">B.</param>
    /// <param name="rounds">Rounds, 1 or more.</param>
    public static PairedRatio Compare(Action first, Action second, int rounds) =>
        Compare(() => Seconds(first), () => Seconds(second), rounds);

    /// <summary>The time of one run.</summary>
    /// <param name="work">What to run.</param>
    public static double Seconds(Action work)
    {
        ArgumentNullException.ThrowIfNull(work);
        var began = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    /// <summary>The middle of some numbers; the mean of the middle two where their count is even.</summary>
    /// <param name="numbers">At least one.</param>
    public static double Median(IEnumerable<double> numbers)
    {
        double[] sorted = [.. numbers.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
