using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Engram.Cli.Progress;
using Engram.Evaluation.Benchmarks;
using Spectre.Console;

namespace Engram.Cli.Commands.Bench;

/// <summary>What a user sees of a benchmark: lines, a live display on a terminal, or lines of JSON.</summary>
internal sealed class BenchView : IDisposable
{
    private static readonly TimeSpan s_redraw = TimeSpan.FromMilliseconds(250);

    private readonly Lock _lock = new();
    private readonly CliHost _host;
    private readonly BenchSettings _settings;
    private readonly int _cells;
    private readonly SortedDictionary<string, double> _running = new(StringComparer.Ordinal);
    private readonly Remaining _remaining;
    private readonly Timer? _timer;
    private int _done;
    private int _drawn;

    private BenchView(CliHost host, BenchSettings settings, int cells, int done)
    {
        (_host, _settings, _cells, _done) = (host, settings, cells, done);
        _remaining = new Remaining(host.Clock);
        _remaining.After(Fraction);
        if (settings.Json)
            Line(new { Event = "start", Benchmark = settings.Benchmark.Name, settings.Command, Cells = cells, Done = done });
        else
            host.Out.WriteLine(
                $"{settings.Benchmark.Title}: {cells} cells, {done} computed before; {settings.Jobs} at once; in {settings.Out}");
        if (host.IsLive && !settings.Json) _timer = new Timer(_ => Redraw(), null, s_redraw, s_redraw);
    }

    public static BenchView Of(CliHost host, BenchSettings settings, int cells, int done) => new(host, settings, cells, done);

    public void Progress(BenchmarkCell cell, double fraction)
    {
        lock (_lock) _running[NameOf(cell)] = fraction;
    }

    public void Finished(BenchmarkCell cell, CellResult result)
    {
        lock (_lock)
        {
            _running.Remove(NameOf(cell));
            _done++;
            Erase();
            if (_settings.Json)
                Line(new
                {
                    Event = "cell",
                    cell.Method,
                    Scenario = BenchmarkCell.NameOf(cell.Scenario),
                    cell.Seed,
                    result.Accuracy,
                    result.Seconds,
                    Done = _done,
                    Cells = _cells,
                    SecondsToGo = _remaining.After(Fraction)?.TotalSeconds,
                });
            else
                _host.Out.WriteLine(
                    $"{NameOf(cell),-34} {result.Accuracy.ToString("0.00", CultureInfo.InvariantCulture),6} %  {Words.Time(result.Seconds),6}"
                    + $"   {_done} of {_cells}{ToGo()}");
            _host.Out.Flush();
        }
    }

    public void Stop()
    {
        _timer?.Dispose();
        lock (_lock) Erase();
    }

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

    public void Dispose() => _timer?.Dispose();

    private double Fraction => (_done + _running.Values.Sum()) / _cells;

    private string ToGo() => _remaining.After(Fraction) is { } time ? $", {Words.Time(time)} to go" : "";

    // Drawn below the finished lines, and erased before the next of them.
    private void Redraw()
    {
        lock (_lock)
        {
            Erase();
            foreach (var (name, fraction) in _running)
            {
                var full = (int)Math.Round(20 * fraction);
                _host.Console.MarkupLineInterpolated(
                    CultureInfo.InvariantCulture, $"{name,-34} [blue]{new string('━', full)}[/][dim]{new string('─', 20 - full)}[/] {100 * fraction,3:0} %");
            }
            _host.Console.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"[dim]{_done} of {_cells} cells{ToGo()}[/]");
            _drawn = _running.Count + 1;
        }
    }

    private void Erase()
    {
        if (_drawn == 0) return;
        _host.Console.Cursor.MoveUp(_drawn);
        _host.Console.Write(new ControlCode("\u001b[J"));
        _drawn = 0;
    }

    private static string NameOf(BenchmarkCell cell) =>
        $"{BenchmarkCell.NameOf(cell.Scenario)} {cell.Method}, seed {cell.Seed.ToString(CultureInfo.InvariantCulture)}";

    private void Line<T>(T value)
    {
        _host.Out.WriteLine(JsonSerializer.Serialize(value, s_json));
        _host.Out.Flush();
    }

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };
}
