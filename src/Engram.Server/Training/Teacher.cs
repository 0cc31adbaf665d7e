using Engram.Client;
using Engram.Server.Telemetry;
using Engram.Server.Versions;

namespace Engram.Server.Training;

/// <summary>Decides when a learner learns, has it done on the trainer's thread, and sees that what was made is decided upon.</summary>
internal sealed class Teacher : IDisposable
{
    private readonly LearnerContext _learner;
    private readonly LearningPolicy _policy;
    private readonly Trainer _trainer;
    private readonly CandidateMaker _maker;
    private readonly VersionKeeper _keeper;
    private readonly Pruning _pruning;
    private readonly CancellationTokenSource _gone = new();
    private CancellationTokenSource _stop = new();
    private long _attempted; // automatic learning waits for feedback after this
    private int? _attemptedFrom; // as long as this version is published
    private (int? From, long Cursor) _lesson = (null, -1); // what was learnt last
    private long _sinceLast; // feedbacks that came since it was last looked whether to learn
    private Task _running = Task.CompletedTask; // what is done on the trainer's thread now, or was last
    private int _queued;
    private int _considering;

    public Teacher(LearnerContext learner, Trainer trainer, CandidateMaker maker, VersionKeeper keeper, Pruning pruning, bool paused)
    {
        (_learner, _policy, _trainer, _maker, _keeper, _pruning) = (learner, learner.Specification.Learning, trainer, maker, keeper, pruning);
        Paused = paused;
        _attemptedFrom = learner.Book.Champion?.Version;
        _attempted = learner.Book.All.Where(version => version.State != VersionState.Retired).Select(version => version.Cursor).DefaultIfEmpty(0).Max();
    }

    /// <summary>Whether something drifts, where that is a reason to learn.</summary>
    public Func<bool>? Drifts { get; set; }

    /// <summary>Told of each candidate when it was decided upon, and of none when learning failed.</summary>
    public Action<VersionInfo?>? Learnt { get; set; }

    /// <summary>Whether it learns nothing until resumed.</summary>
    public bool Paused { get; private set; }

    /// <summary>What it does now.</summary>
    public LearnerActivity Activity { get => Paused && field == LearnerActivity.Idle ? LearnerActivity.Paused : field; private set; }

    /// <summary>How far it is with that.</summary>
    public double? Progress { get; private set; }

    /// <summary>Why it failed last; null when it did not.</summary>
    public string? LastError { get; set => field = value is null ? null : _learner.Tellable(value); }

    /// <summary>Up to where any version, or the one being made, has learnt. Only under <see cref="LearnerContext.Changing"/>.</summary>
    public long FurthestCursor => Math.Max(_learner.Book.FurthestCursor, _learner.Reading);

    /// <summary>Told that feedback came.</summary>
    public void Came(int count)
    {
        if (_policy.EverySamples > 0 && Interlocked.Add(ref _sinceLast, count) >= _policy.EverySamples) Task.Run(Consider);
    }

    /// <summary>Learns if it is time to.</summary>
    public void Consider()
    {
        if (Interlocked.Exchange(ref _considering, 1) == 1) return;
        try
        {
            if (Due() is { } trigger) Observe(LearnAsync(trigger));
        }
        finally
        {
            Volatile.Write(ref _considering, 0);
        }
    }

