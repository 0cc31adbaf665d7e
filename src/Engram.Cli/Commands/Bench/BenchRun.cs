using Engram.Cli.Experiments;
using Engram.Evaluation.Benchmarks;
using Engram.Persistence;
using Engram.Reporting.Benchmarks;

namespace Engram.Cli.Commands.Bench;

/// <summary>Carries out <c>engram bench</c>: computes the cells that are missing, side by side, and makes the table of all.</summary>
internal sealed class BenchRun(CliHost host, BenchSettings settings)
{
    private readonly Lock _lock = new();
    private readonly List<Exception> _failures = [];

    public int Run()
    {
        var asked = settings.Cells(); // a wrong name is told before anything is read
        var data = Path.GetFullPath(DataSets.Find(settings.Benchmark.DataName, settings.Data));
        OutputFolder.RequireWritable(settings.Out);
        var (fingerprint, reader) = (Fingerprint(data), DataSets.ReaderOf(settings.Benchmark.DataName));
        BenchmarkCell[] cells = [.. asked.Select(cell => cell with { Data = fingerprint, Reader = reader })];
        var folder = Directory.CreateDirectory(Path.Combine(settings.Out, "cells")).FullName;
        var results = cells.Where(cell => File.Exists(FileOf(folder, cell))).ToDictionary(cell => cell, cell => Read(folder, cell));
        var missing = cells.Where(cell => !results.ContainsKey(cell)).ToArray();

        using var view = BenchView.Of(host, settings, cells.Length, results.Count);
        try
        {
            Parallel.ForEachAsync(
                missing, new ParallelOptions { MaxDegreeOfParallelism = settings.Jobs, CancellationToken = host.CancellationToken },
                async (cell, stop) => await Compute(cell, folder, data, view, results, stop).ConfigureAwait(false))
                .GetAwaiter().GetResult();
        }
        catch (OperationCanceledException) when (host.CancellationToken.IsCancellationRequested)
        {
            // What is finished makes a table too; the others go on from their places.
        }
        view.Stop();
        CellResult[] finished = [.. cells.Where(results.ContainsKey).Select(cell => results[cell])];
        var table = finished.Length == 0 ? null : BenchmarkTable.Of(settings.Benchmark, finished, settings.Command, settings.CommandOf);
        view.Finish(table, table is null ? [] : Write(table), cells.Length - finished.Length);
        // What is wrong with the data is wrong with every cell: that is told once.
        foreach (var failure in _failures.Select(problem => problem.Message).Distinct()) host.Error.WriteLine($"engram: {failure}");
        return host.CancellationToken.IsCancellationRequested ? ExitCode.Interrupted
            : _failures.Count == 0 ? ExitCode.Success
            : finished.Length == 0 && _failures.All(problem => problem is UsageException) ? ExitCode.Usage : ExitCode.Failure;
    }

    private string Fingerprint(string data)
    {
        try
        {
            return DataFingerprint.Of(data, DataSets.Files(settings.Benchmark, data));
        }
        catch (InvalidDataException problem)
        {
            throw new UsageException(problem.Message, problem);
        }
    }

    private async ValueTask Compute(
        BenchmarkCell cell, string folder, string data, BenchView view, Dictionary<BenchmarkCell, CellResult> results,
        CancellationToken stop)
    {
        try
        {
            view.Progress(cell, 0);
            await CellProcess.Run(
                $"cell {cell.Key}", BenchCellCommand.Arguments(cell, folder, data), fraction => view.Progress(cell, fraction), stop).ConfigureAwait(false);
            var result = Read(folder, cell);
            lock (_lock) results[cell] = result;
            view.Finished(cell, result);
        }
        catch (Exception problem) when (problem is FailureException or UsageException)
        {
            // The other cells are worth having all the same.
            lock (_lock) _failures.Add(problem);
            view.GaveUp(cell, problem.Message);
        }
    }

    private List<string> Write(BenchmarkTable table)
    {
        List<string> files = [.. BenchmarkReport.Write(table, settings.Out)];
        if (settings.Markdown is not { } markdown) return files;
        var path = Path.GetFullPath(markdown);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var document = BenchmarkMarkdown.Into(File.Exists(path) ? File.ReadAllText(path) : null, table);
        AtomicFile.Write(path, document);
        files.Add(path);
        return files;
    }

    private static string FileOf(string folder, BenchmarkCell cell) => Path.Combine(folder, cell.Key + ".json");

    private static CellResult Read(string folder, BenchmarkCell cell)
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
}
