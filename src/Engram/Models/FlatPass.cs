using System.Numerics;

namespace Engram.Models;

/// <summary>What happens to a few neighbouring numbers of up to four flat vectors.</summary>
internal unsafe interface IFlatStep
{
    /// <summary>Changes <c>Vector&lt;float&gt;.Count</c> numbers of each vector in place.</summary>
    void At(float* values, float* gradient, float* first, float* second);
}

/// <summary>One pass over flat vectors on all of torch's threads. What takes torch a dozen operations takes one trip through memory.</summary>
/// <remarks>
/// Every number depends on its neighbours at the same place alone and is computed by the same instructions wherever a chunk
/// ends, so that the result does not depend on the number of threads.
/// </remarks>
internal static unsafe class FlatPass
{
    private const int Chunk = 1 << 15; // numbers; 128 KB of each vector

    private delegate void OnChunk(float** vectors, long count);

    /// <summary>Runs a step over all numbers.</summary>
    /// <param name="step">The step.</param>
    /// <param name="values">float32 <c>[n]</c>.</param>
    /// <param name="gradient">float32 <c>[n]</c>.</param>
    /// <param name="first">float32 <c>[n]</c>; may be <paramref name="gradient"/> again.</param>
    /// <param name="second">float32 <c>[n]</c>; may be <paramref name="gradient"/> again.</param>
    public static void Run<T>(T step, Tensor values, Tensor gradient, Tensor first, Tensor second) where T : struct, IFlatStep =>
        Chunks((vectors, count) => Range(step, vectors, count), values, gradient, first, second);

    /// <summary>Takes an optimiser's step for all numbers.</summary>
    /// <param name="step">The step.</param>
    /// <param name="companion">What goes along; null for none.</param>
    /// <param name="values">float32 <c>[n]</c>.</param>
    /// <param name="gradient">float32 <c>[n]</c>.</param>
    /// <param name="moments">Two of float32 <c>[n]</c>; may be <paramref name="gradient"/> again.</param>
    public static void Run<T>(T step, FlatCompanion? companion, Tensor values, Tensor gradient, (Tensor First, Tensor Second) moments)
        where T : struct, IOptimizerStep
    {
        if (companion is null) Run(step, default(Alone), values, gradient, moments, default);
        else companion.Accompany(step, values, gradient, moments);
    }

    /// <summary>Takes an optimiser's step for all numbers, and does what a mechanism does around it.</summary>
    /// <param name="step">The optimiser's.</param>
    /// <param name="companion">The mechanism's.</param>
    /// <param name="values">float32 <c>[n]</c>.</param>
    /// <param name="gradient">float32 <c>[n]</c>.</param>
    /// <param name="moments">Two of float32 <c>[n]</c>; may be <paramref name="gradient"/> again.</param>
    /// <param name="own">The mechanism's four, float32 <c>[n]</c>; null where it has none.</param>
    public static void Run<TStep, TCompanion>(
        TStep step, TCompanion companion, Tensor values, Tensor gradient, (Tensor First, Tensor Second) moments,
        (Tensor? First, Tensor? Second, Tensor? Third, Tensor? Fourth) own) where TStep : struct, IOptimizerStep where TCompanion : struct, ICompanionStep =>
        Chunks((vectors, count) => Range(step, companion, vectors, count),
            values, gradient, moments.First, moments.Second, own.First, own.Second, own.Third, own.Fourth);

    private static void Range<T>(T step, float** vectors, long count) where T : struct, IFlatStep
    {
        float* values = vectors[0], gradient = vectors[1], first = vectors[2], second = vectors[3];
        var width = Vector<float>.Count;
        long i = 0;
        for (; i <= count - width; i += width) step.At(values + i, gradient + i, first + i, second + i);
        if (i == count) return;
        float* room = stackalloc float[4 * width];
        var rest = stackalloc float*[4];
        Fetch(vectors, 4, i, count, room, rest);
        Range(step, rest, width);
        PutBack(vectors, 4, i, count, rest);
    }

    private static void Range<TStep, TCompanion>(TStep step, TCompanion companion, float** vectors, long count)
        where TStep : struct, IOptimizerStep where TCompanion : struct, ICompanionStep
    {
        float* values = vectors[0], gradient = vectors[1], first = vectors[2], second = vectors[3];
        float* own1 = vectors[4], own2 = vectors[5], own3 = vectors[6], own4 = vectors[7];
        var width = Vector<float>.Count;
        long i = 0;
        for (; i <= count - width; i += width)
        {
            var (before, loss) = (Vector.Load(values + i), Vector.Load(gradient + i));
            var after = step.Take(before, companion.Before(before, loss, own1 + i, own2 + i), first + i, second + i);
            Vector.Store(after, values + i);
            companion.After(before, after, loss, own3 + i, own4 + i);
        }
        if (i == count) return;
        float* room = stackalloc float[8 * width];
        var rest = stackalloc float*[8];
        Fetch(vectors, 8, i, count, room, rest);
        Range(step, companion, rest, width);
        PutBack(vectors, 8, i, count, rest);
    }

    // The rest, too short for a vector, goes through the same instructions in a place of its own.
    private static void Fetch(float** vectors, int many, long start, long count, float* room, float** rest)
    {
        var (width, bytes) = (Vector<float>.Count, (count - start) * sizeof(float));
        new Span<float>(room, many * width).Clear();
        for (var k = 0; k < many; k++)
        {
            rest[k] = room + (k * width);
            if (vectors[k] != null) Buffer.MemoryCopy(vectors[k] + start, rest[k], bytes, bytes);
        }
    }

    private static void PutBack(float** vectors, int many, long start, long count, float** rest)
    {
        var bytes = (count - start) * sizeof(float);
        for (var k = many - 1; k >= 0; k--)
            if (vectors[k] != null) Buffer.MemoryCopy(rest[k], vectors[k] + start, bytes, bytes);
    }

    private static void Chunks(OnChunk body, params ReadOnlySpan<Tensor?> vectors)
    {
        var count = vectors[0]!.numel();
        var all = new nint[vectors.Length];
        for (var k = 0; k < all.Length; k++) all[k] = vectors[k] is { } vector ? Address(vector, count) : 0;
        TorchThreads.For((int)((count + Chunk - 1) / Chunk), chunk =>
        {
            var start = (long)chunk * Chunk;
            var at = stackalloc float*[all.Length];
            for (var k = 0; k < all.Length; k++) at[k] = all[k] == 0 ? null : (float*)all[k] + start;
            body(at, Math.Min(Chunk, count - start));
        });
    }

    private static nint Address(Tensor vector, long count)
    {
        if (vector.dtype != ScalarType.Float32 || vector.numel() != count || !vector.is_contiguous())
            throw new ArgumentException($"vector: {vector.dtype} [{vector.numel()}], expected Float32 [{count}] in one piece");
        using var head = vector.narrow(0, 0, Math.Min(count, 1)); // a span of the whole would end at 2 GB
        fixed (byte* start = head.bytes) return (nint)start; // torch's memory does not move
    }
}
