using Engram.Server.Store;

namespace Engram.Server.Gating;

/// <summary>The held-out samples that candidates are examined on: the newest of each class, so that old classes are never crowded out.</summary>
internal static class HeldOut
{
    private const int MostOfClass = 200;
    private const int Page = 5000;

    /// <summary>Reads them, in the order they came.</summary>
    /// <param name="store">Where from.</param>
    /// <param name="upTo">Up to this sequence.</param>
    public static IReadOnlyList<LabelledSample> Read(ILearnerStore store, long upTo)
    {
        var newest = new Dictionary<string, Queue<LabelledSample>>(StringComparer.Ordinal);
        for (var after = 0L; ;)
        {
            var page = store.ReadSamples(after, upTo, Page, heldOut: true);
            foreach (var sample in page)
            {
                if (!newest.TryGetValue(sample.Label, out var kept)) newest[sample.Label] = kept = new Queue<LabelledSample>();
                kept.Enqueue(sample);
                if (kept.Count > MostOfClass) kept.Dequeue();
            }
            if (page.Count < Page) break;
            after = page[^1].Sequence;
        }
        return [.. newest.Values.SelectMany(kept => kept).OrderBy(sample => sample.Sequence)];
    }
}
