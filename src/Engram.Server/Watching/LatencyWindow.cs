using Engram.Client;

namespace Engram.Server.Watching;

/// <summary>Counts and latencies of the last minute, second by second. Not safe for use by many threads at once.</summary>
/// <remarks>Latencies fall into bins that are each 5 % wider than the one before, so that a percentile is right to 2.5 %, whatever it is.</remarks>
internal sealed class LatencyWindow
{
    private const int Seconds = 60;
    private const int Bins = 320;
    private const double Smallest = 0.01; // ms
    private static readonly double s_growth = Math.Log(1.05);
    private readonly TimeProvider _clock;
    private readonly long _start;
    private readonly Second[] _seconds = new Second[Seconds];
    private long _total;

    public LatencyWindow(TimeProvider clock)
    {
        (_clock, _start) = (clock, clock.GetTimestamp());
        for (var i = 0; i < Seconds; i++) _seconds[i] = new Second();
    }

    /// <summary>Adds predictions that were answered now, and the latencies of their requests.</summary>
    public void Add(int predictions, int unknown, ReadOnlySpan<TimeSpan> latencies)
    {
        var now = Now();
        var second = _seconds[(int)(now % Seconds)];
        if (second.Number != now) second.Begin(now);
        second.Predictions += predictions;
        second.Unknown += unknown;
        _total += predictions;
        foreach (var latency in latencies) second.Latencies[Bin(latency.TotalMilliseconds)]++;
    }

    /// <summary>What the last minute says, and what share of its predictions was unknown.</summary>
    public (PredictionRate Rate, double UnknownShare) Read()
    {
        var now = Now();
        var latencies = new long[Bins];
        var (predictions, unknown, requests) = (0L, 0L, 0L);
        foreach (var second in _seconds)
        {
            if (second.Number <= now - Seconds) continue;
            predictions += second.Predictions;
            unknown += second.Unknown;
            for (var bin = 0; bin < Bins; bin++)
            {
                latencies[bin] += second.Latencies[bin];
                requests += second.Latencies[bin];
            }
        }
        var elapsed = Math.Clamp(_clock.GetElapsedTime(_start).TotalSeconds, 1, Seconds);
        var rate = new PredictionRate(predictions / elapsed, Percentile(latencies, requests, 0.5), Percentile(latencies, requests, 0.99), _total);
        return (rate, predictions == 0 ? 0 : (double)unknown / predictions);
    }

    private static int Bin(double milliseconds) =>
        milliseconds <= Smallest ? 0 : Math.Min(Bins - 1, (int)Math.Ceiling(Math.Log(milliseconds / Smallest) / s_growth));

    private static double Percentile(long[] bins, long total, double share)
    {
        if (total == 0) return 0;
        var (rank, seen) = ((long)Math.Ceiling(share * total), 0L);
        for (var bin = 0; bin < Bins; bin++)
        {
            seen += bins[bin];
            if (seen >= rank) return Smallest * Math.Exp((bin - 0.5) * s_growth);
        }
        return Smallest * Math.Exp(Bins * s_growth);
    }

    private long Now() => (long)_clock.GetElapsedTime(_start).TotalSeconds;

    private sealed class Second
    {
        public long Number { get; private set; } = long.MinValue;

        public long Predictions { get; set; }

        public long Unknown { get; set; }

        public int[] Latencies { get; } = new int[Bins];

        public void Begin(long number)
        {
            (Number, Predictions, Unknown) = (number, 0, 0);
            Array.Clear(Latencies);
        }
    }
}
