using System.Numerics;

namespace Engram.Data;

/// <summary>Moves rows between tensors in memory: for a batch of rows torch's indexing costs more than the copy, and wakes threads for it.</summary>
internal static unsafe class Rows
{
    /// <summary>Rows in the order asked for, as <c>index_select</c> gives them.</summary>
    /// <param name="source"><c>[rows, ...]</c>.</param>
    /// <param name="indices">Which rows.</param>
    /// <exception cref="ArgumentOutOfRangeException">An index is no row.</exception>
    public static Tensor Gather(Tensor source, ReadOnlySpan<long> indices)
    {
        using var _ = no_grad();
        if (!IsPlain(source))
        {
            using var index = tensor(indices.ToArray());
            return source.index_select(0, index);
        }
        var shape = source.shape;
        var count = shape[0];
        shape[0] = indices.Length;
        var rows = empty(shape, source.dtype);
        if (rows.numel() == 0) return rows;
        byte* from = Start(source), to = Start(rows);
        var length = Length(source);
        for (var i = 0; i < indices.Length; i++)
        {
            if ((ulong)indices[i] >= (ulong)count)
                throw new ArgumentOutOfRangeException(nameof(indices), $"{indices[i]}, expected 0 to {count - 1}");
            Buffer.MemoryCopy(from + (indices[i] * length), to + (i * length), length, length);
        }
        return rows;
    }

    /// <summary>Writes rows of one tensor over rows of another, as <c>index_copy_</c> does.</summary>
    /// <param name="target"><c>[rows, ...]</c>.</param>
    /// <param name="places">Rows of <paramref name="target"/>.</param>
    /// <param name="source"><c>[rows, ...]</c> of the same kind.</param>
    /// <param name="rows">Row of <paramref name="source"/> for each place.</param>
    /// <returns>False, and nothing is done, where the two are not of one kind or not in one piece.</returns>
    public static bool TryWrite(Tensor target, ReadOnlySpan<long> places, Tensor source, ReadOnlySpan<long> rows)
    {
        if (!IsPlain(target) || !IsPlain(source) || target.dtype != source.dtype || Length(target) != Length(source)) return false;
        byte* from = Start(source), to = Start(target);
        var length = Length(source);
        for (var i = 0; i < places.Length; i++)
            Buffer.MemoryCopy(from + (rows[i] * length), to + (places[i] * length), length, length);
        return true;
    }

    /// <summary>Bytes as float32 of the same shape, (x / 255 − mean) / std, rounded as torch rounds it.</summary>
    /// <param name="bytes">uint8 in one piece.</param>
    /// <param name="mean">Subtracted.</param>
    /// <param name="std">Divided by.</param>
    public static Tensor ToFloats(Tensor bytes, double mean, double std)
    {
        var floats = empty(bytes.shape);
        var count = bytes.numel();
        if (count == 0) return floats;
        var from = Start(bytes);
        var to = (float*)Start(floats);
        var (shift, scale) = ((float)mean, (float)std);
        long i = 0;
        for (; i <= count - Vector<byte>.Count; i += Vector<byte>.Count)
        {
            Vector.Widen(Vector.Load(from + i), out var low, out var high);
            Scale(low, to + i, shift, scale);
            Scale(high, to + i + Vector<ushort>.Count, shift, scale);
        }
        for (; i < count; i++) to[i] = ((from[i] / 255f) - shift) / scale;
        return floats;
    }

    /// <summary>Whether rows lie one after another in this process' memory.</summary>
    public static bool IsPlain(Tensor tensor) =>
        tensor.device_type == TorchSharp.DeviceType.CPU && tensor.dim() > 0 && tensor.size(0) > 0 && tensor.is_contiguous();

    private static void Scale(Vector<ushort> values, float* to, float mean, float std)
    {
        Vector.Widen(values, out var low, out var high);
        Scale(low, to, mean, std);
        Scale(high, to + Vector<float>.Count, mean, std);
    }

    private static void Scale(Vector<uint> values, float* to, float mean, float std)
    {
        var unit = Vector.ConvertToSingle(values.As<uint, int>()) / 255f;
        // Division takes most of the time; by one it changes nothing.
        Vector.Store(mean == 0 && std == 1 ? unit : (unit - new Vector<float>(mean)) / std, to);
    }

    private static long Length(Tensor tensor) => tensor.numel() / tensor.size(0) * tensor.element_size();

    private static byte* Start(Tensor tensor)
    {
        using var first = tensor.narrow(0, 0, 1); // a span of the whole would end at 2 GB
        fixed (byte* start = first.bytes) return start; // torch's memory does not move
    }
}
