using System.Globalization;
using Engram.Data;
using Engram.Evaluation;
using Engram.Server.Api;
using static TorchSharp.torch;

namespace Engram.Cli.Experiments;

/// <summary>A table of the user's own as CSV (RFC 4180): a first line of names, a column of labels, all others finite numbers.</summary>
internal static class CsvTable
{
    /// <summary>What a file calls this source.</summary>
    public const string Name = "csv";

    /// <summary>What the folder holds, for messages.</summary>
    public const string Content = $"{Training} and {Test}, each with a first line of names and a column of labels";

    private const string Training = "train.csv";
    private const string Test = "test.csv";
    private const int MostCharacters = 16 * 1024 * 1024; // of a line

    /// <summary>The file with the training samples.</summary>
    public static string TrainingFile(string folder) => Path.Combine(folder, Training);

    /// <summary>The files of all samples.</summary>
    public static IReadOnlyList<string> Files(string folder) => [TrainingFile(folder), Path.Combine(folder, Test)];

    /// <summary>How many columns of numbers there are.</summary>
    /// <param name="folder">Where <c>train.csv</c> is.</param>
    /// <param name="label">The column of labels.</param>
    /// <exception cref="InvalidDataException">No file, or names that do not fit; the message names file, line and column.</exception>
    public static int Numbers(string folder, string label) =>
        Read(TrainingFile(folder), records => Header(records, label).Length - 1);

    /// <summary>The training samples.</summary>
    /// <param name="folder">Where <c>train.csv</c> is.</param>
    /// <param name="label">The column of labels.</param>
    /// <exception cref="InvalidDataException">No file, or one that does not fit; the message names file, line and column.</exception>
    public static ISampleSource LoadTraining(string folder, string label) =>
        Read(TrainingFile(folder), records => Samples(records, Header(records, label), label));

    /// <summary>The test samples.</summary>
    /// <param name="folder">Where <c>test.csv</c> and <c>train.csv</c> are, whose columns must be the same.</param>
    /// <param name="label">The column of labels.</param>
    /// <exception cref="InvalidDataException">No file, or one that does not fit; the message names file, line and column.</exception>
    public static EvaluationSet LoadTest(string folder, string label)
    {
        var trained = Read(TrainingFile(folder), records => Header(records, label));
        return Read(Path.Combine(folder, Test), records =>
        {
            var names = Header(records, label);
            for (var i = 0; i < Math.Max(names.Length, trained.Length); i++)
                if (names.ElementAtOrDefault(i) != trained.ElementAtOrDefault(i))
                    throw Wrong(records, i < names.Length ? names[i] : null, i < trained.Length
                        ? $"expected column \"{trained[i]}\" in place {i + 1}, as in {Training}"
                        : $"expected {trained.Length} columns, as in {Training}");
            return new EvaluationSet("test", Samples(records, names, label));
        });
    }

    private static T Read<T>(string path, Func<CsvRecords, T> read)
    {
        if (!File.Exists(path)) throw new InvalidDataException($"{path}: no such file, expected a table with a first line of names");
        using var reader = new StreamReader(path);
        try
        {
            return read(new CsvRecords(reader, MostCharacters));
        }
        catch (RefusedException problem)
        {
            throw new InvalidDataException(
                $"{path}: line {problem.Line}{(problem.Field is { } column ? $", column \"{column}\"" : "")}: {problem.Message}", problem);
        }
    }

    private static string[] Header(CsvRecords records, string label)
    {
        string[] names = [.. (Next(records) ?? throw Wrong(records, null, "no line, expected one of names")).Select(name => name.Trim())];
        foreach (var twice in names.GroupBy(name => name).Where(same => same.Count() > 1))
            throw Wrong(records, twice.Key, "there twice, expected once");
        if (!names.Contains(label)) throw Wrong(records, label, $"missing, expected it among {string.Join(", ", names)}");
        return names.Length > 1 ? names : throw Wrong(records, null, $"no column but \"{label}\", expected columns of numbers");
    }

    private static TensorSource Samples(CsvRecords records, string[] names, string label)
    {
        var (values, labels, at) = (new List<float>(), new List<Label>(), Array.IndexOf(names, label));
        while (Next(records) is { } row)
        {
            if (row.Count != names.Length) throw Wrong(records, null, $"{row.Count} field(s), expected {names.Length} as in the first line");
            for (var i = 0; i < names.Length; i++)
                if (i != at) values.Add(Number(records, names[i], row[i]));
                else if (row[i].Length > 0) labels.Add(row[i]);
                else throw Wrong(records, label, "empty, expected a label");
        }
        if (labels.Count == 0) throw Wrong(records, null, "no class, expected a line for each sample");
        var distinct = Label.Distinct(labels);
        var codes = distinct.Select((name, code) => (name, code)).ToDictionary(pair => pair.name, pair => pair.code);
        using var scope = NewDisposeScope();
        return TensorSource.OfClasses(
            tensor(values.ToArray(), [labels.Count, names.Length - 1]), [.. labels.Select(name => codes[name])], distinct);
    }

    private static float Number(CsvRecords records, string column, string text) =>
        float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && float.IsFinite(number)
            ? number
            : throw Wrong(records, column, $"\"{Shown.Text(text)}\", expected a finite number");

    private static IReadOnlyList<string>? Next(CsvRecords records) => records.ReadAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult();

    private static RefusedException Wrong(CsvRecords records, string? column, string message) =>
        RefusedException.BadInput(column is null ? null : Shown.Text(column), message, records.Line);
}
