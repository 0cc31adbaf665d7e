using System.Text.Json;
using Engram.Learning;

namespace Engram.Evaluation.Benchmarks;

/// <summary>One entry of a benchmark's table.</summary>
/// <param name="Method">Name of the method.</param>
/// <param name="Title">Its title.</param>
/// <param name="Scenario">What is known at test time.</param>
/// <param name="Measured">Our mean and standard error in per cent.</param>
/// <param name="Published">What the paper reports in per cent, if it is recorded here.</param>
/// <param name="Verdict">How the two stand to each other.</param>
/// <param name="Accuracies">One accuracy per seed in per cent, in the order of <paramref name="Seeds"/>.</param>
/// <param name="Seeds">The seeds: 0, 1 and so on without a gap, so that <paramref name="Command"/> computes just these.</param>
/// <param name="SecondsPerSeed">Mean time of a seed.</param>
/// <param name="Command">The command that computes this entry.</param>
/// <param name="Transfer">Our backward transfer in points; null where one context, or all at once, was learnt, and in files of versions before it.</param>
/// <param name="Asked">How many seeds were asked for; null in files of versions before it.</param>
public sealed record BenchmarkEntry(
    string Method, string Title, Scenario Scenario, MeasuredNumber Measured, PublishedNumber? Published, Verdict Verdict,
    IReadOnlyList<double> Accuracies, IReadOnlyList<long> Seeds, double SecondsPerSeed, string Command, TransferEntry? Transfer = null,
    int? Asked = null)
{
    /// <summary>Checks what was read: whether the numbers are possible and fit together.</summary>
    /// <exception cref="FormatException">They do not; the message names the field.</exception>
    internal void Check(string where)
    {
        if (Seeds.Count == 0) throw new FormatException($"{where}.seeds: none, expected one or more");
        if (Seeds.Distinct().Count() < Seeds.Count) throw new FormatException($"{where}.seeds: {string.Join(", ", Seeds)}, expected each once");
        if (Asked < Seeds.Count) throw new FormatException($"{where}.asked: {Asked}, expected {Seeds.Count} or more, the number of seeds");
        ResultsJson.CheckCount($"{where}.accuracies", Accuracies.Count, Seeds.Count, "seed");
        foreach (var accuracy in Accuracies)
            if (accuracy is not (>= 0 and <= 100)) throw new FormatException($"{where}.accuracies: {accuracy}, expected 0 to 100");
        ResultsJson.CheckSeconds($"{where}.secondsPerSeed", SecondsPerSeed);
        Measured.Check($"{where}.measured", Accuracies);
        if (Transfer is null) return;
        ResultsJson.CheckCount($"{where}.transfer.values", Transfer.Values.Count, Seeds.Count, "seed");
        Transfer.Measured.Check($"{where}.transfer.measured", Transfer.Values);
    }
}

/// <summary>Backward transfer of an entry, in points.</summary>
/// <param name="Measured">Our mean and standard error.</param>
/// <param name="Published">What the paper reports, if it is recorded here.</param>
/// <param name="Verdict">How the two stand to each other.</param>
/// <param name="Values">One per seed.</param>
public sealed record TransferEntry(MeasuredNumber Measured, PublishedNumber? Published, Verdict Verdict, IReadOnlyList<double> Values);

/// <summary>A method of which no seed, or not the first one, is finished.</summary>
/// <param name="Title">Title of the method.</param>
/// <param name="Scenario">What is known at test time.</param>
public sealed record MissingEntry(string Title, Scenario Scenario);

/// <summary>Our numbers beside the published ones, and all that is needed to judge and repeat them.</summary>
public sealed record BenchmarkTable
{
    /// <summary>Name of the benchmark.</summary>
    public required string Benchmark { get; init; }

    /// <summary>Its title.</summary>
    public required string Title { get; init; }

    /// <summary>The paper.</summary>
    public required string Source { get; init; }

    /// <summary>The protocol in short.</summary>
    public required string Protocol { get; init; }

    /// <summary>Whether the protocol was shortened, so that nothing is compared with published numbers.</summary>
    public required bool IsShort { get; init; }

    /// <summary>The command that computes the whole table.</summary>
    public required string Command { get; init; }

    /// <summary>Time of all cells in seconds, each on one thread, interruptions not counted.</summary>
    public required double CellSeconds { get; init; }

    /// <summary>Machine and versions.</summary>
    public required IReadOnlyDictionary<string, string> Environment { get; init; }

    /// <summary>The entries: scenarios in the benchmark's order, and within them the methods in order.</summary>
    public required IReadOnlyList<BenchmarkEntry> Entries { get; init; }

    /// <summary>What the protocol has, or was asked for, and this table has not.</summary>
    public IReadOnlyList<MissingEntry> Missing { get; init; } = [];

    /// <summary>A scenario's name on the command line, as the benchmark calls it where this library has it.</summary>
    /// <param name="scenario">The scenario.</param>
    public string NameOf(Scenario scenario) => BenchmarkList.NameOf(Benchmark, scenario);

