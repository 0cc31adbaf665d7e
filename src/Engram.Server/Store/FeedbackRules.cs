namespace Engram.Server.Store;

/// <summary>What stands as the truth about a prediction.</summary>
/// <param name="Sequence">The feedback that said it.</param>
/// <param name="Kind">A sample, or a judgement.</param>
/// <param name="Held">Whether it is held out.</param>
/// <param name="Label">The label; null for a judgement.</param>
/// <param name="FromReward">Whether a reward said it.</param>
/// <param name="Observed">When it was observed, if that was said.</param>
internal sealed record StandingTruth(long Sequence, FeedbackKind Kind, bool Held, string? Label, bool FromReward, DateTimeOffset? Observed);

/// <summary>What becomes of feedback, whatever engine keeps it.</summary>
/// <remarks>
/// For a prediction there is one truth at a time. Later feedback about the same prediction revokes the earlier, unless it says when it was
/// observed and that was before the earlier one was; it stays held out if the earlier was, so that no input is both learnt and examined.
/// </remarks>
internal static class FeedbackRules
{
    /// <summary>Rewards from here on confirm the predicted label.</summary>
    public const double Confirming = 0.5;

    /// <summary>What feedback says about its prediction.</summary>
    public static (FeedbackKind Kind, string? Label) Truth(FeedbackEntry entry, PredictionRecord prediction)
    {
        var label = entry.Label ?? (entry.Reward >= Confirming ? prediction.Label : null);
        return (label is null ? FeedbackKind.Judgement : FeedbackKind.Sample, label);
    }

    /// <summary>Whether feedback takes the place of what stands.</summary>
    public static bool Replaces(StandingTruth standing, FeedbackEntry entry, FeedbackKind kind, string? label) =>
        !(standing.Kind == kind && standing.Label == label) // said before
        && !(entry.ObservedAt < standing.Observed) // came late: what was observed afterwards stands
                                                   // A bad reward takes back a good one, but nothing from a label.
        && (kind == FeedbackKind.Sample || standing.FromReward);

    /// <summary>Whether feedback says that what stands was still so at a later time.</summary>
    public static bool Confirms(StandingTruth standing, FeedbackEntry entry, string? label) =>
        entry.ObservedAt > standing.Observed && standing.Label == label;

    /// <summary>Whether a sample is held out: a fixed share by a hash of its number, independent of what came, the same after a restart.</summary>
    /// <param name="sequence">Its number.</param>
    /// <param name="share">The share.</param>
    public static bool IsHeldOut(long sequence, double share)
    {
        // SplitMix64, Steele et al. 2014.
        var z = (ulong)sequence * 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        z ^= z >> 31;
        return z < share * ulong.MaxValue;
    }
}
