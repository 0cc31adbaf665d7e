using System.Globalization;
using Spectre.Console;

namespace Engram.Cli.Progress;

/// <summary>
/// Cells that run side by side: on a terminal a bar for each, redrawn below the lines of those that have ended, and everywhere
/// the time still to go.
/// </summary>
internal sealed class RunningCells : IDisposable
{
    private static readonly TimeSpan s_redraw = TimeSpan.FromMilliseconds(250);

    private readonly Lock _lock = new();
    private readonly CliHost _host;
    private readonly double _work;
    private readonly Func<string> _count;
    private readonly SortedDictionary<string, (double Work, double Fraction)> _running = new(StringComparer.Ordinal);
    private readonly Remaining _remaining;
    private readonly Timer? _timer;
    private double _done;
    private int _drawn;

    /// <summary>Begins to show.</summary>
    /// <param name="host">Where.</param>
    /// <param name="visible">Whether to draw at all, where the terminal can.</param>
    /// <param name="work">All work, in any unit.</param>
    /// <param name="done">Work that was done before.</param>
    /// <param name="count">Says how many have ended.</param>
    public RunningCells(CliHost host, bool visible, double work, double done, Func<string> count)
    {
        (_host, _work, _done, _count) = (host, work, done, count);
        _remaining = new Remaining(host.Clock);
        _remaining.After(Fraction);
        if (host.IsLive && visible) _timer = new Timer(_ => Redraw(), null, s_redraw, s_redraw);
    }

    /// <summary>A cell has come so far.</summary>
    public void Progress(string name, double work, double fraction)
    {
        lock (_lock) _running[name] = (work, fraction);
    }

    /// <summary>A cell has ended; its line is written by <paramref name="write"/>, told the time to go.</summary>
    public void Finished(string name, double work, Action<TimeSpan?> write)
    {
        lock (_lock)
        {
            _running.Remove(name);
            _done += work;
            Erase();
            write(_remaining.After(Fraction));
        }
    }

    /// <summary>Takes the bars away.</summary>
    public void Stop()
    {
        _timer?.Dispose();
        lock (_lock) Erase();
    }

    /// <summary>The time to go as the end of a line; nothing while it is too early to say.</summary>
    public static string ToGo(TimeSpan? time) => time is { } left ? $", {Words.Time(left)} to go" : "";

    public void Dispose() => _timer?.Dispose();

    private double Fraction => Math.Min(1, (_done + _running.Values.Sum(cell => cell.Work * cell.Fraction)) / _work);

    private void Redraw()
    {
        lock (_lock)
        {
            Erase();
            foreach (var (name, (_, fraction)) in _running)
            {
                var full = (int)Math.Round(20 * fraction);
                _host.Console.MarkupLineInterpolated(
                    CultureInfo.InvariantCulture, $"{name,-34} [blue]{new string('━', full)}[/][dim]{new string('─', 20 - full)}[/] {100 * fraction,3:0} %");
            }
            _host.Console.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"[dim]{_count()}{ToGo(_remaining.After(Fraction))}[/]");
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
}