    /// <summary>Makes the table of finished cells: of each method in a scenario those of seed 0 and all that follow without a gap.</summary>
    /// <param name="benchmark">The benchmark.</param>
    /// <param name="cells">Finished cells of it, one or more of them of seed 0.</param>
    /// <param name="command">The command that computes them.</param>
    /// <param name="commandOf">The command that computes one cell's method and scenario for a number of seeds from 0.</param>
    /// <param name="asked">The cells that were asked for; null for those that are finished.</param>
    /// <exception cref="ArgumentException">No cell of seed 0 is finished.</exception>
    public static BenchmarkTable Of(
        Benchmark benchmark, IReadOnlyList<CellResult> cells, string command, Func<BenchmarkCell, int, string> commandOf,
        IReadOnlyList<BenchmarkCell>? asked = null)
    {
        ArgumentNullException.ThrowIfNull(benchmark);
        ArgumentNullException.ThrowIfNull(cells);
        ArgumentNullException.ThrowIfNull(commandOf);
        asked ??= [.. cells.Select(cell => cell.Cell)];
        CellResult[][] groups = [.. cells.GroupBy(cell => (cell.Cell.Method, cell.Cell.Scenario)).Select(Unbroken).Where(seeds => seeds.Length > 0)];
        if (groups.Length == 0) throw new ArgumentException("cells: none of seed 0, expected one or more");
        cells = [.. groups.SelectMany(seeds => seeds)];
        BenchmarkEntry[] entries = [.. groups.Select(seeds =>
        {
            var cell = seeds[0].Cell;
            var method = benchmark.Method(cell.Method);
            var measured = MeasuredNumber.Of([.. seeds.Select(seed => seed.Accuracy)]);
            var published = cell.IsShort ? null : method.Published.GetValueOrDefault(cell.Scenario);
            return new BenchmarkEntry(
                method.Name, method.Title, cell.Scenario, measured, published, measured.Against(published),
                [.. seeds.Select(seed => seed.Accuracy)], [.. seeds.Select(seed => seed.Cell.Seed)],
                seeds.Average(seed => seed.Seconds), commandOf(cell, seeds.Length), TransferOf(method, seeds),
                asked.Count(other => other.Method == cell.Method && other.Scenario == cell.Scenario));
        })];
        return new BenchmarkTable
        {
            Benchmark = benchmark.Name,
            Title = benchmark.Title,
            Source = benchmark.Source,
            Protocol = benchmark.Protocol,
            IsShort = cells.Any(cell => cell.Cell.IsShort),
            Command = command,
            CellSeconds = cells.Sum(cell => cell.Seconds),
            Environment = new Dictionary<string, string>(RunEnvironment.Describe())
            {
                ["processor"] = Each(cells.Select(cell => cell.Processor)),
                ["threads"] = "1 in each cell",
                ["Engram"] = Each(cells.Select(cell => cell.CodeVersion)),
                ["sources"] = Each(cells.Select(cell => cell.Sources)),
            },
            Entries = [.. benchmark.Scenarios.SelectMany(scenario => entries.Where(entry => entry.Scenario == scenario))],
            Missing =
            [
                .. from scenario in benchmark.Scenarios
                   from method in benchmark.Methods.Where(method => method.Scenarios.Contains(scenario)).Select(method => method.Name)
                       .Union(asked.Where(cell => cell.Scenario == scenario).Select(cell => cell.Method))
                   where !entries.Any(entry => entry.Scenario == scenario && entry.Method == method)
                   select new MissingEntry(benchmark.Method(method).Title, scenario),
            ],
        };
    }

    /// <summary>Writes it as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ResultsJson.Indented);

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <param name="json">The text.</param>
    /// <exception cref="FormatException">It is no benchmark's table.</exception>
    public static BenchmarkTable FromJson(string json)
    {
        var table = ResultsJson.Read<BenchmarkTable>(json, "table");
        ResultsJson.CheckTexts("environment", table.Environment);
        ResultsJson.CheckSeconds("cellSeconds", table.CellSeconds);
        if (table.Entries.Count == 0) throw new FormatException("entries: none, expected one or more");
        for (var i = 0; i < table.Entries.Count; i++) table.Entries[i].Check($"entries[{i}]");
        return table;
    }

    private static TransferEntry? TransferOf(BenchmarkMethod method, CellResult[] seeds)
    {
        double[] transfers = [.. seeds.Select(seed => 100 * seed.Result.Metrics.GetValueOrDefault(MetricNames.BackwardTransfer, double.NaN))];
        if (method.AtOnce || transfers.Any(double.IsNaN) || seeds[0].Result.Accuracy.Length < 2) return null;
        var measured = MeasuredNumber.Of(transfers);
        var published = seeds[0].Cell.IsShort ? null : method.PublishedTransfer.GetValueOrDefault(seeds[0].Cell.Scenario);
        return new TransferEntry(measured, published, measured.Against(published), transfers);
    }

    // A run that was interrupted, or a cell that failed, may leave a gap: what stands behind it is not what --seeds computes.
    private static CellResult[] Unbroken(IEnumerable<CellResult> cells) =>
        [.. cells.OrderBy(cell => cell.Cell.Seed).Select((cell, place) => (cell, place)).TakeWhile(one => one.cell.Cell.Seed == one.place).Select(one => one.cell)];

    // Cells may have been computed one day here and one day there, by the same code.
    private static string Each(IEnumerable<string> names) => string.Join(", ", names.Distinct().Order(StringComparer.Ordinal));
}
