using Engram.Client;
using Engram.Server.Serving;
using Engram.Server.Training;

namespace Engram.Server.Versions;

/// <summary>Changes where versions stand: in the book, in what answers, in the audit log and for those who listen, in this order.</summary>
/// <remarks>Its callers hold <see cref="LearnerContext.Changing"/>, but for <see cref="Open"/>.</remarks>
internal sealed class VersionKeeper(LearnerContext learner, PredictionService serving, Func<int, ServedModel> load)
{
    private const string Service = LearnerContext.Service;
    private const string Examined = "examined"; // and not decided upon yet
    private readonly GateSpecification _gate = learner.Specification.Gate;

    /// <summary>Told of a version that answers from now on.</summary>
    public Action<VersionInfo>? Published { get; set; }

    /// <summary>Loads a version to answer.</summary>
    public ServedModel Load(int version) => load(version);

    /// <summary>Makes folders and book agree after an end at any moment, and lets answer what answered then.</summary>
    /// <returns>What could not be loaded, in words; null where all is well.</returns>
    public string? Open()
    {
        learner.Folders.Sweep();
        // A folder without a row was not decided upon yet: its feedback still waits, so it is made again.
        foreach (var version in learner.Folders.Present)
            if (learner.Book.Find(version) is null or { Reason: Examined }) learner.Folders.Delete(version);
        foreach (var lost in learner.Book.All.Where(version => !learner.Folders.Has(version.Version)))
        {
            learner.Book.DeleteAsync(lost.Version).GetAwaiter().GetResult();
            Audit("version.delete", lost, lost.Reason == Examined ? "it was not decided upon when the service ended" : "its files are gone");
        }
        string? problem = null;
        var candidates = learner.Book.All.Where(version => version.Aliases.Contains(VersionBook.ChampionAlias))
            .Concat(learner.Book.All.Where(version => version.State is VersionState.Published or VersionState.Retired && !learner.Remains.HeldBy(version))
                .OrderByDescending(version => version.Published));
        foreach (var version in candidates)
        {
            try
            {
                var model = load(version.Version);
                serving.Change(_ => new Route(model));
            }
            catch (Exception broken) when (broken is IOException or InvalidDataException)
            {
                problem ??= $"version {version.Version} cannot be loaded: {broken.Message}";
                continue;
            }
            if (learner.Book.Champion?.Version != version.Version)
            {
                learner.Book.WriteAsync(VersionBook.ChampionAlias, version.Version, version with { State = VersionState.Published }).GetAwaiter().GetResult();
                Audit("version.publish", version, problem ?? "the one that answered before is gone");
            }
            break;
        }
        foreach (var tried in learner.Book.All.Where(version => version.State is VersionState.Canary or VersionState.Shadow)) Resume(tried);
        return problem;
    }

    /// <summary>Decides on a candidate by its checks and the mode of the gate.</summary>
    /// <param name="candidate">The candidate, whose lease is taken over.</param>
    /// <param name="from">The version it was made from.</param>
    public async Task<VersionInfo> DecideAsync(Candidate candidate, VersionInfo? from)
    {
        var (info, model) = (candidate.Info, candidate.Model);
        var failed = info.Checks.Where(check => !check.Passed).ToArray();
        await learner.Book.WriteAsync(info with { Reason = Examined }).ConfigureAwait(false);
        learner.Events.Tell("candidate", $"version {info.Version} learnt {info.Samples} samples", info.Version);
        if (info.Trigger != "import" && from?.Version != learner.Book.Champion?.Version)
            return await RefuseAsync(info, model, "the published version was changed while it was learnt").ConfigureAwait(false);
        // What was revoked must go, whatever that does to accuracy.
        if (info.Trigger == "unlearn") return await PublishAsync(info, model, Service, "unlearnt what was revoked").ConfigureAwait(false);
        if (failed.Length > 0)
            return await RefuseAsync(info, model, string.Join("; ", failed.Select(check => $"{check.Name}: {check.Reason}"))).ConfigureAwait(false);
        await SupersedeAsync(info.Version).ConfigureAwait(false);
        switch (_gate.Mode)
        {
            case GateMode.Observe:
                model.Release();
                return await StandAsync(info, VersionState.Observed, "observed", "candidate", "passed; nothing is published in this mode").ConfigureAwait(false);
            case GateMode.Staged:
                model.Release();
                return await StandAsync(info, VersionState.Staged, "staged", "staged", "passed; waits to be approved").ConfigureAwait(false);
            default:
                return await TryAsync(info, model, afterShadow: false).ConfigureAwait(false);
        }
    }

    /// <summary>Goes on with a version that passed the gate, or its shadow: as shadow, as canary, or published.</summary>
    public async Task<VersionInfo> TryAsync(VersionInfo info, ServedModel model, bool afterShadow, string passed = "passed the gate")
    {
        if (learner.Book.Champion is not null && _gate.ShadowPredictions > 0 && !afterShadow)
        {
            serving.Change(old => new Route(old!.Champion, Shadow: model));
            return await StandAsync(info, VersionState.Shadow, "shadow", "candidate", $"{passed}; compared on {_gate.ShadowPredictions} predictions").ConfigureAwait(false);
        }
        if (learner.Book.Champion is not null && _gate.CanaryPercent > 0)
        {
            serving.Change(old => new Route(old!.Champion, model, _gate.CanaryPercent));
            return await StandAsync(info, VersionState.Canary, "canary", "candidate", $"{passed}; answers {_gate.CanaryPercent} % until {_gate.CanarySamples} are judged").ConfigureAwait(false);
        }
        return await PublishAsync(info, model, Service, passed).ConfigureAwait(false);
    }

