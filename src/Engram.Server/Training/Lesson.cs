using System.Globalization;
using Engram.Client;
using Engram.Server.Store;

namespace Engram.Server.Training;

/// <summary>What a candidate is to learn and unlearn.</summary>
/// <param name="From">The version it goes on from; null to begin from nothing.</param>
/// <param name="Samples">Samples to learn, in order.</param>
/// <param name="Revoked">Samples to unlearn.</param>
/// <param name="Cursor">Up to where it will have learnt.</param>
/// <param name="Unlearnt">Up to where it will know of what was revoked.</param>
/// <param name="MustBeginAnew">Whether something has to be unlearnt whose input is gone already, so that nothing can subtract it.</param>
internal sealed record Lesson(
    VersionInfo? From, IReadOnlyList<LabelledSample> Samples, IReadOnlyList<LabelledSample> Revoked, long Cursor, long Unlearnt, bool MustBeginAnew)
{
    private const int Page = 10_000;

    /// <summary>Whether there is nothing to do.</summary>
    public bool IsEmpty => Samples.Count == 0 && Revoked.Count == 0 && !MustBeginAnew;

    /// <summary>Which feedback it is, in words.</summary>
    public string Range
    {
        get
        {
            var learnt = Samples.Count == 0 ? "no feedback"
                : string.Create(CultureInfo.InvariantCulture, $"feedback {Samples[0].Sequence} to {Samples[^1].Sequence}, {Samples.Count} samples");
            return Revoked.Count == 0 ? learnt : string.Create(CultureInfo.InvariantCulture, $"{learnt}; without {Revoked.Count} revoked");
        }
    }

    /// <summary>Reads what waits after a version.</summary>
    /// <param name="store">Where from.</param>
    /// <param name="from">The version to go on from; null before the first.</param>
    /// <param name="unlearnt">Up to where that version knows of what was revoked.</param>
    /// <param name="most">Most samples at a time; the rest waits. 0 to unlearn only.</param>
    public static Lesson Read(ILearnerStore store, VersionInfo? from, long unlearnt, int most)
    {
        var (cursor, now) = (from?.Cursor ?? 0, store.LastSequence);
        var samples = most == 0 ? [] : store.ReadSamples(cursor, now, most, heldOut: false);
        var revoked = from is null ? [] : store.ReadRevoked(cursor, unlearnt, now);
        var anew = from is not null && store.CountDeleted(new VersionPlace(cursor, unlearnt)).WithoutInput > 0;
        return new Lesson(from, samples, revoked, most == 0 ? cursor : samples.Count == most ? samples[^1].Sequence : now, now, anew);
    }

    /// <summary>The same knowledge from the beginning, without what was revoked: everything kept, up to the same place.</summary>
    /// <param name="store">Where from.</param>
    /// <param name="root">The imported version that the learner began with; null where it began with nothing.</param>
    public Lesson Anew(ILearnerStore store, VersionInfo? root)
    {
        var gone = store.ReadRevoked(Cursor, Cursor, Unlearnt).Select(sample => sample.Sequence).ToHashSet();
        var samples = new List<LabelledSample>();
        for (var after = 0L; ;)
        {
            var page = store.ReadSamples(after, Cursor, Page, heldOut: false);
            samples.AddRange(page.Where(sample => !gone.Contains(sample.Sequence)));
            if (page.Count < Page) return this with { From = root, Samples = samples, Revoked = [] };
            after = page[^1].Sequence;
        }
    }
}
