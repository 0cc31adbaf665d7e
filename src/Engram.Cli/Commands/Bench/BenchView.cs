using System.Globalization;
using System.Text.Json.Nodes;
using Engram.Cli.Progress;
using Engram.Evaluation.Benchmarks;

namespace Engram.Cli.Commands.Bench;

/// <summary>What a user sees of a benchmark: lines, a live display on a terminal, or lines of JSON.</summary>
internal sealed class BenchView : IDisposable
{
    private readonly CliHost _host;
    private readonly BenchSettings _settings;
    private readonly int _cells;
    private readonly RunningCells _running;
    private int _done;
    private int _failed;

    private BenchView(CliHost host, BenchSettings settings, int cells, int done)
    {
        (_host, _settings, _cells, _done) = (host, settings, cells, done);
        if (settings.Json)
            Line(new { Event = "start", Benchmark = settings.Benchmark.Name, settings.Command, Cells = cells, Done = done });
        else
            host.Out.WriteLine(
                $"{settings.Benchmark.Title}: {cells} cells, {done} computed before; {settings.Jobs} at once; in {settings.Out}");
        _running = new RunningCells(host, settings.Json ? RunningCells.Form.Json : RunningCells.Form.Text, cells, done, Count);
    }

    public static BenchView Of(CliHost host, BenchSettings settings, int cells, int done) => new(host, settings, cells, done);

    public void Progress(BenchmarkCell cell, double fraction) => _running.Progress(NameOf(cell), 1, fraction);

    public void Finished(BenchmarkCell cell, CellResult result) => _running.Finished(NameOf(cell), 1, toGo =>
    {
        _done++;
        if (_settings.Json)
            Line(new
            {
                Event = "cell",
                cell.Method,
                Scenario = _settings.Benchmark.NameOf(cell.Scenario),
                cell.Seed,
                result.Accuracy,
                result.Seconds,
                Done = _done,
                Cells = _cells,
                SecondsToGo = toGo?.TotalSeconds,
            });
        else
            _host.Out.WriteLine(
                $"{NameOf(cell),-34} {result.Accuracy.ToString("0.00", CultureInfo.InvariantCulture),6} %  {Words.Time(result.Seconds),6}"
                + $"   {_done} of {_cells}{RunningCells.ToGo(toGo)}");
        _host.Out.Flush();
    });

    /// <summary>A cell came to nothing; the others go on.</summary>
    public void GaveUp(BenchmarkCell cell, string why) => _running.SetAside(NameOf(cell), 1, _ =>
    {
        _failed++;
        if (_settings.Json) Line(new { Event = "failed", cell.Method, Scenario = _settings.Benchmark.NameOf(cell.Scenario), cell.Seed, Why = why });
        else _host.Out.WriteLine($"{NameOf(cell),-34} failed   {Count()}");
        _host.Out.Flush();
    });

    public void Stop() => _running.Stop();

    public void Finish(BenchmarkTable? table, IReadOnlyList<string> files, int missing)
    {
        if (_settings.Json)
        {
            Line(new { Event = "table", Missing = missing, Files = files, Table = table is null ? null : JsonNode.Parse(table.ToJson()) });
            return;
        }
        if (table is not null) BenchTableView.Write(_host.Console, table);
        if (missing > 0)
            _host.Out.WriteLine($"{missing} of {_cells} cells are missing; the same command goes on with them.");
        if (files.Count > 0) _host.Out.WriteLine("Wrote:");
        foreach (var file in files) _host.Out.WriteLine($"  {file}");
    }

    public void Dispose() => _running.Dispose();

    private string Count() => $"{_done} of {_cells} cells{(_failed == 0 ? "" : $", {_failed} failed")}";

    private string NameOf(BenchmarkCell cell) =>
        $"{_settings.Benchmark.NameOf(cell.Scenario)} {cell.Method}, seed {cell.Seed.ToString(CultureInfo.InvariantCulture)}";

    private void Line<T>(T value) => JsonLine.Write(_host.Out, value);
}
