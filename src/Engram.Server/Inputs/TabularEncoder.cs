using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Engram.Client;
using static TorchSharp.torch;
using Utf8 = System.Text.Encoding;

namespace Engram.Server.Inputs;

/// <summary>
/// Rows of tables. A numeric column gives its standardised value and whether it is missing; a categorical one a place for each value,
/// for values not listed one of its buckets, and whether it is missing. Kept column by column.
/// </summary>
internal sealed class TabularEncoder : InputEncoder
{
    private const int MostBytesOfWord = 1024;
    private const float MostDeviations = 10; // one wild value must not drown all others
    private readonly IReadOnlyList<ColumnSchema> _columns;
    private readonly Dictionary<string, int> _places;
    private readonly Dictionary<string, int>[] _values;
    private readonly (double Mean, double Scale)?[] _spread;

    public TabularEncoder(IReadOnlyList<ColumnSchema> columns, JsonObject? measured = null)
    {
        _columns = columns;
        _places = columns.Select((column, i) => (column.Name, i)).ToDictionary(pair => pair.Name, pair => pair.i);
        _values = [.. columns.Select(column => column.Values.Select((value, i) => (value, i)).ToDictionary(pair => pair.value, pair => pair.i))];
        _spread = [.. columns.Select(column => SpreadOf(column, measured))];
        Measured = measured;
        Shape = [columns.Sum(WidthOf)];
    }

    public override IReadOnlyList<long> Shape { get; }

    public override JsonObject? Measured { get; }

    public override IReadOnlyList<string> Names => [.. _columns.SelectMany(column => column.Kind == ColumnKind.Numeric
        ? [column.Name, $"{column.Name} missing"]
        : column.Values.Select(value => $"{column.Name}={value}")
            .Concat(Enumerable.Range(0, column.Buckets).Select(bucket => $"{column.Name} other {bucket}")).Append($"{column.Name} missing"))];

    public override bool Measures => _columns.Any(column => column is { Kind: ColumnKind.Numeric, Mean: null, Scale: null });

    public override InputEncoder With(JsonObject? measured) => measured is null ? this : new TabularEncoder(_columns, measured);

    public override InputEncoder Measure(IReadOnlyList<byte[]> first)
    {
        var numbers = new List<double>[_columns.Count];
        for (var c = 0; c < numbers.Length; c++) numbers[c] = [];
        foreach (var row in first)
        {
            var reader = new RowReader(row);
            for (var c = 0; c < numbers.Length; c++)
                if (_columns[c].Kind == ColumnKind.Categorical) reader.Word();
                else if (reader.Number() is var number && !double.IsNaN(number)) numbers[c].Add(number);
        }
        var measured = new JsonObject();
        for (var c = 0; c < numbers.Length; c++)
        {
            if (_columns[c] is not { Kind: ColumnKind.Numeric, Mean: null, Scale: null }) continue;
            var mean = numbers[c].Count == 0 ? 0 : numbers[c].Average();
            var variance = numbers[c].Count == 0 ? 0 : numbers[c].Average(number => (number - mean) * (number - mean));
            measured[_columns[c].Name] = new JsonArray(mean, variance > 0 && double.IsFinite(variance) ? Math.Sqrt(variance) : 1);
        }
        return new TabularEncoder(_columns, measured);
    }

    protected override byte[] Read(JsonElement input, string field)
    {
        if (input.ValueKind != JsonValueKind.Object) throw Wrong(field, input, "an object with a value for each column");
        var cells = new JsonElement?[_columns.Count];
        foreach (var property in input.EnumerateObject())
        {
            var name = $"{field}.{property.Name}";
            if (!_places.TryGetValue(property.Name, out var place))
                throw new InputException(name, $"{name}: no such column, expected {string.Join(", ", _columns.Select(column => column.Name))}");
            if (cells[place] is not null) throw new InputException(name, $"{name}: given twice, expected one value");
            cells[place] = property.Value;
        }
        using var packed = new MemoryStream(16 * cells.Length);
        for (var c = 0; c < cells.Length; c++) PackCell(packed, cells[c], _columns[c], $"{field}.{_columns[c].Name}");
        return packed.ToArray();
    }

    public override JsonElement Unpack(ReadOnlySpan<byte> packed)
    {
        var reader = new RowReader(packed);
        var row = new JsonObject();
        foreach (var column in _columns)
            if (column.Kind == ColumnKind.Categorical) row[column.Name] = reader.Word();
            else if (reader.Number() is var number) row[column.Name] = double.IsNaN(number) ? null : number;
        return Json(writer => row.WriteTo(writer));
    }

