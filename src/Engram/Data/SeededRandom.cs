using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Engram.Data;

/// <summary>A small generator whose whole state can be saved: xoshiro256** (Blackman and Vigna 2018).</summary>
/// <remarks>Every use of chance in Engram draws from one of these, or from torch's generator that the learner seeds.</remarks>
public sealed class SeededRandom
{
    private ulong _a, _b, _c, _d;

    /// <summary>A generator for one purpose: the same seed and purpose give the same numbers for ever.</summary>
    /// <param name="seed">The experiment's seed.</param>
    /// <param name="purpose">What the numbers are for; other purposes give independent numbers.</param>
    public SeededRandom(long seed, string purpose)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{seed}/{purpose}"));
        State = [.. Enumerable.Range(0, 4).Select(i => BinaryPrimitives.ReadUInt64LittleEndian(hash.AsSpan(8 * i)))];
    }

    /// <summary>The four words of state, to save and restore.</summary>
    public ulong[] State
    {
        get => [_a, _b, _c, _d];
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            if (value.Length != 4 || value.All(word => word == 0))
                throw new ArgumentException("state: expected four words, not all zero", nameof(value));
            (_a, _b, _c, _d) = (value[0], value[1], value[2], value[3]);
        }
    }

    /// <summary>The next 64 random bits.</summary>
    public ulong NextBits()
    {
        var result = ulong.RotateLeft(_b * 5, 7) * 9;
        var t = _b << 17;
        _c ^= _a;
        _d ^= _b;
        _b ^= _c;
        _a ^= _d;
        _c ^= t;
        _d = ulong.RotateLeft(_d, 45);
        return result;
    }

    /// <summary>A uniform number from 0 to <paramref name="bound"/> − 1, without bias (Lemire 2019).</summary>
    /// <param name="bound">1 or more.</param>
    public int Next(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bound, 1);
        while (true)
        {
            var product = (UInt128)NextBits() * (ulong)bound;
            if ((ulong)product >= (ulong)-bound % (ulong)bound) return (int)(product >> 64);
        }
    }

    /// <summary>A uniform number in [0, 1).</summary>
    public double NextDouble() => (NextBits() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Shuffles in place (Fisher and Yates).</summary>
    /// <param name="items">What to shuffle.</param>
    public void Shuffle<T>(Span<T> items)
    {
        for (var i = items.Length - 1; i > 0; i--)
        {
            var j = Next(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    /// <summary>The numbers 0 to <paramref name="count"/> − 1 in random order.</summary>
    /// <param name="count">How many.</param>
    public int[] Permutation(int count)
    {
        var order = Enumerable.Range(0, count).ToArray();
        Shuffle<int>(order);
        return order;
    }
}
