using Engram.Client;
using Engram.Server.Gating;
using Engram.Server.Serving;
using Engram.Server.Training;
using Engram.Server.Versions;

namespace Engram.Server;

/// <summary>One learner in service: predicts, takes feedback, learns behind, and changes versions without a pause.</summary>
/// <remarks>
/// Safe for use by many threads at once. Bad input throws <see cref="InputException"/> with the field's name; an unknown version, alias or
/// example <see cref="NotFoundException"/>; a change that the state does not allow <see cref="ConflictException"/>; too much waiting work
/// <see cref="OverloadException"/>; a prediction before anything was learnt <see cref="ConflictException"/>. Every change is written to the audit log with <c>by</c> and <c>reason</c>.
/// </remarks>
public sealed class LearnerHost
{
    private static readonly TimeSpan s_pruneEvery = TimeSpan.FromHours(1);

    private readonly LearnerContext _learner;
    private readonly PredictionService _serving;
    private readonly Teacher _teacher;
    private readonly Trial _trial;
    private readonly VersionCommands _versions;
    private readonly FeedbackDesk _feedback;
    private readonly Subjects _subjects;
    private readonly ExampleList _examples;
    private readonly Observer _observer;
    private DateTimeOffset _pruned;
    private int _tending;

    /// <summary>Opens a learner: it answers as it did when it was closed, or killed.</summary>
    internal LearnerHost(LearnerContext learner, Trainer trainer, bool paused)
    {
        _learner = learner;
        CandidateMaker? maker = null;
        _serving = new PredictionService(learner, version => maker!.Load(version));
        maker = new CandidateMaker(learner, _serving.LeaseChampion);
        var keeper = new VersionKeeper(learner, _serving, maker.Load);
        var pruning = new Pruning(learner, keeper, _serving.Forget);
        _teacher = new Teacher(learner, trainer, maker, keeper, pruning, paused);
        _trial = new Trial(learner, _serving, keeper);
        _versions = new VersionCommands(learner, _serving, keeper, _teacher, pruning);
        _feedback = new FeedbackDesk(learner);
        _subjects = new Subjects(learner, _teacher, pruning);
        _examples = new ExampleList(learner);
        _serving.Compared = _trial.Compared;
        _teacher.LastError = keeper.Open();
        _observer = new Observer(learner, _serving, keeper, _teacher);
        _pruned = learner.Clock.GetUtcNow();
        _teacher.UnlearnWhatWaits();
    }

    /// <summary>Its name.</summary>
    public string Name => _learner.Specification.Name;

    /// <summary>What it was asked to be.</summary>
    public LearnerSpecification Specification => _learner.Specification;

    /// <summary>When it was created.</summary>
    public DateTimeOffset Created => _learner.Created;

    /// <summary>What it is now.</summary>
    public LearnerDescription Describe() => new()
    {
        Specification = _learner.Specification,
        Created = _learner.Created,
        Activity = _teacher.Activity,
        Progress = _teacher.Progress,
        Champion = _learner.Book.Champion?.Version,
        Labels = _serving.Labels,
        Feedback = _learner.Store.Status(_learner.Book.Champion?.Cursor ?? 0),
        MemoryBytes = _serving.MemoryBytes,
        LastError = _teacher.LastError,
    };

    /// <summary>Predicts; requests that come together go through the model together.</summary>
    public ValueTask<PredictResponse> PredictAsync(PredictRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        return _serving.PredictAsync(request, cancellationToken);
    }

    /// <summary>Predicts several inputs, all by one version.</summary>
    public ValueTask<PredictBatchResponse> PredictAsync(PredictBatchRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        return _serving.PredictAsync(request, cancellationToken);
    }

    /// <summary>Takes feedback; it is on disk when the task completes.</summary>
    public async Task<FeedbackReceipt> AcceptAsync(FeedbackRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var receipts = await _feedback.AcceptAsync([request], single: true, cancellationToken).ConfigureAwait(false);
        Came([request], receipts);
        return receipts[0];
    }

    /// <summary>Takes several feedbacks, all or none.</summary>
    public async Task<FeedbackBatchReceipt> AcceptAsync(FeedbackBatchRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var receipts = await _feedback.AcceptAsync(request.Items, single: false, cancellationToken).ConfigureAwait(false);
        Came(request.Items, receipts);
        return new FeedbackBatchReceipt(receipts);
    }

