using System.Globalization;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Engram.Client.Http;

namespace Engram.Client;

/// <content>Versions, examples, watching and subjects.</content>
public sealed partial class LearnerClient
{
    /// <summary>The versions, the newest first.</summary>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<IReadOnlyList<VersionInfo>> GetVersionsAsync(CancellationToken cancellationToken = default) =>
        _connection.GetAsync(_path + "/versions", AnswerJson.Default.IReadOnlyListVersionInfo, cancellationToken);

    /// <summary>A version.</summary>
    /// <param name="version">Its number.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<VersionInfo> GetVersionAsync(int version, CancellationToken cancellationToken = default) =>
        _connection.GetAsync(Version(version), AnswerJson.Default.VersionInfo, cancellationToken);

    /// <summary>Publishes a staged, observed or shadow version.</summary>
    /// <param name="version">Its number.</param>
    /// <param name="reason">Why, for the audit log.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<VersionInfo> ApproveAsync(int version, string? reason = null, CancellationToken cancellationToken = default) =>
        DecideAsync($"/versions/{Number(version)}/approve", reason, cancellationToken);

    /// <summary>Refuses a staged version.</summary>
    /// <param name="version">Its number.</param>
    /// <param name="reason">Why, for the audit log.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<VersionInfo> RejectAsync(int version, string? reason = null, CancellationToken cancellationToken = default) =>
        DecideAsync($"/versions/{Number(version)}/reject", reason, cancellationToken);

    /// <summary>Keeps a version for ever.</summary>
    /// <param name="version">Its number.</param>
    /// <param name="reason">Why, for the audit log.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<VersionInfo> PinAsync(int version, string? reason = null, CancellationToken cancellationToken = default) =>
        DecideAsync($"/versions/{Number(version)}/pin", reason, cancellationToken);

