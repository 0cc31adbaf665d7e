using System.Collections.Concurrent;

namespace Engram.Server.Security;

/// <summary>A bucket of requests for each key: full at first, filled again steadily, one second's worth deep.</summary>
internal sealed class RateLimits(int perSecond, TimeProvider clock)
{
    private readonly ConcurrentDictionary<string, Bucket> _buckets = new(StringComparer.Ordinal);

    /// <summary>Counts a request.</summary>
    /// <param name="key">The key's id: only keys that exist get this far, so there are no more buckets than keys were ever made.</param>
    /// <exception cref="OverloadException">The bucket is empty.</exception>
    public void Take(string key)
    {
        if (perSecond == 0) return;
        var wait = _buckets.GetOrAdd(key, static (_, state) => new Bucket(state.perSecond, state.clock), (perSecond, clock)).Take();
        if (wait > TimeSpan.Zero)
            throw new OverloadException("authorization", $"more than {perSecond} requests per second with one key, expected fewer", wait);
    }

    private sealed class Bucket(int perSecond, TimeProvider clock)
    {
        private readonly Lock _lock = new();
        private double _tokens = perSecond;
        private long _filled = clock.GetTimestamp();

        /// <returns>Zero if there was a token; otherwise how long until there is one.</returns>
        public TimeSpan Take()
        {
            lock (_lock)
            {
                var now = clock.GetTimestamp();
                _tokens = Math.Min(perSecond, _tokens + clock.GetElapsedTime(_filled, now).TotalSeconds * perSecond);
                _filled = now;
                if (_tokens < 1) return TimeSpan.FromSeconds((1 - _tokens) / perSecond);
                _tokens--;
                return TimeSpan.Zero;
            }
        }
    }
}
