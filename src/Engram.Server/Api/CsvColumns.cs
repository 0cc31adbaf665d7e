using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Engram.Client;

namespace Engram.Server.Api;

/// <summary>What the columns of a CSV file are to a learner.</summary>
internal sealed class CsvColumns
{
    private static readonly string[] s_about = ["label", "subject", "observedAt", "predictionId", "idempotencyKey"];
    private readonly InputKind _kind;
    private readonly IReadOnlyList<string> _header;
    private readonly Dictionary<string, int> _places = new(StringComparer.Ordinal);
    private readonly List<(int Place, string Name, bool IsNumber)> _inputs = [];

    /// <summary>Reads the header.</summary>
    /// <exception cref="RefusedException">A column is missing, is there twice, or is none of the schema's.</exception>
    public CsvColumns(IReadOnlyList<string> header, InputSchema schema)
    {
        _kind = schema.Kind;
        _header = [.. header.Select((name, i) => (i == 0 ? name.TrimStart('\uFEFF') : name).Trim())];
        var known = schema.Columns.ToDictionary(column => column.Name, column => column.Kind == ColumnKind.Numeric, StringComparer.Ordinal);
        for (var i = 0; i < _header.Count; i++)
        {
            var name = _header[i];
            var isSchemas = _kind == InputKind.Tabular && name != "label" && known.ContainsKey(name);
            if (!isSchemas && s_about.Contains(name))
            {
                if (!_places.TryAdd(name, i)) throw Wrong(name, "is there twice, expected once");
                continue;
            }
            if (_kind == InputKind.Tabular && !isSchemas) throw Wrong(name, "is no column of the learner's schema");
            if (_kind == InputKind.Text && name != "text") throw Wrong(name, "is not known, expected text and label");
            if (_kind is InputKind.Tabular or InputKind.Text && _inputs.Exists(input => input.Name == name)) throw Wrong(name, "is there twice, expected once");
            _inputs.Add((i, name, _kind == InputKind.Tabular ? known[name] : _kind != InputKind.Text));
        }
        if (!_places.ContainsKey("label")) throw Wrong("label", "is missing, expected a column of this name");
        if (_inputs.Count == 0 && !_places.ContainsKey("predictionId")) throw Wrong("input", "is missing, expected columns that give the input");
    }

    /// <summary>Feedback of a record.</summary>
    /// <exception cref="RefusedException">A value is wrong.</exception>
    public FeedbackRequest Read(IReadOnlyList<string> record, long line)
    {
        if (record.Count != _header.Count)
            throw RefusedException.BadInput(null, $"{record.Count} field(s), expected {_header.Count} as in the header", line);
        return new FeedbackRequest
        {
            Label = record[_places["label"]],
            Input = _inputs.Count == 0 ? null : Input(record, line),
            Subject = About("subject", record),
            PredictionId = About("predictionId", record),
            IdempotencyKey = About("idempotencyKey", record),
            ObservedAt = Time(About("observedAt", record), line),
        };
    }

    private JsonElement Input(IReadOnlyList<string> record, long line)
    {
        var buffer = new ArrayBufferWriter<byte>(64 + 16 * _inputs.Count);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            if (_kind == InputKind.Text) writer.WriteStringValue(record[_inputs[0].Place]);
            else if (_kind == InputKind.Tabular) WriteRow(writer, record, line);
            else WriteNumbers(writer, record, line);
        }
        var reader = new Utf8JsonReader(buffer.WrittenSpan);
        return JsonElement.ParseValue(ref reader);
    }

    // An empty field is a missing value.
    private void WriteRow(Utf8JsonWriter writer, IReadOnlyList<string> record, long line)
    {
        writer.WriteStartObject();
        foreach (var (place, name, isNumber) in _inputs)
        {
            if (record[place].Length == 0) continue;
            if (isNumber) writer.WriteNumber(name, Number(record[place], name, line));
            else writer.WriteString(name, record[place]);
        }
        writer.WriteEndObject();
    }

    private void WriteNumbers(Utf8JsonWriter writer, IReadOnlyList<string> record, long line)
    {
        writer.WriteStartArray();
        foreach (var (place, name, _) in _inputs) writer.WriteNumberValue(Number(record[place], name, line));
        writer.WriteEndArray();
    }

    private string? About(string name, IReadOnlyList<string> record) =>
        _places.TryGetValue(name, out var place) && record[place].Length > 0 ? record[place] : null;

    private static double Number(string text, string name, long line) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
            ? number
            : throw RefusedException.BadInput(Shown.Text(name), $"\"{Shown.Text(text)}\", expected a number", line);

    private static DateTimeOffset? Time(string? text, long line)
    {
        if (text is null) return null;
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : throw RefusedException.BadInput("observedAt", $"\"{Shown.Text(text)}\", expected a time such as 2026-03-01T14:05:09Z", line);
    }

    private static RefusedException Wrong(string column, string message) => RefusedException.BadInput(Shown.Text(column), message, 1);
}
