using System.Buffers.Binary;

namespace Engram.Learning;

/// <summary>Lends torch's global generator to a learner and gives it back as it was: the one place that touches it.</summary>
internal sealed class TorchRandom : IDisposable
{
    private const int Numbers = 624;

    private readonly Tensor _outside;

    public TorchRandom(long seed)
    {
        _outside = Now();
        manual_seed(seed);
    }

    public TorchRandom(Tensor state)
    {
        _outside = Now();
        random.set_rng_state(state);
    }

    /// <summary>The generator's state, to go on from later.</summary>
    public static Tensor Now() => Current().DetachFromDisposeScope();

    /// <summary>The generator's state, in the caller's scope.</summary>
    public static Tensor Current() => random.get_rng_state();

    /// <summary>Whether torch takes a state: one that it does not ends the process, for it throws where nothing catches.</summary>
    /// <param name="state">Read from a file.</param>
    /// <remarks>
    /// Its bytes (CPUGeneratorImplStateLegacy): the seed, 8; numbers left, 4; whether it is seeded, 4; place of the next number, 8; the 624
    /// numbers of the Mersenne twister. Those left from there on must be among them.
    /// </remarks>
    public static bool IsState(Tensor state)
    {
        using var now = Now();
        if (state.dtype != ScalarType.Byte || !state.shape.SequenceEqual(now.shape)) return false;
        ReadOnlySpan<byte> bytes = state.data<byte>().ToArray();
        var (left, seeded, next) = (
            BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]), BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]));
        return left is >= 1 and <= Numbers && seeded == 1 && next <= Numbers && left + (int)next <= Numbers + 1;
    }

    public void Dispose()
    {
        random.set_rng_state(_outside);
        _outside.Dispose();
    }
}
