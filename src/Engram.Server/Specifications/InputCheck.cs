using Engram.Client;
using static Engram.Server.Specifications.SpecificationCheck;

namespace Engram.Server.Specifications;

/// <summary>Checks what a specification says of inputs.</summary>
internal static class InputCheck
{
    private const int MostColumns = 2000;
    private const int MostWords = 10_000;

    public static void Throw(InputSchema input)
    {
        switch (input.Kind)
        {
            case InputKind.Vector:
                Between("input.size", Given("input.size", input.Size), 1, 1_000_000);
                break;
            case InputKind.Image:
                if (input.Channels is not (1 or 3)) throw Wrong("input.channels", input.Channels, "1 or 3");
                Between("input.height", Given("input.height", input.Height), 1, 512);
                Between("input.width", Given("input.width", input.Width), 1, 512);
                break;
            case InputKind.Text:
                Between("input.features", input.Features, 256, 65_536);
                if (!int.IsPow2(input.Features)) throw Wrong("input.features", input.Features, "a power of two");
                Between("input.wordNgrams", input.WordNgrams, 0, 5);
                if (input.CharacterNgrams != 0) Between("input.characterNgrams", input.CharacterNgrams, 3, 8);
                if (input.WordNgrams == 0 && input.CharacterNgrams == 0)
                    throw Wrong("input.wordNgrams", 0, "1 or more where characterNgrams is 0");
                break;
            case InputKind.Tabular:
                Columns(input.Columns);
                break;
            case InputKind.Onnx:
                Between("input.size", Given("input.size", input.Size), 1, 1_000_000);
                NotNull("input.encoder", input.Encoder);
                break;
            default:
                throw Wrong("input.kind", input.Kind, "vector, image, text, tabular or onnx");
        }
    }

    private static void Columns(IReadOnlyList<ColumnSchema> columns)
    {
        NotNull("input.columns", columns);
        Between("input.columns", columns.Count, 1, MostColumns, "columns");
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < columns.Count; i++)
        {
            var (column, field) = (columns[i], $"input.columns[{i}]");
            NotNull(field, column);
            NotNull($"{field}.name", column.Name);
            Between($"{field}.name", column.Name.Length, 1, 100, "characters");
            if (!names.Add(column.Name)) throw Wrong($"{field}.name", column.Name, "distinct names");
            if (!Enum.IsDefined(column.Kind)) throw Wrong($"{field}.kind", column.Kind, "numeric or categorical");
            if (column.Mean is { } mean && !double.IsFinite(mean)) throw Wrong($"{field}.mean", mean, "a finite number");
            if (column.Scale is { } scale && !(scale > 0 && double.IsFinite(scale))) throw Wrong($"{field}.scale", scale, "a positive number");
            Between($"{field}.buckets", column.Buckets, 0, 4096);
            NotNull($"{field}.values", column.Values);
            Between($"{field}.values", column.Values.Count, 0, MostWords, "values");
            if (column.Values.Any(value => value is null) || column.Values.Distinct(StringComparer.Ordinal).Count() != column.Values.Count)
                throw Wrong($"{field}.values", "null or the same twice", "distinct values");
        }
    }

    private static int Given(string field, int? value) => value ?? throw Wrong(field, "none", "a number");
}
