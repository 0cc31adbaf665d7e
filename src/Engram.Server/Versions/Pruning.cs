using Engram.Client;
using Engram.Server.Store;

namespace Engram.Server.Versions;

/// <summary>Lets versions go that need not or must not be kept, and with them what was revoked and is too old.</summary>
internal sealed class Pruning(LearnerContext learner, VersionKeeper keeper, Action<int> forget)
{
    private const string HoldsDeleted = "it holds what was deleted";

    /// <summary>Prunes. Its caller holds <see cref="LearnerContext.Changing"/>.</summary>
    /// <returns>Whether a version had to go that waited to be published.</returns>
    public async Task<bool> RunAsync()
    {
        var waited = false;
        foreach (var version in learner.Book.All.Where(version => !IsChampion(version) && learner.Remains.HeldBy(version)))
        {
            if (version.State is VersionState.Staged or VersionState.Observed or VersionState.Shadow or VersionState.Canary)
            {
                waited = true;
                await keeper.RefuseAsync(version, null, HoldsDeleted).ConfigureAwait(false);
            }
            if (IsSpare(learner.Book.Get(version.Version))) await LetGoAsync(version.Version, HoldsDeleted).ConfigureAwait(false);
        }
        var all = learner.Book.All;
        foreach (var version in all.Where(IsSpare).Skip(learner.Specification.Retention.Versions))
            if (!IsRoot(version, all)) await LetGoAsync(version.Version, "newer ones are as many as are kept").ConfigureAwait(false);

        var kept = learner.Book.All.Select(learner.Remains.PlaceOf).ToList();
        if (learner.Reading > 0) kept.Add(new VersionPlace(learner.Reading, learner.Reading));
        await learner.Store.ForgetRevokedAsync(kept).ConfigureAwait(false);
        await ExpireAsync(kept.Select(place => place.Cursor).DefaultIfEmpty(0).Max()).ConfigureAwait(false);
        return waited;
    }

    private async Task ExpireAsync(long cursor)
    {
        var gone = await learner.Store.ExpireAsync(learner.Specification.Retention, cursor).ConfigureAwait(false);
        if (gone == default) return;
        await learner.AuditAsync(
            LearnerContext.Service, "retention.expire", $"{gone.Predictions} predictions, {gone.Feedback} feedbacks", "they are older than they are kept").ConfigureAwait(false);
    }

    private static bool IsChampion(VersionInfo version) => version.Aliases.Contains(VersionBook.ChampionAlias);

    private static bool IsSpare(VersionInfo version) => version.Aliases.Count == 0 && !version.Pinned
        && version.State is not (VersionState.Staged or VersionState.Shadow or VersionState.Canary or VersionState.Published);

    // A network that has to be trained anew begins with what was imported.
    private static bool IsRoot(VersionInfo version, IReadOnlyList<VersionInfo> all) =>
        version is { Trigger: "import", Cursor: 0 } && all.Any(other => other.Parent == version.Version);

    private async Task LetGoAsync(int version, string reason)
    {
        await learner.Book.DeleteAsync(version).ConfigureAwait(false);
        forget(version);
        learner.Folders.Delete(version);
        await learner.AuditAsync(LearnerContext.Service, "version.delete", $"version {version}", reason).ConfigureAwait(false);
    }
}
