using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Unicode;

namespace Engram.Persistence;

/// <summary>One tensor in a safetensors file.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its element type.</param>
/// <param name="Shape">Its shape; empty for a single number.</param>
/// <param name="Start">Its first byte, counted from the end of the header.</param>
/// <param name="Length">Its length in bytes.</param>
public sealed record SafetensorsEntry(string Name, ScalarType Type, IReadOnlyList<long> Shape, long Start, long Length);

/// <summary>The header of a safetensors file, read without trust: nothing in it is believed that the file's length does not bear out.</summary>
internal sealed class SafetensorsHeader
{
    public const string MetadataKey = "__metadata__";
    private const long MaxLength = 100_000_000; // as in the reference implementation
    private const int MaxRank = 64; // torch has no more dimensions

    private static readonly (string Code, ScalarType Type, int Bytes)[] s_types =
    [
        ("F64", ScalarType.Float64, 8), ("I64", ScalarType.Int64, 8), ("F32", ScalarType.Float32, 4),
        ("I32", ScalarType.Int32, 4), ("F16", ScalarType.Float16, 2), ("BF16", ScalarType.BFloat16, 2),
        ("I16", ScalarType.Int16, 2), ("U8", ScalarType.Byte, 1), ("I8", ScalarType.Int8, 1), ("BOOL", ScalarType.Bool, 1),
    ];

    private readonly string _file;
    private readonly List<SafetensorsEntry> _entries = [];
    private readonly Dictionary<string, string> _metadata = [];

    private SafetensorsHeader(string file) => _file = file;

    /// <summary>The tensors in the order of their bytes.</summary>
    public IReadOnlyList<SafetensorsEntry> Entries => _entries;

    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    public static (string Code, int Bytes) TypeOf(ScalarType type, string tensor)
    {
        foreach (var known in s_types)
            if (known.Type == type) return (known.Code, known.Bytes);
        throw new ArgumentException(
            $"{tensor}: {type}, expected one of {string.Join(", ", s_types.Select(known => known.Type))}");
    }

    /// <summary>Reads the header; the stream then stands at the first byte of data.</summary>
    public static SafetensorsHeader Read(Stream stream, string file)
    {
        var header = new SafetensorsHeader(file);
        Span<byte> prefix = stackalloc byte[8];
        if (stream.Length < 8) throw header.Bad($"{stream.Length} bytes, expected 8 or more");
        stream.ReadExactly(prefix);
        var length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > MaxLength || length > (ulong)(stream.Length - 8))
            throw header.Bad(
                $"header of {length} bytes, expected at most {Math.Min(MaxLength, stream.Length - 8)} in a file of {stream.Length}");
        var json = new byte[length];
        stream.ReadExactly(json);
        try
        {
            header.Parse(json);
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException or FormatException)
        {
            throw header.Bad($"header is no JSON as expected ({problem.Message})");
        }
        header.CheckCovers(stream.Length - 8 - (long)length);
        return header;
    }

    private void Parse(ReadOnlySpan<byte> json)
    {
        if (json.Length == 0 || json[0] != (byte)'{') throw Bad("header does not begin with {, expected a JSON object");
        if (!Utf8.IsValid(json)) throw Bad("header is not valid UTF-8");
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 8 });
        reader.Read();
        var names = new HashSet<string>();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            if (!names.Add(name)) throw Bad($"tensor {name} occurs twice, expected once");
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject) throw Bad($"{name} is {reader.TokenType}, expected an object");
            if (name == MetadataKey) ParseMetadata(ref reader);
            else _entries.Add(ParseEntry(ref reader, name));
        }
        while (reader.Read()) { } // only spaces may follow; the reader says so
    }

    private void ParseMetadata(ref Utf8JsonReader reader)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.String || !_metadata.TryAdd(key, reader.GetString()!))
                throw Bad($"{MetadataKey}: {key} occurs twice or is no string, expected strings");
        }
    }

    private SafetensorsEntry ParseEntry(ref Utf8JsonReader reader, string name)
    {
        string? code = null;
        List<long>? shape = null, offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = reader.GetString()!;
            reader.Read();
            switch (field)
            {
                case "dtype" when code is null && reader.TokenType == JsonTokenType.String:
                    code = reader.GetString();
                    break;
                case "shape" when shape is null:
                    shape = Numbers(ref reader, name, field, MaxRank);
                    break;
                case "data_offsets" when offsets is null:
                    offsets = Numbers(ref reader, name, field, 2);
                    break;
                default:
                    throw Bad($"tensor {name}: field {field}, expected dtype, shape and data_offsets once each");
            }
        }
        if (code is null || shape is null || offsets is not [var start, var end])
            throw Bad($"tensor {name}: expected dtype, shape and two data_offsets");
        if (Array.FindIndex(s_types, known => known.Code == code) is var index && index < 0)
            throw Bad($"tensor {name}: dtype {code}, expected one of {string.Join(", ", s_types.Select(known => known.Code))}");
        var bytes = ByteCount(shape, s_types[index].Bytes);
        if (bytes is null || end < start || end - start != bytes)
            throw Bad(
                $"tensor {name}: {code} [{string.Join(", ", shape)}] in bytes {start} to {end}, "
                + $"expected {bytes?.ToString() ?? "fewer elements"}");
        return new SafetensorsEntry(name, s_types[index].Type, shape, start, end - start);
    }

    private List<long> Numbers(ref Utf8JsonReader reader, string name, string field, int most)
    {
        if (reader.TokenType != JsonTokenType.StartArray) throw Bad($"tensor {name}: {field} is no array");
        var numbers = new List<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var number) || number < 0 || numbers.Count == most)
                throw Bad($"tensor {name}: {field}, expected at most {most} whole numbers from 0");
            numbers.Add(number);
        }
        return numbers;
    }

    // Sizes of 0 count as 1 here, so that strides cannot overflow either.
    private static long? ByteCount(List<long> shape, int elementBytes)
    {
        UInt128 bytes = (UInt128)elementBytes;
        foreach (var size in shape)
        {
            bytes *= (UInt128)Math.Max(size, 1);
            if (bytes > long.MaxValue) return null;
        }
        return shape.Contains(0) ? 0 : (long)bytes;
    }

    private void CheckCovers(long dataLength)
    {
        _entries.Sort((a, b) => (a.Start, a.Length).CompareTo((b.Start, b.Length)));
        long next = 0;
        foreach (var entry in _entries)
        {
            if (entry.Start != next)
                throw Bad($"tensor {entry.Name}: begins at byte {entry.Start}, expected {next}, without gap or overlap");
            next = entry.Start + entry.Length;
        }
        if (next != dataLength) throw Bad($"{dataLength} bytes of data, expected {next} by the header");
    }

    private InvalidDataException Bad(string what) => new($"{_file}: {what}");
}
