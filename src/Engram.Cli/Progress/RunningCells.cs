using System.Globalization;
using Spectre.Console;

namespace Engram.Cli.Progress;

/// <summary>
/// Cells that run side by side: on a terminal a bar for each, redrawn below the lines of those that have ended; elsewhere a line
/// from time to time, of text or of JSON; and everywhere the time still to go.
/// </summary>
internal sealed class RunningCells : IDisposable
{
    private static readonly TimeSpan s_redraw = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan s_signOfLife = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly CliHost _host;
    private readonly Func<string> _count;
    private readonly SortedDictionary<string, (double Work, double Fraction)> _running = new(StringComparer.Ordinal);
    private readonly Remaining _remaining;
    private readonly ITimer? _timer;
    private double _work; // what is left of it, and what was done here
    private double _done;
    private double _aside; // done before, or come to nothing
    private int _drawn;
    private bool _stopped;

    /// <summary>Begins to show.</summary>
    /// <param name="host">Where.</param>
    /// <param name="form">How to show what is running.</param>
    /// <param name="work">All work, in any unit.</param>
    /// <param name="done">Work that was done before.</param>
    /// <param name="count">Says how many have ended.</param>
    public RunningCells(CliHost host, Form form, double work, double done, Func<string> count)
    {
        (_host, _work, _aside, _count) = (host, work - done, done, count);
        _remaining = new Remaining(host.Clock);
        _remaining.After(OwnFraction);
        if (form == Form.None) return;
        var live = host.IsLive && form == Form.Text;
        var (every, show) = live ? (s_redraw, Redraw) : form == Form.Text ? (s_signOfLife, (Action)Tell) : (s_signOfLife, TellJson);
        _timer = host.Clock.CreateTimer(_ => IfRunning(show), null, every, every);
    }

    /// <summary>How what is running is shown.</summary>
    public enum Form
    {
        /// <summary>Not at all.</summary>
        None,

        /// <summary>Bars on a terminal, lines elsewhere.</summary>
        Text,

        /// <summary>Lines of JSON.</summary>
        Json,
    }

    /// <summary>A cell has come so far.</summary>
    public void Progress(string name, double work, double fraction)
    {
        lock (_lock) _running[name] = (work, fraction);
    }

    /// <summary>A cell was computed; its line is written by <paramref name="write"/>, told the time to go.</summary>
    public void Finished(string name, double work, Action<TimeSpan?> write) => Ended(name, () => _done += work, write);

    /// <summary>A cell need not be computed, or came to nothing: what that took says nothing about the time to go.</summary>
    public void SetAside(string name, double work, Action<TimeSpan?> write) => Ended(name, () => (_work, _aside) = (_work - work, _aside + work), write);

    /// <summary>Takes the bars away, for good.</summary>
    public void Stop()
    {
        _timer?.Dispose();
        lock (_lock)
        {
            _stopped = true;
            Erase();
        }
    }

    /// <summary>The time to go as the end of a line; nothing while it is too early to say.</summary>
    public static string ToGo(TimeSpan? time) => time is { } left ? $", {Words.Time(left)} to go" : "";

    public void Dispose() => Stop();

    // Of all work.
    private double Fraction => Math.Min(1, (_aside + Done) / (_aside + _work));

    // Of what is computed here.
    private double OwnFraction => _work > 0 ? Math.Min(1, Done / _work) : 1;

    private double Done => _done + _running.Values.Sum(cell => cell.Work * cell.Fraction);

    private void Ended(string name, Action count, Action<TimeSpan?> write)
    {
        lock (_lock)
        {
            _running.Remove(name);
            count();
            Erase();
            write(_remaining.After(OwnFraction));
        }
    }

    // A timer that is disposed of may just have rung.
    private void IfRunning(Action show)
    {
        lock (_lock)
            if (!_stopped) show();
    }

    // For logs: cells may take long.
    private void Tell()
    {
        if (_running.Count == 0) return;
        var cells = string.Join("; ", _running.Select(cell => string.Create(CultureInfo.InvariantCulture, $"{cell.Key} at {100 * cell.Value.Fraction:0} %")));
        _host.Out.WriteLine($"  {_count()}{ToGo(_remaining.After(OwnFraction))}: {cells}");
        _host.Out.Flush();
    }

    private void TellJson() => JsonLine.Write(_host.Out, new
    {
        Event = "progress",
        Fraction,
        SecondsToGo = _remaining.After(OwnFraction)?.TotalSeconds,
        Running = _running.ToDictionary(cell => cell.Key, cell => cell.Value.Fraction),
    });

    private void Redraw()
    {
        Erase();
        foreach (var (name, (_, fraction)) in _running)
        {
            var full = (int)Math.Round(20 * fraction);
            _host.Console.MarkupLineInterpolated(
                CultureInfo.InvariantCulture, $"{name,-34} [blue]{new string('━', full)}[/][dim]{new string('─', 20 - full)}[/] {100 * fraction,3:0} %");
        }
        _host.Console.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"[dim]{_count()}{ToGo(_remaining.After(OwnFraction))}[/]");
        _drawn = _running.Count + 1;
    }

    private void Erase()
    {
        if (_drawn == 0) return;
        _host.Console.Cursor.MoveUp(_drawn);
        _host.Console.Write(new ControlCode("\u001b[J"));
        _drawn = 0;
    }
}
