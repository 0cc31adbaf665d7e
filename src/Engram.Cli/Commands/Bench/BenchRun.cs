using Engram.Evaluation.Benchmarks;
using Engram.Persistence;
using Engram.Reporting.Benchmarks;

namespace Engram.Cli.Commands.Bench;

/// <summary>Carries out <c>engram bench</c>: computes the cells that are missing, side by side, and makes the table of all.</summary>
internal sealed class BenchRun(CliHost host, BenchPlan plan)
{
    private readonly Lock _lock = new();
    private readonly List<Exception> _failures = [];
    private readonly BenchSettings _settings = plan.Settings;

    public int Run()
    {
        var (cells, folder, data) = (plan.Cells, Directory.CreateDirectory(plan.Folder).FullName, plan.Data);
        var results = new Dictionary<BenchmarkCell, CellResult>(plan.Earlier);
        var missing = cells.Where(cell => !results.ContainsKey(cell)).ToArray();

        using var view = BenchView.Of(host, _settings, cells.Count, results.Count);
        try
        {
            Parallel.ForEachAsync(
                missing, new ParallelOptions { MaxDegreeOfParallelism = _settings.Jobs, CancellationToken = host.CancellationToken },
                async (cell, stop) => await Compute(cell, folder, data, view, results, stop).ConfigureAwait(false))
                .GetAwaiter().GetResult();
        }
        catch (OperationCanceledException) when (host.CancellationToken.IsCancellationRequested)
        {
            // What is finished makes a table too; the others go on from their places.
        }
        view.Stop();
        CellResult[] finished = [.. cells.Where(results.ContainsKey).Select(cell => results[cell])];
        var table = finished.Any(cell => cell.Cell.Seed == 0)
            ? BenchmarkTable.Of(_settings.Benchmark, finished, _settings.Command, _settings.CommandOf, cells)
            : null;
        view.Finish(table, table is null ? [] : Write(table), cells.Count - finished.Length);
        // What is wrong with the data is wrong with every cell: that is told once.
        foreach (var failure in _failures.Select(problem => problem.Message).Distinct()) host.Error.WriteLine($"engram: {failure}");
        return host.CancellationToken.IsCancellationRequested ? ExitCode.Interrupted
            : _failures.Count == 0 ? ExitCode.Success
            : finished.Length == 0 && _failures.All(problem => problem is UsageException) ? ExitCode.Usage : ExitCode.Failure;
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
            var result = BenchPlan.Read(folder, cell);
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
        List<string> files = [.. BenchmarkReport.Write(table, _settings.Out)];
        if (_settings.Markdown is not { } markdown) return files;
        var path = Path.GetFullPath(markdown);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var document = BenchmarkMarkdown.Into(File.Exists(path) ? File.ReadAllText(path) : null, table);
        AtomicFile.Write(path, document);
        files.Add(path);
        return files;
    }
}
