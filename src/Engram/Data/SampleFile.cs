using System.Globalization;
using System.Text.Json;

namespace Engram.Data;

/// <summary>Reads samples without labels, to predict: idx (plain or gzipped), CSV, or JSON lines.</summary>
public static class SampleFile
{
    /// <summary>Reads all samples of a file; its name says the format.</summary>
    /// <param name="path">
    /// <c>.csv</c>: one sample per line, its numbers in order, a first line of names is left out. <c>.json</c>, <c>.jsonl</c>,
    /// <c>.ndjson</c>: one array of numbers per line. Anything else is idx.
    /// </param>
    /// <param name="shape">Shape of one sample.</param>
    /// <param name="type">Byte (whole numbers from 0 to 255) or Float32.</param>
    /// <returns><c>[count, ...]</c> in the caller's scope.</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The content does not fit; the message names file and line.</exception>
    public static Tensor Read(string path, IReadOnlyList<long> shape, ScalarType type)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(shape);
        if (!File.Exists(path)) throw new FileNotFoundException($"{path}: no such file, expected idx, CSV or JSON lines", path);
        return Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".csv" => Rows(path, shape, type, FromCsv, mayHaveNames: true),
            ".json" or ".jsonl" or ".ndjson" => Rows(path, shape, type, FromJson, mayHaveNames: false),
            _ => Images(path, shape, type),
        };
    }

    private static Tensor Images(string path, IReadOnlyList<long> shape, ScalarType type)
    {
        // An image of one channel is two-dimensional in the file and [1, height, width] for the model.
        var numbers = shape.Aggregate(1L, (product, size) => product * size);
        var (sizes, values) = IdxFile.Read(path, 3, null, sizes => type == ScalarType.Byte && (long)sizes[1] * sizes[2] == numbers
            ? null
            : $"images of {sizes[1]} × {sizes[2]} bytes, expected {type} samples of [{string.Join(", ", shape)}]");
        return tensor(values, [sizes[0], .. shape], ScalarType.Byte);
    }

    private static Tensor Rows(
        string path, IReadOnlyList<long> shape, ScalarType type, Func<string, double[]?> parse, bool mayHaveNames)
    {
        var numbers = shape.Aggregate(1L, (product, size) => product * size);
        var values = new List<float>();
        var (line, rows) = (0, 0);
        foreach (var text in File.ReadLines(path))
        {
            line++;
            if (string.IsNullOrWhiteSpace(text)) continue;
            var row = parse(text);
            if (row is null && line == 1 && mayHaveNames) continue;
            if (row is null) throw new InvalidDataException($"{path}: line {line} is not numbers, expected {numbers} of them");
            if (row.Length != numbers)
                throw new InvalidDataException(
                    $"{path}: line {line} has {row.Length} numbers, expected {numbers} for [{string.Join(", ", shape)}]");
            if (Array.FindIndex(row, value => !Fits(value, type)) is >= 0 and var bad)
                throw new InvalidDataException(
                    $"{path}: line {line}, number {bad + 1} is {row[bad].ToString(CultureInfo.InvariantCulture)}, expected "
                    + (type == ScalarType.Byte ? "a whole number from 0 to 255" : "a finite number"));
            values.AddRange(row.Select(value => (float)value));
            rows++;
        }
        if (rows == 0) throw new InvalidDataException($"{path}: no samples, expected at least one line of numbers");
        return tensor(values.ToArray(), [rows, .. shape]).to(type);
    }

    private static bool Fits(double value, ScalarType type) =>
        type == ScalarType.Byte ? value is >= 0 and <= 255 && value == Math.Floor(value) : float.IsFinite((float)value);

    private static double[]? FromCsv(string text)
    {
        var words = text.Split(',');
        var row = new double[words.Length];
        for (var i = 0; i < words.Length; i++)
            if (!double.TryParse(words[i], NumberStyles.Float, CultureInfo.InvariantCulture, out row[i])) return null;
        return row;
    }

    private static double[]? FromJson(string text)
    {
        try
        {
            return JsonSerializer.Deserialize<double[]>(text);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
