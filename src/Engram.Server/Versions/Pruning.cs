using Engram.Client;

namespace Engram.Server.Versions;

/// <summary>Lets versions go that need not be kept, and with them what was revoked and is too old.</summary>
internal sealed class Pruning(LearnerContext learner, Action<int> forget)
{
    /// <summary>Prunes. Its caller holds <see cref="LearnerContext.Changing"/>.</summary>
    public async Task RunAsync()
    {
        var all = learner.Book.All;
        var unlearnt = all.FirstOrDefault(version => version.Trigger == "unlearn" && version.State is VersionState.Published or VersionState.Retired)?.Version ?? 0;
        var spare = all.Where(version => version.Aliases.Count == 0 && !version.Pinned
            && version.State is not (VersionState.Staged or VersionState.Shadow or VersionState.Canary or VersionState.Published)).ToArray();
        // What was learnt before something had to be unlearnt still holds it.
        foreach (var version in spare.Where((version, place) => place >= learner.Specification.Retention.Versions || version.Version < unlearnt))
        {
            if (version.Version == all[0].Version) continue; // its number must not be given again
            if (version is { Trigger: "import", Cursor: 0 } && IsRoot(version, all)) continue;
            await learner.Book.DeleteAsync(version.Version).ConfigureAwait(false);
            forget(version.Version);
            learner.Folders.Delete(version.Version);
        }
        var kept = learner.Book.All.Select(version => VersionFile.Read(learner.Folders.PathOf(version.Version))).OfType<VersionFile>().ToArray();
        if (kept.Length == 0) return;
        await learner.Store.ForgetRevokedAsync(kept.Min(version => version.Unlearnt)).ConfigureAwait(false);
        await learner.Store.ExpireAsync(learner.Specification.Retention, kept.Min(version => version.Cursor)).ConfigureAwait(false);
    }

    // A network that has to be trained anew begins with what was imported.
    private static bool IsRoot(VersionInfo version, IReadOnlyList<VersionInfo> all) => all.Any(other => other.Parent == version.Version);
}
