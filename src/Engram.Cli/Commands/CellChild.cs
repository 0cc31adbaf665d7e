using System.Text.Json;
using Engram.Evaluation;

namespace Engram.Cli.Commands;

/// <summary>
/// The other side of <see cref="CellProcess"/>, in the process of a cell: tells its parent how far it is, a fraction on a line, and is
/// cancelled when its standard input is closed, as happens when its parent ends, however that came.
/// </summary>
internal sealed class CellChild : IProgress<ExperimentProgress>, IDisposable
{
    private static readonly TimeSpan s_tellEvery = TimeSpan.FromSeconds(1);

    private readonly CliHost _host;
    private readonly CancellationTokenSource _stop;
    private long _told;

    /// <summary>Begins to listen.</summary>
    /// <param name="host">Where to tell.</param>
    public CellChild(CliHost host)
    {
        _host = host;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(host.CancellationToken);
        _told = host.Clock.GetTimestamp();
        var watch = new Thread(() =>
        {
            while (Console.In.Read() >= 0) { }
            _stop.Cancel();
        });
        watch.IsBackground = true;
        watch.Start();
    }

    /// <summary>Cancelled when the cell is to save its place and end.</summary>
    public CancellationToken Stop => _stop.Token;

    public void Report(ExperimentProgress value)
    {
        if (_host.Clock.GetElapsedTime(_told) < s_tellEvery) return;
        _told = _host.Clock.GetTimestamp();
        _host.Out.WriteLine(JsonSerializer.Serialize(value.Fraction));
        _host.Out.Flush();
    }

    public void Dispose() => _stop.Dispose();
}