    public override Tensor Encode(IReadOnlyList<byte[]> rows)
    {
        var width = Width;
        var inputs = zeros(rows.Count, width);
        var room = MemoryMarshal.Cast<byte, float>(inputs.bytes);
        for (var i = 0; i < rows.Count; i++) Fill(rows[i], room.Slice(i * width, width));
        return inputs;
    }

    private void Fill(byte[] packed, Span<float> row)
    {
        var reader = new RowReader(packed);
        for (var (c, at) = (0, 0); c < _columns.Count; at += WidthOf(_columns[c++]))
        {
            var column = _columns[c];
            if (column.Kind == ColumnKind.Numeric)
            {
                var number = reader.Number();
                if (double.IsNaN(number)) row[at + 1] = 1;
                else row[at] = Math.Clamp((float)((number - (_spread[c]?.Mean ?? 0)) / (_spread[c]?.Scale ?? 1)), -MostDeviations, MostDeviations);
                continue;
            }
            var word = reader.Word();
            if (word is null) row[at + column.Values.Count + column.Buckets] = 1;
            else if (_values[c].TryGetValue(word, out var place)) row[at + place] = 1;
            else if (column.Buckets > 0) row[at + column.Values.Count + Bucket(word, column.Buckets)] = 1;
        }
    }

    private static void PackCell(MemoryStream packed, JsonElement? cell, ColumnSchema column, string field)
    {
        Span<byte> room = stackalloc byte[8];
        var missing = cell is null or { ValueKind: JsonValueKind.Null };
        if (column.Kind == ColumnKind.Numeric)
        {
            var number = double.NaN;
            if (!missing && !(cell!.Value.ValueKind == JsonValueKind.Number && cell.Value.TryGetDouble(out number) && double.IsFinite(number)))
                throw Wrong(field, cell.Value, "a finite number, or null where it is missing");
            BinaryPrimitives.WriteDoubleLittleEndian(room, number);
            packed.Write(room);
            return;
        }
        byte[]? word = null;
        if (!missing)
            word = cell!.Value.ValueKind == JsonValueKind.String && cell.Value.GetString() is { } text && Utf8.UTF8.GetByteCount(text) <= MostBytesOfWord
                ? Utf8.UTF8.GetBytes(text)
                : throw Wrong(field, cell.Value, $"a string of at most {MostBytesOfWord} bytes, or null where it is missing");
        BinaryPrimitives.WriteInt32LittleEndian(room, word?.Length ?? -1);
        packed.Write(room[..4]);
        packed.Write(word ?? []);
    }

    private static (double, double)? SpreadOf(ColumnSchema column, JsonObject? measured) => column switch
    {
        { Kind: ColumnKind.Categorical } => null,
        { Mean: null, Scale: null } => measured?[column.Name] is { } pair ? Spread(column.Name, pair) : null,
        _ => (column.Mean ?? 0, column.Scale ?? 1),
    };

    private static (double Mean, double Scale) Spread(string column, JsonNode pair) =>
        pair is JsonArray { Count: 2 } both && both[0] is JsonValue first && both[1] is JsonValue second
            && first.TryGetValue(out double mean) && second.TryGetValue(out double scale) && double.IsFinite(mean) && scale > 0 && double.IsFinite(scale)
                ? (mean, scale)
                : throw new InvalidDataException($"measured.{column}: {pair.ToJsonString()}, expected a mean and a scale above 0");

    private static int WidthOf(ColumnSchema column) =>
        column.Kind == ColumnKind.Numeric ? 2 : column.Values.Count + column.Buckets + 1;

    private static int Bucket(string word, int buckets)
    {
        var hash = 14695981039346656037; // FNV-1a
        foreach (var letter in word) hash = (hash ^ letter) * 1099511628211;
        return (int)((hash ^ (hash >> 32)) % (ulong)buckets);
    }

    private ref struct RowReader(ReadOnlySpan<byte> packed)
    {
        private ReadOnlySpan<byte> _rest = packed;

        public double Number()
        {
            var number = BinaryPrimitives.ReadDoubleLittleEndian(_rest);
            _rest = _rest[8..];
            return number;
        }

        public string? Word()
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(_rest);
            _rest = _rest[4..];
            if (length < 0) return null;
            var word = Utf8.UTF8.GetString(_rest[..length]);
            _rest = _rest[length..];
            return word;
        }
    }
}