    /// <summary>Keeps a version no longer than others.</summary>
    /// <param name="version">Its number.</param>
    /// <param name="reason">Why, for the audit log.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<VersionInfo> UnpinAsync(int version, string? reason = null, CancellationToken cancellationToken = default) => _connection.SendAsync(
        HttpMethod.Delete, Addresses.With(Version(version) + "/pin", "reason", reason), null, AnswerJson.Default.VersionInfo, isRepeatable: true, cancellationToken);

    /// <summary>Goes back to a version, at once; learning is paused.</summary>
    /// <param name="version">Its number; null for the one published before.</param>
    /// <param name="reason">Why, for the audit log.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<VersionInfo> RollbackAsync(int? version = null, string? reason = null, CancellationToken cancellationToken = default) => PostAsync(
        "/rollback", new RollbackRequest(version, reason), EngramJson.Default.RollbackRequest, AnswerJson.Default.VersionInfo,
        isRepeatable: version is not null, cancellationToken);

    /// <summary>Gives an alias other than <c>champion</c> to a version.</summary>
    /// <param name="alias">The alias.</param>
    /// <param name="version">The version's number.</param>
    /// <param name="reason">Why, for the audit log.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<VersionInfo> SetAliasAsync(string alias, int version, string? reason = null, CancellationToken cancellationToken = default) => _connection.SendAsync(
        HttpMethod.Put, $"{_path}/aliases/{Uri.EscapeDataString(alias)}", new AliasRequest(version, reason), EngramJson.Default.AliasRequest,
        AnswerJson.Default.VersionInfo, isRepeatable: true, cancellationToken);

    /// <summary>How two versions differ.</summary>
    /// <param name="from">The first one's number.</param>
    /// <param name="to">The second one's number.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<VersionDiff> DiffAsync(int from, int to, CancellationToken cancellationToken = default) =>
        _connection.GetAsync($"{Version(from)}/diff/{Number(to)}", AnswerJson.Default.VersionDiff, cancellationToken);

    /// <summary>Writes a version's bundle as a zip.</summary>
    /// <param name="version">Its number.</param>
    /// <param name="to">Where to.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task ExportAsync(int version, Stream to, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(to);
        using var response = await _connection.SendAsync(
            HttpMethod.Get, Version(version) + "/export", null, isRepeatable: true, hasTimeout: false, cancellationToken).ConfigureAwait(false);
        await response.Content.CopyToAsync(to, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Sends a bundle as a candidate, which the gate examines.</summary>
    /// <param name="zip">A zip that was exported, or of a bundle's folder that <c>engram run</c> wrote.</param>
    /// <param name="reason">Why, for the audit log.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<VersionInfo> ImportAsync(Stream zip, string? reason = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(zip);
        using var response = await _connection.SendAsync(
            HttpMethod.Post, Addresses.With(_path + "/versions/import", "reason", reason), Files.Content(zip, "application/zip"), isRepeatable: false,
            hasTimeout: false, cancellationToken).ConfigureAwait(false);
        return await Connection.ReadAsync(response, AnswerJson.Default.VersionInfo, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The pinned examples.</summary>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<IReadOnlyList<PinnedExample>> GetExamplesAsync(CancellationToken cancellationToken = default) =>
        _connection.GetAsync(_path + "/examples", AnswerJson.Default.IReadOnlyListPinnedExample, cancellationToken);

    /// <summary>Pins an example: no candidate that gets it wrong is published.</summary>
    /// <param name="input">The input, for example from <see cref="LearnerInput"/>.</param>
    /// <param name="label">The label it must get.</param>
    /// <param name="subject">Whom it is about, so that it can be found and deleted.</param>
    /// <param name="reason">Why, for the audit log.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<PinnedExample> PinExampleAsync(
        JsonElement input, string label, string? subject = null, string? reason = null, CancellationToken cancellationToken = default) => PostAsync(
        "/examples", new PinExampleRequest(input, label, subject, reason), EngramJson.Default.PinExampleRequest, AnswerJson.Default.PinnedExample,
        isRepeatable: false, cancellationToken);

    /// <summary>Takes a pinned example away.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="reason">Why, for the audit log.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task UnpinExampleAsync(string id, string? reason = null, CancellationToken cancellationToken = default)
    {
        using var _ = await _connection.SendAsync(
            HttpMethod.Delete, Addresses.With($"{_path}/examples/{Uri.EscapeDataString(id)}", "reason", reason), null, isRepeatable: false, hasTimeout: true,
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>All that is watched.</summary>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<WatchReport> WatchAsync(CancellationToken cancellationToken = default) =>
        _connection.GetAsync(_path + "/watch", AnswerJson.Default.WatchReport, cancellationToken);

    /// <summary>Accuracy and forgetting over versions.</summary>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<AccuracyOverVersions> GetAccuracyAsync(CancellationToken cancellationToken = default) =>
        _connection.GetAsync(_path + "/accuracy", AnswerJson.Default.AccuracyOverVersions, cancellationToken);

    /// <summary>What happens to the learner, until cancelled; goes on after the last event when the connection breaks.</summary>
    /// <param name="after">Only events after this number, as far as still remembered; null for those from now on.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async IAsyncEnumerable<LearnerEvent> EventsAsync(long? after = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        for (var broken = 0; ; broken++)
        {
            using var response = await _connection.SendAsync(
                HttpMethod.Get, Addresses.With(_path + "/events", "after", after?.ToString(CultureInfo.InvariantCulture)), null, isRepeatable: true,
                hasTimeout: false, cancellationToken).ConfigureAwait(false);
            var events = SseParser.Create(
                await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false),
                (_, data) => JsonSerializer.Deserialize(data, AnswerJson.Default.LearnerEvent)!).EnumerateAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);
            await using (events.ConfigureAwait(false))
            {
                while (await MoveNextAsync(events).ConfigureAwait(false))
                {
                    (after, broken) = (events.Current.Data.Number, 0);
                    yield return events.Current.Data;
                }
            }
            await Task.Delay(_connection.Attempts.Delay(Math.Min(broken, 10)), _connection.Options.Clock, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>All that is stored about a subject.</summary>
    /// <param name="subject">The subject.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<SubjectExport> ExportSubjectAsync(string subject, CancellationToken cancellationToken = default) =>
        _connection.GetAsync(Subject(subject), AnswerJson.Default.SubjectExport, cancellationToken);

    /// <summary>Deletes what is stored about a subject and unlearns it.</summary>
    /// <param name="subject">The subject.</param>
    /// <param name="reason">Why, for the audit log.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<SubjectDeletion> DeleteSubjectAsync(string subject, string? reason = null, CancellationToken cancellationToken = default) => _connection.SendAsync(
        HttpMethod.Delete, Addresses.With(Subject(subject), "reason", reason), null, AnswerJson.Default.SubjectDeletion, isRepeatable: true, cancellationToken);

    // A stream that ends or breaks is asked for again.
    private static async ValueTask<bool> MoveNextAsync(IAsyncEnumerator<SseItem<LearnerEvent>> events)
    {
        try
        {
            return await events.MoveNextAsync().ConfigureAwait(false);
        }
        catch (Exception problem) when (problem is IOException or HttpRequestException)
        {
            return false;
        }
    }

    private Task<VersionInfo> DecideAsync(string path, string? reason, CancellationToken cancellationToken) =>
        PostAsync(path, new ReasonRequest(reason), EngramJson.Default.ReasonRequest, AnswerJson.Default.VersionInfo, isRepeatable: false, cancellationToken);

    private string Version(int version) => $"{_path}/versions/{Number(version)}";

    private string Subject(string subject)
    {
        ArgumentException.ThrowIfNullOrEmpty(subject);
        return $"{_path}/subjects/{Uri.EscapeDataString(subject)}";
    }

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
