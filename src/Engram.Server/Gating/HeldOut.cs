using Engram.Server.Store;

namespace Engram.Server.Gating;

/// <summary>The held-out samples that candidates are examined on: the newest of each class, so that old classes are never crowded out.</summary>
internal static class HeldOut
{
    private const int MostOfClass = 200;

    /// <summary>Reads them, in the order they came.</summary>
    /// <param name="store">Where from.</param>
    /// <param name="upTo">Up to this sequence.</param>
    public static IReadOnlyList<LabelledSample> Read(ILearnerStore store, long upTo) => store.ReadHeldOut(upTo, MostOfClass);
}
