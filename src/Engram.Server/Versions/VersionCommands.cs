using System.Text.Json;
using System.Text.RegularExpressions;
using Engram.Client;
using Engram.Server.Gating;
using Engram.Server.Serving;
using Engram.Server.Training;

namespace Engram.Server.Versions;

/// <summary>What people do with versions.</summary>
internal sealed partial class VersionCommands(
    LearnerContext learner, PredictionService serving, VersionKeeper keeper, Teacher teacher, Pruning pruning)
{
    /// <summary>Publishes a version that waits, is compared or is tried.</summary>
    public Task<VersionInfo> ApproveAsync(int version, string by, string? reason) => ChangingAsync(async () =>
    {
        var info = InState(version, VersionState.Staged, VersionState.Observed, VersionState.Shadow, VersionState.Canary);
        return await PublishAsync(info, by, reason ?? $"approved by {by}", "version.approve").ConfigureAwait(false);
    });

    /// <summary>Refuses a version that waits, is compared or is tried.</summary>
    public Task<VersionInfo> RejectAsync(int version, string by, string? reason) => ChangingAsync(() => keeper.RefuseAsync(
        InState(version, VersionState.Staged, VersionState.Observed, VersionState.Shadow, VersionState.Canary), null, reason ?? $"rejected by {by}", by));

    /// <summary>Goes back to a version that answered before.</summary>
    public async Task<VersionInfo> RollbackAsync(int? version, string by, string? reason)
    {
        var info = await ChangingAsync(async () =>
        {
            var to = version is { } wanted ? learner.Book.Get(wanted) : learner.Book.All.Where(other => other.State == VersionState.Retired)
                .MaxBy(other => other.Published) ?? throw new ConflictException("version", "version: none was published before, expected one to go back to");
            if (to.Published is null) throw new ConflictException("version", $"version: {to.Version} was never published, expected one that was");
            if (to.State == VersionState.Published) throw new ConflictException("version", $"version: {to.Version} answers already, expected another one");
            return await PublishAsync(to, by, reason ?? $"rolled back by {by}", "version.rollback", async () =>
            {
                teacher.Pause();
                await learner.WritePausedAsync(true).ConfigureAwait(false);
            }).ConfigureAwait(false);
        }).ConfigureAwait(false);
        learner.Events.Tell("paused", "rolled back; learns again when resumed");
        return info;
    }

    /// <summary>Keeps a version for ever, or no longer.</summary>
    public Task<VersionInfo> PinAsync(int version, bool pinned, string by, string? reason) => ChangingAsync(async () =>
    {
        await learner.Book.WriteAsync(learner.Book.Get(version) with { Pinned = pinned }).ConfigureAwait(false);
        await learner.AuditAsync(by, pinned ? "version.pin" : "version.unpin", $"version {version}", reason).ConfigureAwait(false);
        return learner.Book.Get(version);
    });

    /// <summary>Gives an alias to a version.</summary>
    public Task<VersionInfo> AliasAsync(string alias, int version, string by, string? reason) => ChangingAsync(async () =>
    {
        if (alias is null || !Alias().IsMatch(alias) || alias == VersionBook.ChampionAlias)
            throw new InputException("alias", $"alias: {alias ?? "null"}, expected 1 to 32 of a-z, 0-9 and '-', beginning with a letter, and not champion");
        _ = learner.Book.Get(version);
        await learner.Book.WriteAsync(alias, version).ConfigureAwait(false);
        await learner.AuditAsync(by, "version.alias", $"{alias} is version {version}", reason).ConfigureAwait(false);
        return learner.Book.Get(version);
    });

    /// <summary>How two versions differ, on the held-out samples too.</summary>
    public async Task<VersionDiff> DiffAsync(int from, int to, CancellationToken cancellationToken)
    {
        var (first, second) = (learner.Book.Get(from, "from"), learner.Book.Get(to, "to"));
        var heldOut = HeldOut.Read(learner.Store, learner.Store.LastSequence);
        var said = await Task.Run(() => (Answers(from, heldOut), Answers(to, heldOut)), cancellationToken).ConfigureAwait(false);
        return new VersionDiff
        {
            From = first,
            To = second,
            NewLabels = [.. second.Labels.Except(first.Labels)],
            Accuracy = second.Accuracy - first.Accuracy,
            ClassAccuracy = second.ClassAccuracy.Where(one => first.ClassAccuracy.ContainsKey(one.Key))
                .ToDictionary(one => one.Key, one => one.Value - first.ClassAccuracy[one.Key]),
            Compared = heldOut.Count,
            Disagreements = said.Item1.Zip(said.Item2).Count(pair => pair.First != pair.Second),
        };
    }

    /// <summary>Writes a version as a zip.</summary>
    public async Task ExportAsync(int version, Stream to, CancellationToken cancellationToken)
    {
        _ = learner.Book.Get(version);
        await BundleArchive.WriteAsync(learner.Folders.PathOf(version), to, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Takes in a bundle; the gate examines it.</summary>
    public async Task<VersionInfo> ImportAsync(Stream from, string by, string? reason, CancellationToken cancellationToken)
    {
        var making = learner.Folders.BeginImport();
        try
        {
            await BundleArchive.ReadAsync(from, making, cancellationToken).ConfigureAwait(false);
            await learner.AuditAsync(by, "version.import", "a bundle", reason).ConfigureAwait(false);
            return await teacher.TakeInAsync(making, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception problem) when (problem is InvalidDataException or FileNotFoundException or ArgumentException or InvalidOperationException)
        {
            throw new InputException("bundle", $"bundle: {Told(problem, making)}, expected a bundle of this learner's kind");
        }
        finally
        {
            if (Directory.Exists(making)) Directory.Delete(making, recursive: true);
        }
    }

    /// <summary>Does something while nothing else changes versions, and lets go what need not be kept.</summary>
    public async Task<T> ChangingAsync<T>(Func<Task<T>> change)
    {
        await learner.Changing.WaitAsync().ConfigureAwait(false);
        try
        {
            var result = await change().ConfigureAwait(false);
            await pruning.RunAsync().ConfigureAwait(false);
            return result;
        }
        finally
        {
            learner.Changing.Release();
        }
    }

    // Neither where it lies, nor the types that a reader of JSON names.
    private static string Told(Exception problem, string making)
    {
        var message = problem.Message.Replace(making, "bundle", StringComparison.Ordinal);
        return problem.InnerException is JsonException { Path: { } path } json ? message.Replace(json.Message, $"at {path}", StringComparison.Ordinal) : message;
    }

    // What must happen before, happens once it is certain that the version can answer.
    private async Task<VersionInfo> PublishAsync(VersionInfo info, string by, string reason, string action, Func<Task>? before = null)
    {
        if (serving.LeaseChallenger(info.Version) is { } answering)
            try
            {
                if (before is not null) await before().ConfigureAwait(false);
                return await keeper.PublishAsync(info, answering, by, reason, action).ConfigureAwait(false);
            }
            finally
            {
                answering.Release();
            }
        var model = Load(info.Version);
        if (before is not null) await before().ConfigureAwait(false);
        return await keeper.PublishAsync(info, model, by, reason, action).ConfigureAwait(false);
    }

    private ServedModel Load(int version)
    {
        try
        {
            return keeper.Load(version);
        }
        catch (Exception problem) when (problem is IOException or InvalidDataException)
        {
            throw LoadedVersions.NotWhole(version);
        }
    }

    private VersionInfo InState(int version, params VersionState[] states)
    {
        var info = learner.Book.Get(version);
        return states.Contains(info.State)
            ? info
            : throw new ConflictException("version", $"version: {version} is {info.State}, expected {string.Join(", ", states)}");
    }

    private string[] Answers(int version, IReadOnlyList<Store.LabelledSample> samples)
    {
        var model = Load(version);
        try
        {
            var scored = model.Score(samples);
            return [.. Enumerable.Range(0, samples.Count).Select(i => model.Labels[scored.Best(i)])];
        }
        finally
        {
            model.Release();
        }
    }

    [GeneratedRegex(@"\A[a-z][a-z0-9-]{0,31}\z")]
    private static partial Regex Alias();
}
