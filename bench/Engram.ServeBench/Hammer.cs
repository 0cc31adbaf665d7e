using System.Diagnostics;

namespace Engram.ServeBench;

/// <summary>What some seconds of requests gave.</summary>
internal sealed record Hammered(double PerSecond, double P50, double P99, long Failed);

/// <summary>Sends requests over some connections, one after another on each.</summary>
internal static class Hammer
{
    /// <summary>For some time.</summary>
    public static Task<Hammered> ForAsync(Uri address, byte[][] requests, int connections, TimeSpan duration)
    {
        var started = Stopwatch.GetTimestamp();
        return WhileAsync(address, requests, connections, _ => Stopwatch.GetElapsedTime(started) < duration);
    }

    /// <summary>For some number of requests.</summary>
    public static Task<Hammered> TimesAsync(Uri address, byte[][] requests, int connections, int times) =>
        WhileAsync(address, requests, connections, sent => sent < times);

    private static async Task<Hammered> WhileAsync(Uri address, byte[][] requests, int connections, Func<int, bool> goOn)
    {
        var (next, failed, started) = (-1, 0L, Stopwatch.GetTimestamp());
        var all = await Task.WhenAll(Enumerable.Range(0, connections).Select(async _ =>
        {
            using var connection = await RawConnection.OpenAsync(address);
            var times = new List<double>();
            for (int sent; goOn(sent = Interlocked.Increment(ref next));)
            {
                var begun = Stopwatch.GetTimestamp();
                if (await connection.SendAsync(requests[sent % requests.Length]) >= 300) Interlocked.Increment(ref failed);
                times.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
            }
            return times;
        }));
        var took = Stopwatch.GetElapsedTime(started).TotalSeconds;
        var sorted = all.SelectMany(times => times).Order().ToArray();
        return new Hammered(sorted.Length / took, sorted[sorted.Length / 2], sorted[(int)(sorted.Length * 0.99)], failed);
    }
}
