using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Engram.Persistence;

/// <summary>
/// Reads and writes safetensors: 8 bytes of header length (little-endian), a JSON header, the raw numbers. The format of
/// https://github.com/huggingface/safetensors; files open in Python as they are, and the reverse.
/// </summary>
/// <remarks>
/// Equal tensors give equal bytes: wide elements first, then by name, as in the reference implementation, so that every
/// tensor is aligned to its element (the format allows no gaps) and the data to 8 bytes.
/// </remarks>
public static class SafetensorsFile
{
    private const long ChunkBytes = 1 << 28; // a span holds less than 2 GB

    /// <summary>Writes a file, whole or not at all.</summary>
    /// <param name="path">The file to create or replace.</param>
    /// <param name="tensors">Tensors by name.</param>
    /// <param name="metadata">Further strings, under <c>__metadata__</c>.</param>
    /// <exception cref="ArgumentException">An element type that the format or torch lacks (complex, quantised).</exception>
    public static void Write(
        string path, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string>? metadata = null) =>
        AtomicFile.Write(path, stream => Write(stream, tensors, metadata));

    /// <summary>Writes to a stream.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="tensors">Tensors by name.</param>
    /// <param name="metadata">Further strings, under <c>__metadata__</c>.</param>
    /// <exception cref="ArgumentException">An element type that the format or torch lacks (complex, quantised).</exception>
    public static void Write(
        Stream stream, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(tensors);
        if (tensors.ContainsKey(SafetensorsHeader.MetadataKey))
            throw new ArgumentException($"tensors: {SafetensorsHeader.MetadataKey} is a reserved name", nameof(tensors));
        var ordered = tensors
            .OrderByDescending(pair => SafetensorsHeader.TypeOf(pair.Value.dtype, pair.Key).Bytes)
            .ThenBy(pair => pair.Key, StringComparer.Ordinal).ToArray();
        var header = Header(ordered, metadata);
        stream.Write(BitConverter.GetBytes((ulong)header.Length)); // little-endian on every platform that torch runs on
        stream.Write(header);
        using var _ = no_grad();
        foreach (var (_, tensor) in ordered)
        {
            using var scope = NewDisposeScope();
            WriteNumbers(stream, tensor.detach().cpu().contiguous().reshape(-1));
        }
    }

    /// <summary>Reads all tensors of a file.</summary>
    /// <param name="path">The file.</param>
    /// <returns>Tensors by name, in the caller's dispose scope.</returns>
    /// <exception cref="InvalidDataException">The file is damaged or no safetensors file; the message names file and tensor.</exception>
    public static Dictionary<string, Tensor> Read(string path)
    {
        using var stream = File.OpenRead(path);
        return Read(stream, path);
    }

    /// <summary>Reads all tensors of a seekable stream that begins at its position 0.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="name">What messages call it.</param>
    /// <returns>Tensors by name, in the caller's dispose scope.</returns>
    /// <exception cref="InvalidDataException">The content is damaged or not in this format.</exception>
    public static Dictionary<string, Tensor> Read(Stream stream, string name)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var header = SafetensorsHeader.Read(stream, name);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var entry in header.Entries)
        {
            var tensor = empty([.. entry.Shape], entry.Type);
            ReadNumbers(stream, tensor, entry, name);
            tensors.Add(entry.Name, tensor.MoveToOuterDisposeScope());
        }
        return tensors;
    }

    /// <summary>What a file holds, without reading its numbers.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidDataException">The file is damaged or no safetensors file.</exception>
    public static (IReadOnlyList<SafetensorsEntry> Tensors, IReadOnlyDictionary<string, string> Metadata) Inspect(string path)
    {
        using var stream = File.OpenRead(path);
        var header = SafetensorsHeader.Read(stream, path);
        return (header.Entries, header.Metadata);
    }

    private static byte[] Header(
        IEnumerable<KeyValuePair<string, Tensor>> ordered, IReadOnlyDictionary<string, string>? metadata)
    {
        var buffer = new ArrayBufferWriter<byte>();
        // The file is no web page: names stay readable, and equal to what Python's json would write for most.
        using (var json = new Utf8JsonWriter(
            buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject(SafetensorsHeader.MetadataKey);
                foreach (var (key, value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                    json.WriteString(key, value);
                json.WriteEndObject();
            }
            long offset = 0;
            foreach (var (name, tensor) in ordered)
            {
                var (code, bytes) = SafetensorsHeader.TypeOf(tensor.dtype, name);
                json.WriteStartObject(name);
                json.WriteString("dtype", code);
                json.WriteStartArray("shape");
                foreach (var size in tensor.shape) json.WriteNumberValue(size);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += tensor.numel() * bytes);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        while (buffer.WrittenCount % 8 != 0) buffer.Write(" "u8);
        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteNumbers(Stream stream, Tensor flat)
    {
        foreach (var chunk in Chunks(flat)) stream.Write(chunk.bytes);
    }

    private static void ReadNumbers(Stream stream, Tensor tensor, SafetensorsEntry entry, string file)
    {
        using var scope = NewDisposeScope();
        foreach (var chunk in Chunks(tensor.view(-1)))
        {
            stream.ReadExactly(chunk.bytes);
            if (entry.Type == ScalarType.Bool && chunk.bytes.ContainsAnyExceptInRange((byte)0, (byte)1))
                throw new InvalidDataException($"{file}: tensor {entry.Name}: a truth value other than 0 and 1");
        }
    }

    private static IEnumerable<Tensor> Chunks(Tensor flat)
    {
        var (length, size) = (flat.numel(), ChunkBytes / flat.element_size());
        for (long start = 0; start < length; start += size)
            yield return flat.narrow(0, start, Math.Min(size, length - start));
    }
}