    /// <summary>Learns what waits, now; completes when the candidate was published, staged, refused or failed.</summary>
    /// <param name="by">Who asks.</param>
    /// <param name="reason">Why.</param>
    /// <param name="cancellationToken">Ends the wait, not the learning.</param>
    /// <returns>The candidate; null when nothing waited.</returns>
    /// <exception cref="ConflictException">It is paused, or learning failed.</exception>
    public async Task<VersionInfo?> LearnAsync(string by, string? reason = null, CancellationToken cancellationToken = default)
    {
        if (_teacher.Paused) throw new ConflictException("learner", $"learner: {Name} is paused, expected it to be resumed first");
        await _learner.AuditAsync(by, "learner.learn", "asked to learn what waits", reason).ConfigureAwait(false);
        return await _teacher.LearnAsync("request").WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Stops learning until resumed; goes on serving.</summary>
    public async Task PauseAsync(string by, string? reason)
    {
        await _learner.WritePausedAsync(true).ConfigureAwait(false);
        _teacher.Pause();
        await _learner.AuditAsync(by, "learner.pause", "learns nothing", reason).ConfigureAwait(false);
        _learner.Events.Tell("paused", reason ?? $"paused by {by}");
    }

    /// <summary>Learns again.</summary>
    public async Task ResumeAsync(string by, string? reason)
    {
        await _learner.WritePausedAsync(false).ConfigureAwait(false);
        _teacher.Resume();
        await _learner.AuditAsync(by, "learner.resume", "learns again", reason).ConfigureAwait(false);
        _learner.Events.Tell("resumed", reason ?? $"resumed by {by}");
    }

    /// <summary>Its versions, the newest first.</summary>
    public IReadOnlyList<VersionInfo> Versions => _learner.Book.All;

    /// <summary>Publishes a staged, observed or shadow version.</summary>
    public Task<VersionInfo> ApproveAsync(int version, string by, string? reason) => _versions.ApproveAsync(version, by, reason);

    /// <summary>Refuses a staged version.</summary>
    public Task<VersionInfo> RejectAsync(int version, string by, string? reason) => _versions.RejectAsync(version, by, reason);

    /// <summary>Goes back to a version, or to the one published before, at once.</summary>
    /// <remarks>What was learnt since waits again from that version's place in the feedback; learning is paused so that it is not learnt anew at once.</remarks>
    public async Task<VersionInfo> RollbackAsync(int? version, string by, string? reason)
    {
        var info = await _versions.RollbackAsync(version, by, reason).ConfigureAwait(false);
        _teacher.UnlearnWhatWaits();
        return info;
    }

    /// <summary>Keeps a version for ever, or no longer.</summary>
    public Task<VersionInfo> PinAsync(int version, bool pinned, string by, string? reason) => _versions.PinAsync(version, pinned, by, reason);

    /// <summary>Gives an alias other than <c>champion</c> to a version.</summary>
    public Task<VersionInfo> AliasAsync(string alias, int version, string by, string? reason) => _versions.AliasAsync(alias, version, by, reason);

    /// <summary>How two versions differ.</summary>
    public Task<VersionDiff> DiffAsync(int from, int to, CancellationToken cancellationToken = default) => _versions.DiffAsync(from, to, cancellationToken);

    /// <summary>Writes a version as a zip of its bundle.</summary>
    public Task ExportAsync(int version, Stream to, CancellationToken cancellationToken = default) => _versions.ExportAsync(version, to, cancellationToken);

    /// <summary>Takes in a bundle (a zip, as exported here or made of a folder that <c>engram run</c> wrote) as a candidate; the gate examines it.</summary>
    public Task<VersionInfo> ImportAsync(Stream from, string by, string? reason, CancellationToken cancellationToken = default) =>
        _versions.ImportAsync(from, by, reason, cancellationToken);

    /// <summary>Pinned examples.</summary>
    public IReadOnlyList<PinnedExample> Examples => _examples.All;

    /// <summary>Pins an example.</summary>
    public Task<PinnedExample> PinExampleAsync(PinExampleRequest request, string by) => _examples.PinAsync(request, by);

    /// <summary>Takes a pinned example away.</summary>
    public Task<bool> UnpinExampleAsync(string id, string by, string? reason = null) => _examples.UnpinAsync(id, by, reason);

    /// <summary>All that is watched.</summary>
    public WatchReport Watch() => _observer.Report();

    /// <summary>Accuracy and forgetting over versions.</summary>
    public AccuracyOverVersions Accuracy() => VersionHistory.Accuracy(_learner.Book.All);

    /// <summary>What happens, from now on (after <paramref name="after"/>, as far as still remembered).</summary>
    public IAsyncEnumerable<LearnerEvent> EventsAsync(long? after, CancellationToken cancellationToken) => _learner.Events.FollowAsync(after, cancellationToken);

    /// <summary>What is stored about a subject.</summary>
    public SubjectExport ExportSubject(string subject) => _subjects.Export(subject);

    /// <summary>Deletes what is stored about a subject and unlearns it.</summary>
    public Task<SubjectDeletion> DeleteSubjectAsync(string subject, string by, string? reason) => _subjects.DeleteAsync(subject, by, reason);

    /// <summary>Does what is due: decides on versions that are tried, learns, lets old things go.</summary>
    internal async Task TendAsync()
    {
        if (Interlocked.Exchange(ref _tending, 1) == 1) return;
        try
        {
            _observer.BringTruth(_trial.Count);
            await _learner.Changing.WaitAsync().ConfigureAwait(false);
            try
            {
                if (await _trial.DecideAsync().ConfigureAwait(false)) _teacher.SkipTo(_learner.Store.LastSequence);
            }
            finally
            {
                _learner.Changing.Release();
            }
            if (_learner.Clock.GetUtcNow() - _pruned >= s_pruneEvery)
            {
                _pruned = _learner.Clock.GetUtcNow();
                await _versions.ChangingAsync(() => Task.FromResult(true)).ConfigureAwait(false);
                _teacher.UnlearnWhatWaits();
            }
            _teacher.Consider();
        }
        finally
        {
            Volatile.Write(ref _tending, 0);
        }
    }

    /// <summary>Remembers what went wrong while it was tended.</summary>
    internal void Failed(Exception problem) => _teacher.LastError = problem.Message;

    /// <summary>Stops learning and serving, and closes the store.</summary>
    internal async Task CloseAsync()
    {
        await _teacher.StopAsync().ConfigureAwait(false);
        await _learner.Changing.WaitAsync().ConfigureAwait(false); // let the change in progress end
        _serving.Dispose();
        _observer.Dispose();
        _teacher.Dispose();
        await _learner.DisposeAsync().ConfigureAwait(false);
    }

    private void Came(IReadOnlyList<FeedbackRequest> items, IReadOnlyList<FeedbackReceipt> receipts)
    {
        _observer.Accepted(receipts.Count);
        _teacher.Came(receipts.Count(receipt => receipt.State == FeedbackState.Accepted));
        for (var i = 0; i < items.Count; i++)
            if (items[i].PredictionId is { } id) _trial.Judged(id, items[i].Label, items[i].Reward);
    }
}
