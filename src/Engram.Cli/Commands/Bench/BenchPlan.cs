using Engram.Cli.Experiments;
using Engram.Evaluation.Benchmarks;
using Engram.Learning;

namespace Engram.Cli.Commands.Bench;

/// <summary>What <c>engram bench</c> has to do for one table; all that may be wrong with its input is found here.</summary>
/// <param name="Settings">What was asked for.</param>
/// <param name="Cells">The cells, of these data.</param>
/// <param name="Data">Where the data are.</param>
/// <param name="Folder">Where results of cells are.</param>
/// <param name="Earlier">Results that are there already.</param>
internal sealed record BenchPlan(
    BenchSettings Settings, IReadOnlyList<BenchmarkCell> Cells, string Data, string Folder, IReadOnlyDictionary<BenchmarkCell, CellResult> Earlier)
{
    /// <summary>Makes the plan; nothing is computed or written.</summary>
    /// <param name="settings">What was asked for.</param>
    /// <exception cref="UsageException">Data are missing or do not fit, or an earlier result is damaged.</exception>
    public static BenchPlan Of(BenchSettings settings)
    {
        var name = settings.Benchmark.DataName;
        var data = Path.GetFullPath(DataSets.Find(name, settings.Data));
        var (fingerprint, reader) = (Fingerprint(settings.Benchmark, data), DataSets.ReaderOf(name));
        BenchmarkCell[] cells = [.. settings.Cells().Select(cell => cell with { Data = fingerprint, Reader = reader })];
        var folder = Path.Combine(settings.Out, "cells");
        var earlier = cells.Where(cell => File.Exists(FileOf(folder, cell))).ToDictionary(cell => cell, cell => Read(folder, cell));
        if (earlier.Count < cells.Length) CheckStreams(settings.Benchmark, data, cells.Where(cell => !earlier.ContainsKey(cell)));
        return new BenchPlan(settings, cells, data, folder, earlier);
    }

    /// <summary>Result of a finished cell.</summary>
    /// <param name="folder">Where results are.</param>
    /// <param name="cell">The cell.</param>
    /// <exception cref="UsageException">It is damaged.</exception>
    public static CellResult Read(string folder, BenchmarkCell cell)
    {
        try
        {
            var result = CellResult.FromJson(File.ReadAllText(FileOf(folder, cell)));
            return result.Cell == cell ? result : throw new FormatException($"cell: {result.Cell.Key}, expected {cell.Key}");
        }
        catch (FormatException problem)
        {
            throw new UsageException(
                $"{FileOf(folder, cell)}: damaged ({problem.Message}), expected a cell's result; without the file the cell is run again", problem);
        }
    }

    /// <summary>Does something with the data.</summary>
    /// <param name="data">Where they are.</param>
    /// <param name="use">What to do.</param>
    /// <exception cref="UsageException">They do not fit the benchmark, or a file is missing or damaged.</exception>
    public static T Using<T>(string data, Func<T> use)
    {
        try
        {
            return DataFolder.Reading(use);
        }
        catch (ArgumentException problem)
        {
            throw new UsageException($"{data}: {problem.Message}", problem);
        }
    }

    private static string Fingerprint(Benchmark benchmark, string data) =>
        Using(data, () => DataFingerprint.Of(data, DataSets.Files(benchmark, data)));

    // What the data refuse they refuse every method: it is told before the first cell.
    private static void CheckStreams(Benchmark benchmark, string data, IEnumerable<BenchmarkCell> cells)
    {
        TorchRuntime.Configure(1);
        var samples = Using(data, () => DataSets.Load(benchmark, data));
        foreach (var cell in cells.DistinctBy(cell => (cell.Scenario, cell.Seed))) Using(data, () => benchmark.StreamOf(cell, samples));
    }

    private static string FileOf(string folder, BenchmarkCell cell) => Path.Combine(folder, cell.Key + ".json");
}
