using Engram.Client;

namespace Engram.Server;

/// <summary>One learner in service: predicts, takes feedback, learns behind, and changes versions without a pause.</summary>
/// <remarks>
/// Safe for use by many threads at once. Bad input throws <see cref="InputException"/> with the field's name; an unknown version, alias or
/// example <see cref="NotFoundException"/>; a change that the state does not allow <see cref="ConflictException"/>; too much waiting work
/// <see cref="OverloadException"/>; a prediction before anything was learnt <see cref="ConflictException"/>. Every change is written to the audit log with <c>by</c> and <c>reason</c>.
/// </remarks>
public sealed class LearnerHost
{
    private LearnerHost() { }

    /// <summary>Its name.</summary>
    public string Name => throw new NotImplementedException();

    /// <summary>What it is now.</summary>
    public LearnerDescription Describe() => throw new NotImplementedException();

    /// <summary>Predicts; requests that come together go through the model together.</summary>
    public ValueTask<PredictResponse> PredictAsync(PredictRequest request, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Predicts several inputs, all by one version.</summary>
    public ValueTask<PredictBatchResponse> PredictAsync(PredictBatchRequest request, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Takes feedback; it is on disk when the task completes.</summary>
    public Task<FeedbackReceipt> AcceptAsync(FeedbackRequest request, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Takes several feedbacks, all or none.</summary>
    public Task<FeedbackBatchReceipt> AcceptAsync(FeedbackBatchRequest request, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Learns what waits, now; completes when the candidate was published, staged, refused or failed.</summary>
    /// <returns>The candidate; null when nothing waited.</returns>
    public Task<VersionInfo?> LearnAsync(string by, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Stops learning until resumed; goes on serving.</summary>
    public Task PauseAsync(string by, string? reason) => throw new NotImplementedException();

    /// <summary>Learns again.</summary>
    public Task ResumeAsync(string by, string? reason) => throw new NotImplementedException();

    /// <summary>Its versions, the newest first.</summary>
    public IReadOnlyList<VersionInfo> Versions => throw new NotImplementedException();

    /// <summary>Publishes a staged, observed or shadow version.</summary>
    public Task<VersionInfo> ApproveAsync(int version, string by, string? reason) => throw new NotImplementedException();

    /// <summary>Refuses a staged version.</summary>
    public Task<VersionInfo> RejectAsync(int version, string by, string? reason) => throw new NotImplementedException();

    /// <summary>Goes back to a version, or to the one published before, at once.</summary>
    /// <remarks>What was learnt since waits again from that version's place in the feedback; learning is paused so that it is not learnt anew at once.</remarks>
    public Task<VersionInfo> RollbackAsync(int? version, string by, string? reason) => throw new NotImplementedException();

    /// <summary>Keeps a version for ever, or no longer.</summary>
    public Task<VersionInfo> PinAsync(int version, bool pinned, string by, string? reason) => throw new NotImplementedException();

    /// <summary>Gives an alias other than <c>champion</c> to a version.</summary>
    public Task<VersionInfo> AliasAsync(string alias, int version, string by, string? reason) => throw new NotImplementedException();

    /// <summary>How two versions differ.</summary>
    public Task<VersionDiff> DiffAsync(int from, int to, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Writes a version as a zip of its bundle.</summary>
    public Task ExportAsync(int version, Stream to, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Takes in a bundle (a zip, as exported here or made of a folder that <c>engram run</c> wrote) as a candidate; the gate examines it.</summary>
    public Task<VersionInfo> ImportAsync(Stream from, string by, string? reason, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Pinned examples.</summary>
    public IReadOnlyList<PinnedExample> Examples => throw new NotImplementedException();

    /// <summary>Pins an example.</summary>
    public Task<PinnedExample> PinExampleAsync(PinExampleRequest request, string by) => throw new NotImplementedException();

    /// <summary>Takes a pinned example away.</summary>
    public Task<bool> UnpinExampleAsync(string id, string by) => throw new NotImplementedException();

    /// <summary>All that is watched.</summary>
    public WatchReport Watch() => throw new NotImplementedException();

    /// <summary>Accuracy and forgetting over versions.</summary>
    public AccuracyOverVersions Accuracy() => throw new NotImplementedException();

    /// <summary>What happens, from now on (after <paramref name="after"/>, as far as still remembered).</summary>
    public IAsyncEnumerable<LearnerEvent> EventsAsync(long? after, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>What is stored about a subject.</summary>
    public SubjectExport ExportSubject(string subject) => throw new NotImplementedException();

    /// <summary>Deletes what is stored about a subject and unlearns it.</summary>
    public Task<SubjectDeletion> DeleteSubjectAsync(string subject, string by, string? reason) => throw new NotImplementedException();
}
