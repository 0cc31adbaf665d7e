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

    /// <summary>Runs a step over all numbers.</summary>
    /// <param name="step">The step.</param>
    /// <param name="values">float32 <c>[n]</c>.</param>
    /// <param name="gradient">float32 <c>[n]</c>.</param>
    /// <param name="first">float32 <c>[n]</c>; may be <paramref name="gradient"/> again.</param>
    /// <param name="second">float32 <c>[n]</c>; may be <paramref name="gradient"/> again.</param>
    public static void Run<T>(T step, Tensor values, Tensor gradient, Tensor first, Tensor second) where T : struct, IFlatStep
    {
        var count = values.numel();
        var (v, g, a, b) = (Address(values, count), Address(gradient, count), Address(first, count), Address(second, count));
        var chunks = (int)((count + Chunk - 1) / Chunk);
        TorchThreads.For(chunks, chunk =>
        {
            var start = (long)chunk * Chunk;
            Range(step, (float*)v + start, (float*)g + start, (float*)a + start, (float*)b + start, Math.Min(Chunk, count - start));
        });
    }

    private static void Range<T>(T step, float* values, float* gradient, float* first, float* second, long count)
        where T : struct, IFlatStep
    {
        var width = Vector<float>.Count;
        long i = 0;
        for (; i <= count - width; i += width) step.At(values + i, gradient + i, first + i, second + i);
        if (i == count) return;
        // The rest, too short for a vector, goes through the same instructions in a place of its own.
        var (rest, bytes) = ((int)(count - i), (count - i) * sizeof(float));
        var own = stackalloc float[4 * width];
        new Span<float>(own, 4 * width).Clear();
        float*[] all = [values + i, gradient + i, first + i, second + i];
        for (var k = 0; k < 4; k++) new Span<float>(all[k], rest).CopyTo(new Span<float>(own + (k * width), rest));
        step.At(own, own + width, own + (2 * width), own + (3 * width));
        for (var k = 3; k >= 0; k--) Buffer.MemoryCopy(own + (k * width), all[k], bytes, bytes);
    }

    private static nint Address(Tensor vector, long count)
    {
        if (vector.dtype != ScalarType.Float32 || vector.numel() != count || !vector.is_contiguous())
            throw new ArgumentException($"vector: {vector.dtype} [{vector.numel()}], expected Float32 [{count}] in one piece");
        using var head = vector.narrow(0, 0, Math.Min(count, 1)); // a span of the whole would end at 2 GB
        fixed (byte* start = head.bytes) return (nint)start; // torch's memory does not move
    }
}
