namespace Engram.Server.Training;

/// <summary>Keeps learning to a share of one core: after a piece of work it rests in proportion.</summary>
internal sealed class Pace(double share, TimeProvider clock, CancellationToken cancellationToken)
{
    private static readonly TimeSpan s_least = TimeSpan.FromMilliseconds(2); // a shorter rest would be mostly waking up
    private long _since = clock.GetTimestamp();

    /// <summary>Rests as long as the work since the last rest asks for.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public void Step()
    {
        cancellationToken.ThrowIfCancellationRequested();
        var rest = clock.GetElapsedTime(_since) * ((1 - share) / share);
        if (rest < s_least) return;
        cancellationToken.WaitHandle.WaitOne(rest);
        cancellationToken.ThrowIfCancellationRequested();
        _since = clock.GetTimestamp();
    }
}
