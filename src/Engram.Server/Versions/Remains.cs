using Engram.Client;
using Engram.Server.Store;

namespace Engram.Server.Versions;

/// <summary>What versions still hold of subjects that were deleted.</summary>
internal sealed class Remains(LearnerContext learner)
{
    /// <summary>Versions that hold some, the newest first.</summary>
    public IReadOnlyList<int> Versions => [.. learner.Book.All.Where(HeldBy).Select(version => version.Version)];

    /// <summary>Whether a version holds some.</summary>
    public bool HeldBy(VersionInfo version) => learner.Store.CountDeleted(PlaceOf(version)).Samples > 0;

    /// <summary>Where a version stands; one that cannot tell has unlearnt nothing.</summary>
    public VersionPlace PlaceOf(VersionInfo version)
    {
        try
        {
            return VersionFile.Read(learner.Folders.PathOf(version.Version)) is { } file
                ? new VersionPlace(file.Cursor, file.Unlearnt) : new VersionPlace(version.Cursor, 0);
        }
        catch (Exception problem) when (problem is InvalidDataException or IOException)
        {
            return new VersionPlace(version.Cursor, 0);
        }
    }
}