    /// <summary>Publishes a version.</summary>
    /// <param name="info">The version.</param>
    /// <param name="model">Its model, whose lease is taken over.</param>
    /// <param name="who">Who asks.</param>
    /// <param name="reason">Why.</param>
    /// <param name="action">What the audit log calls it.</param>
    public async Task<VersionInfo> PublishAsync(VersionInfo info, ServedModel model, string who, string? reason, string action = "version.publish")
    {
        var old = learner.Book.Champion;
        var changed = new List<VersionInfo> { info with { State = VersionState.Published, Published = learner.Clock.GetUtcNow(), PublishedBy = who, Reason = reason ?? "" } };
        if (old is not null && old.Version != info.Version) changed.Add(old with { State = VersionState.Retired, Reason = $"replaced by version {info.Version}" });
        changed.AddRange(Tried(info.Version).Select(other => other with { State = VersionState.Refused, Reason = $"version {info.Version} was published" }));
        if (info.Aliases.Contains(VersionBook.ChallengerAlias)) await learner.Book.WriteAsync(VersionBook.ChallengerAlias, null).ConfigureAwait(false);
        await learner.Book.WriteAsync(VersionBook.ChampionAlias, info.Version, [.. changed]).ConfigureAwait(false);
        serving.Change(_ => new Route(model));
        Published?.Invoke(learner.Book.Get(info.Version));
        var rolledBack = action == "version.rollback";
        await learner.AuditAsync(who, action, $"version {info.Version} answers{(old is null ? "" : $", version {old.Version} before")}", reason).ConfigureAwait(false);
        learner.Events.Tell(rolledBack ? "rolled-back" : "published", $"version {info.Version} answers", info.Version);
        return learner.Book.Get(info.Version);
    }

    /// <summary>Refuses a version, keeping it with the reason.</summary>
    public async Task<VersionInfo> RefuseAsync(VersionInfo info, ServedModel? model, string reason, string who = Service)
    {
        var refused = info with { State = VersionState.Refused, Reason = reason };
        if (info.Aliases.Contains(VersionBook.ChallengerAlias)) await learner.Book.WriteAsync(VersionBook.ChallengerAlias, null, refused).ConfigureAwait(false);
        else await learner.Book.WriteAsync(refused).ConfigureAwait(false);
        if (info.State is VersionState.Shadow or VersionState.Canary) serving.Change(old => old is null ? null : new Route(old.Champion));
        model?.Release();
        await learner.AuditAsync(who, "version.refuse", $"version {info.Version}", reason).ConfigureAwait(false);
        learner.Events.Tell("refused", $"version {info.Version}: {reason}", info.Version);
        return learner.Book.Get(info.Version);
    }

    /// <summary>Publishes nothing any more: nothing that was learnt is left.</summary>
    public async Task WithdrawAsync(string who, string reason)
    {
        if (learner.Book.Champion is not { } champion) return;
        await learner.Book.WriteAsync(VersionBook.ChampionAlias, null, champion with { State = VersionState.Retired, Reason = reason }).ConfigureAwait(false);
        serving.Change(_ => null);
        await learner.AuditAsync(who, "version.withdraw", $"version {champion.Version}", reason).ConfigureAwait(false);
        learner.Events.Tell("published", reason);
    }

    private async Task<VersionInfo> StandAsync(VersionInfo info, VersionState state, string action, string tells, string reason)
    {
        await learner.Book.WriteAsync(VersionBook.ChallengerAlias, info.Version, info with { State = state, Reason = reason }).ConfigureAwait(false);
        await learner.AuditAsync(Service, $"version.{action}", $"version {info.Version}", reason).ConfigureAwait(false);
        learner.Events.Tell(tells, $"version {info.Version} {reason}", info.Version);
        return learner.Book.Get(info.Version);
    }

    // A newer candidate has learnt all that older ones that wait have, and more.
    private async Task SupersedeAsync(int by)
    {
        foreach (var older in Tried(by)) await RefuseAsync(older, null, $"version {by} took its place, which learnt more").ConfigureAwait(false);
    }

    private IEnumerable<VersionInfo> Tried(int except) => learner.Book.All.Where(version =>
        version.Version != except && version.State is VersionState.Staged or VersionState.Shadow or VersionState.Canary);

    private void Resume(VersionInfo tried)
    {
        try
        {
            var model = load(tried.Version);
            serving.Change(old => old is null ? null : tried.State == VersionState.Canary
                ? new Route(old.Champion, model, _gate.CanaryPercent) : new Route(old.Champion, Shadow: model));
            if (learner.Book.Champion is null) model.Release();
        }
        catch (Exception broken) when (broken is IOException or InvalidDataException)
        {
            learner.Book.WriteAsync(tried with { State = VersionState.Refused, Reason = broken.Message }).GetAwaiter().GetResult();
            Audit("version.refuse", tried, broken.Message);
        }
    }

    // While the learner is opened, when nothing can wait.
    private void Audit(string action, VersionInfo version, string reason) =>
        learner.AuditAsync(Service, action, $"version {version.Version}", learner.Tellable(reason)).GetAwaiter().GetResult();
}