    /// <summary>Learns what waits, after what is being learnt already; only a pause or the learner's end ends that.</summary>
    /// <param name="trigger">Why; <c>unlearn</c> unlearns only, and no pause ends it.</param>
    /// <returns>The candidate as it was decided upon; null when nothing waited.</returns>
    public async Task<VersionInfo?> LearnAsync(string trigger)
    {
        Interlocked.Increment(ref _queued);
        try
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(_gone.Token, trigger == "unlearn" ? CancellationToken.None : _stop.Token);
            return await RunAsync(token => Learn(trigger, token), either.Token).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _queued);
            if (trigger == "count") _ = Task.Run(Consider, CancellationToken.None);
        }
    }

    /// <summary>Unlearns what was deleted while nobody could.</summary>
    public void UnlearnWhatWaits()
    {
        if (HoldsDeleted) Observe(LearnAsync("unlearn"));
    }

    /// <summary>Has a bundle examined and decided upon.</summary>
    public async Task<VersionInfo> TakeInAsync(string making, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _gone.Token);
        return await RunAsync(token => Decide(_maker.TakeIn(making, token), null), either.Token).ConfigureAwait(false);
    }

    /// <summary>Learns nothing until resumed; what is being learnt is given up.</summary>
    public void Pause()
    {
        Paused = true;
        _stop.Cancel();
    }

    /// <summary>Learns again.</summary>
    public void Resume()
    {
        if (!Paused) return;
        _stop.Dispose();
        _stop = new CancellationTokenSource();
        Paused = false;
        LearnAgain(); // what waited through the pause, or was given back by a roll-back, is learnt
        _ = Task.Run(Consider);
    }

    /// <summary>Lets what waits be learnt again: versions that had learnt it are gone, or learning it was given up.</summary>
    public void LearnAgain() => (_attempted, _lesson) = (0, (null, -1));

    /// <summary>Lets nothing be learnt again before this much has come.</summary>
    public void SkipTo(long sequence)
    {
        var champion = _learner.Book.Champion?.Version;
        Volatile.Write(ref _attempted, champion == _attemptedFrom ? Math.Max(_attempted, sequence) : sequence);
        _attemptedFrom = champion;
    }

    /// <summary>Gives up what is being learnt, and completes when it is given up; what other learners learn is not waited for.</summary>
    public async Task StopAsync()
    {
        await _gone.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Dispose();
        _gone.Dispose();
    }

    // On the trainer's thread. Whoever stops this learner sees it running, or it sees that it was stopped.
    private Task<T> RunAsync<T>(Func<CancellationToken, T> job, CancellationToken cancellationToken) => _trainer.RunAsync(
        token =>
        {
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Volatile.Write(ref _running, done.Task);
            Interlocked.MemoryBarrier();
            try
            {
                token.ThrowIfCancellationRequested();
                return job(token);
            }
            finally
            {
                done.SetResult();
            }
        }, cancellationToken);

    private string? Due()
    {
        if (Paused || _gone.IsCancellationRequested || Volatile.Read(ref _queued) > 0 || _policy is { EverySamples: 0, EverySeconds: 0, OnDrift: false }) return null;
        // One that is being tried is decided upon first.
        if (_learner.Book.All.Any(version => version.State is VersionState.Shadow or VersionState.Canary)) return null;
        var champion = _learner.Book.Champion;
        var status = _learner.Store.Status(Math.Max(champion?.Cursor ?? 0, champion?.Version == _attemptedFrom ? Volatile.Read(ref _attempted) : 0));
        Interlocked.Exchange(ref _sinceLast, status.Waiting);
        if (status.Waiting == 0) return null;
        return _policy.EverySamples > 0 && status.Waiting >= _policy.EverySamples ? "count"
            : _policy.EverySeconds > 0 && status.OldestWaiting is { } oldest && _learner.Clock.GetUtcNow() - oldest >= TimeSpan.FromSeconds(_policy.EverySeconds) ? "time"
            : _policy.OnDrift && Drifts?.Invoke() == true ? "drift" : null;
    }

    private bool HoldsDeleted => _learner.Book.Champion is { } champion && _learner.Remains.HeldBy(champion);

    private VersionInfo? Learn(string trigger, CancellationToken cancellationToken)
    {
        try
        {
            if (trigger == "unlearn" && !HoldsDeleted) return null;
            var lesson = Read(trigger == "unlearn");
            var same = (lesson.From?.Version, lesson.Cursor) == _lesson && lesson.Revoked.Count == 0;
            // Of what waits only so much is learnt at a time: the same lesson again would come to the same end, until more can be learnt or asked for.
            SkipTo(same ? _learner.Store.LastSequence : lesson.Cursor);
            if (lesson.IsEmpty || (same && trigger is "count" or "time" or "drift")) return null;
            _lesson = (lesson.From?.Version, lesson.Cursor);
            using var span = ServerActivities.Learning(_learner.Specification.Name, trigger, lesson.Samples.Count);
            Activity = LearnerActivity.Learning;
            Progress = 0;
            _learner.Events.Tell("learning", $"{lesson.Samples.Count} samples, {lesson.Revoked.Count} to unlearn ({trigger})");
            var candidate = _maker.Make(lesson, trigger, Report, cancellationToken);
            LastError = null;
            return candidate is null ? Withdraw() : Decide(candidate, lesson.From);
        }
        catch (OperationCanceledException)
        {
            LearnAgain(); // nothing came of it, so it is due as before
            throw;
        }
        catch (Exception problem)
        {
            // Messages of our own say what to do; others tell of the inside, and belong into the log.
            LastError = problem is ServiceException or InvalidDataException or ArgumentException or IOException ? problem.Message : "it failed; the service's log says why";
            _learner.Events.Tell("failed", LastError, problem: problem);
            Learnt?.Invoke(null);
            throw new ConflictException("learner", $"learner: {_learner.Specification.Name} could not learn ({LastError})");
        }
        finally
        {
            (Activity, Progress, _learner.Reading) = (LearnerActivity.Idle, null, 0);
        }
    }

    private Lesson Read(bool unlearnOnly)
    {
        _learner.Changing.Wait();
        try
        {
            var champion = _learner.Book.Champion;
            var unlearnt = champion is null ? 0 : VersionFile.Read(_learner.Folders.PathOf(champion.Version))?.Unlearnt ?? champion.Cursor;
            _learner.Reading = _learner.Store.LastSequence;
            return Lesson.Read(_learner.Store, champion, unlearnt, unlearnOnly ? 0 : _policy.MaxSamples);
        }
        finally
        {
            _learner.Changing.Release();
        }
    }

    private VersionInfo Decide(Candidate candidate, VersionInfo? from)
    {
        _learner.Changing.Wait();
        try
        {
            var decided = _keeper.DecideAsync(candidate, from).GetAwaiter().GetResult();
            _pruning.RunAsync().GetAwaiter().GetResult();
            Learnt?.Invoke(decided);
            return decided;
        }
        finally
        {
            _learner.Changing.Release();
        }
    }

    private VersionInfo? Withdraw()
    {
        _learner.Changing.Wait();
        try
        {
            _keeper.WithdrawAsync(LearnerContext.Service, "nothing that was learnt is left").GetAwaiter().GetResult();
            _pruning.RunAsync().GetAwaiter().GetResult();
            return null;
        }
        finally
        {
            _learner.Changing.Release();
        }
    }

    private void Report(double done, bool examining)
    {
        (Activity, Progress) = (examining ? LearnerActivity.Examining : LearnerActivity.Learning, done);
        _learner.Events.Tell("progress", examining ? "examining" : "learning", progress: done);
    }

    // A failure is in LastError and was told already.
    private static void Observe(Task learning) =>
        learning.ContinueWith(done => _ = done.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
}
