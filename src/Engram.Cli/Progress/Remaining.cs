namespace Engram.Cli.Progress;

/// <summary>How long a run will still take, from the share of its work that was done since it was first asked.</summary>
internal sealed class Remaining(TimeProvider clock)
{
    private const double Enough = 0.01; // of the work, before a guess is worth showing

    private (long Time, double Fraction)? _first;

    /// <summary>The time still to go, or null while it is too early to say.</summary>
    public TimeSpan? After(double fraction)
    {
        _first ??= (clock.GetTimestamp(), fraction); // a run that goes on does not begin at 0
        var done = fraction - _first.Value.Fraction;
        return done < Enough ? null : clock.GetElapsedTime(_first.Value.Time) * ((1 - fraction) / done);
    }
}
