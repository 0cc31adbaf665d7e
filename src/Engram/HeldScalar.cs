namespace Engram;

/// <summary>Numbers for torch operations that live as long as the operation that reads them.</summary>
/// <remarks>
/// TorchSharp turns a number into a finalisable object and hands its address to native code; nothing refers to the object
/// from then on. A garbage collection started by another thread may free it while it is being read, and the operation
/// computes with a wrong number (611 wrong results in 13.6 million calls under forced collections, none when held). So the
/// implicit conversions are banned in this library, as are the overloads of add that make such a number inside (its alpha
/// of 1), and every number passes through here.
/// </remarks>
internal static class HeldScalar
{
    private const int RingSize = 64; // far more than any one expression uses

    [ThreadStatic]
    private static Scalar[]? t_ring;

    [ThreadStatic]
    private static int t_next;

    /// <summary>A float64 scalar, kept until this thread has asked for many more.</summary>
    public static Scalar Held(double value) => Keep(value.ToScalar());

    /// <summary>An int64 scalar, kept until this thread has asked for many more.</summary>
    public static Scalar Held(long value) => Keep(value.ToScalar());

    /// <summary>A boolean scalar, kept until this thread has asked for many more.</summary>
    public static Scalar Held(bool value) => Keep(value.ToScalar());

    private static Scalar Keep(Scalar scalar)
    {
        t_ring ??= new Scalar[RingSize];
        t_next = (t_next + 1) % RingSize;
        t_ring[t_next]?.Dispose(); // its operation returned on this very thread, long ago
        t_ring[t_next] = scalar;
        return scalar;
    }
}
