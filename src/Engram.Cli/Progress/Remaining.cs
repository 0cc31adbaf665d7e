namespace Engram.Cli.Progress;

/// <summary>How long a run will still take, from the share of its work that is done.</summary>
internal sealed class Remaining(TimeProvider clock)
{
    private const double Enough = 0.01; // of the work, before a guess is worth showing

    private readonly long _began = clock.GetTimestamp();

    public TimeSpan Elapsed => clock.GetElapsedTime(_began);

    /// <summary>The time still to go, or null while it is too early to say.</summary>
    public TimeSpan? After(double fraction) =>
        fraction < Enough ? null : Elapsed * ((1 - fraction) / fraction);
}
