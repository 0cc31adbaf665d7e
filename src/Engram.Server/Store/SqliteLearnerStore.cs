using System.Text.Json;
using Dapper;
using Engram.Client;
using Microsoft.Data.Sqlite;

namespace Engram.Server.Store;

/// <summary>A learner's store in one SQLite file, with one writer that commits in groups.</summary>
internal sealed class SqliteLearnerStore : ILearnerStore
{
    private const int ExpiredPerTransaction = 10_000;
    private static readonly TimeSpan s_flushEvery = TimeSpan.FromMilliseconds(500);
    private readonly SqliteFile _file;
    private readonly SqliteWriter _writer;
    private readonly FeedbackLog _log;
    private readonly PredictionMemory _predictions;
    private readonly HashSet<string> _awaited; // predictions that feedback waits for; used on the writer's thread
    private readonly HashSet<string> _matched = []; // of these, what the transaction in progress or one that failed found
    private readonly ITimer _flush;
    private readonly int _mostWaiting;
    private readonly TimeProvider _clock;
    private volatile bool _mustScrub; // what was erased may be in the log beside the file yet
    private int _waiting;
    private long _writtenUpTo;
    private long _committed;

    /// <summary>Opens a store.</summary>
    /// <param name="path">Its file.</param>
    /// <param name="mostWaiting">Most feedbacks that may wait to be written.</param>
    /// <param name="mostPredictions">Most predictions that are kept.</param>
    /// <param name="clock">Decides when predictions are written.</param>
    public SqliteLearnerStore(string path, int mostWaiting, int mostPredictions, TimeProvider clock)
    {
        (_mostWaiting, _predictions, _clock) = (mostWaiting, new PredictionMemory(mostPredictions), clock);
        _file = new SqliteFile(path, LearnerSchema.Version1, LearnerSchema.Version2);
        try
        {
            _log = new FeedbackLog(_file, _predictions.Find);
            _committed = _log.Last;
            _awaited = [.. _file.Read(connection => connection.Query<string>("SELECT DISTINCT prediction FROM feedback WHERE kind = 0"))];
        }
        catch
        {
            _file.Close();
            throw;
        }
        _writer = new SqliteWriter(_file, Together, Committed);
        if (_awaited.Count > 0) _ = _writer.Write(MatchKept);
        _flush = clock.CreateTimer(_ => Flush(), null, s_flushEvery, s_flushEvery);
    }

    /// <inheritdoc/>
    public long LastSequence => Interlocked.Read(ref _committed);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<FeedbackReceipt>> AppendAsync(IReadOnlyList<FeedbackEntry> entries, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(entries);
        if (Interlocked.Add(ref _waiting, entries.Count) > _mostWaiting)
        {
            Interlocked.Add(ref _waiting, -entries.Count);
            throw new StoreBusyException();
        }
        var written = _writer.Write<IReadOnlyList<FeedbackReceipt>>(connection =>
        {
            var receipts = new FeedbackReceipt[entries.Count];
            for (var i = 0; i < receipts.Length; i++)
            {
                receipts[i] = _log.Append(connection, entries[i]);
                if (receipts[i].State == FeedbackState.Waiting) _awaited.Add(entries[i].PredictionId!);
            }
            return receipts;
        });
        _ = written.ContinueWith(_ => Interlocked.Add(ref _waiting, -entries.Count), TaskScheduler.Default);
        return await written.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Remember(IReadOnlyList<PredictionRecord> predictions) => _predictions.Add(predictions);

    /// <inheritdoc/>
    public PredictionRecord? FindPrediction(string id) => _file.Read(connection => _predictions.Find(connection, id));

    /// <inheritdoc/>
    public IReadOnlyList<LabelledSample> ReadSamples(long after, long upTo, int limit, bool heldOut) =>
        Samples(
            """
            SELECT ordinal AS sequence, input, label FROM feedback
            WHERE ordinal > @after AND ordinal <= @upTo AND kind = 1 AND held = @held AND (revoked IS NULL OR revoked > @upTo)
            ORDER BY ordinal LIMIT @limit
            """, new { after, upTo, limit, held = heldOut ? 1 : 0 });

    /// <inheritdoc/>
    public IReadOnlyList<LabelledSample> ReadHeldOut(long upTo, int most) => _file.Read(connection =>
    {
        var samples = new List<LabelledSample>();
        const string Next = "SELECT MIN(label) FROM feedback WHERE held = 1 AND kind = 1 AND label > @label";
        for (var label = connection.ExecuteScalar<string?>(Next, new { label = "" }); label is not null; label = connection.ExecuteScalar<string?>(Next, new { label }))
            samples.AddRange(connection.Query<SampleRow>(
                """
                SELECT ordinal AS sequence, input, label FROM feedback
                WHERE held = 1 AND kind = 1 AND label = @label AND ordinal <= @upTo AND (revoked IS NULL OR revoked > @upTo)
                ORDER BY ordinal DESC LIMIT @most
                """, new { label, upTo, most }).Select(row => new LabelledSample(row.Sequence, row.Input, row.Label)));
        return (IReadOnlyList<LabelledSample>)[.. samples.OrderBy(sample => sample.Sequence)];
    });

    /// <inheritdoc/>
    public IReadOnlyList<LabelledSample> ReadRevoked(long upTo, long after, long now) =>
        Samples(
            """
            SELECT ordinal AS sequence, input, label FROM feedback
            WHERE revoked > @after AND revoked <= @now AND ordinal <= @upTo AND kind = 1 AND held = 0
            ORDER BY ordinal
            """, new { upTo, after, now });

    /// <inheritdoc/>
    public FeedbackStatus Status(long after) => _file.Read(connection =>
    {
        var waiting = connection.QuerySingle<StatusRow>(
            "SELECT COUNT(*) AS count, MIN(at) AS oldest FROM feedback WHERE ordinal > @after AND kind = 1 AND held = 0 AND revoked IS NULL",
            new { after });
        return new FeedbackStatus
        {
            LastSequence = LastSequence,
            LearntUpTo = after,
            Waiting = waiting.Count,
            OldestWaiting = waiting.Oldest is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null,
            HeldOut = connection.ExecuteScalar<long>("SELECT COUNT(*) FROM feedback WHERE held = 1 AND kind = 1 AND revoked IS NULL"),
            WithoutPrediction = connection.ExecuteScalar<long>("SELECT COUNT(*) FROM feedback WHERE kind = 0"),
        };
    });

    /// <inheritdoc/>
    public IReadOnlyList<LivePerformance> Performance(int versions) => _file.Read(connection =>
        PerVersion(connection, "GROUP BY version ORDER BY version DESC LIMIT @versions", new { versions }));

    /// <inheritdoc/>
    public IReadOnlyList<LivePerformance> PerformanceSince(int version) => _file.Read(connection =>
        PerVersion(connection, $"""
            AND ordinal >= (SELECT MIN(ordinal) FROM feedback WHERE version = @version AND {FeedbackLog.Judged}) GROUP BY version
            """, new { version }));

    /// <inheritdoc/>
    public LivePerformance? LastPerformance(int version, int limit) => _file.Read(connection =>
        connection.Query<(long Labelled, double? Accuracy)>(
            $"""
            SELECT COUNT(*), AVG(correct) FROM (
              SELECT correct FROM feedback WHERE version = @version AND {FeedbackLog.Judged} ORDER BY ordinal DESC LIMIT @limit)
            """, new { version, limit })
            .Where(row => row.Labelled > 0).Select(row => new LivePerformance(version, row.Labelled, row.Accuracy)).SingleOrDefault());

    /// <inheritdoc/>
    public IReadOnlyList<JudgedInput> ReadJudgedInputs(int version, DateTimeOffset since, int limit) => _file.Read(connection =>
        connection.Query<(byte[] Input, string? Label, long Correct)>(
            $"""
            SELECT input, CASE WHEN reward IS NULL THEN label END, correct FROM feedback
            WHERE version = @version AND at >= @at AND {FeedbackLog.Judged} ORDER BY ordinal LIMIT @limit
            """, new { version, at = since.ToUnixTimeMilliseconds(), limit })
            .Select(row => new JudgedInput(row.Input, row.Label, row.Correct == 1)).ToList());

    /// <inheritdoc/>
    public IReadOnlyList<JudgedPrediction> ReadJudged(long after, int limit) => _file.Read(connection =>
        connection.Query<JudgedRow>(
            $"""
            SELECT ordinal, version, predicted, correct, label, delay FROM feedback
            WHERE ordinal > @after AND ordinal <= @LastSequence AND version IS NOT NULL AND {FeedbackLog.Judged}
            ORDER BY ordinal LIMIT @limit
            """, new { after, LastSequence, limit })
            .Select(row => new JudgedPrediction(row.Ordinal, (int)row.Version, row.Predicted, row.Correct == 1, row.Label, row.Delay)).ToList());

    /// <inheritdoc/>
    public SubjectRows ReadSubject(string subject) => _file.Read(connection =>
    {
        var predictions = connection.Query<PredictionRow>("SELECT * FROM predictions WHERE subject = @subject ORDER BY at", new { subject })
            .Select(row => row.Record).UnionBy(_predictions.OfSubject(subject), record => record.Id).ToList();
        var feedback = connection.Query<SubjectRow>(
            """
            SELECT sequence, at, label, reward, input, CASE WHEN kind IN (1, 3) AND held = 0 THEN ordinal END AS place FROM feedback
            WHERE subject = @subject OR predicted_subject = @subject ORDER BY sequence
            """, new { subject })
            .Select(row => new FeedbackRow(row.Sequence, DateTimeOffset.FromUnixTimeMilliseconds(row.At), row.Label, row.Reward, row.Input, row.Place)).ToList();
        return new SubjectRows(predictions, feedback, Examples(connection, "WHERE subject = @subject", new { subject }));
    });

    /// <inheritdoc/>
    public async Task<SubjectErased> DeleteSubjectAsync(string subject, long cursor)
    {
        await WritePredictionsAsync().ConfigureAwait(false);
        var deleted = await _writer.Write(connection => Erasure.DeleteSubject(connection, subject, _log.Next(), cursor)).ConfigureAwait(false);
        Scrub();
        return deleted;
    }

    /// <inheritdoc/>
    public (long Samples, long WithoutInput) CountDeleted(VersionPlace place) => _file.Read(connection => Erasure.CountDeleted(connection, place));

    /// <inheritdoc/>
    public async Task ForgetRevokedAsync(IReadOnlyList<VersionPlace> kept)
    {
        if (await _writer.Write(connection => Erasure.ForgetRevoked(connection, kept)).ConfigureAwait(false) > 0) Scrub();
    }

    /// <inheritdoc/>
    public async Task<(long Predictions, long Feedback)> ExpireAsync(RetentionPolicy policy, long cursor)
    {
        ArgumentNullException.ThrowIfNull(policy);
        var now = _clock.GetUtcNow();
        var (predictions, feedback) = (0L, await _writer.Write(connection => Erasure.ExpireFeedback(connection, policy, cursor, now)).ConfigureAwait(false));
        // In portions, between which feedback that waits to be acknowledged has its turn.
        int some;
        do
        {
            some = await _writer.Write(connection => Erasure.ExpirePredictions(connection, policy, now, ExpiredPerTransaction)).ConfigureAwait(false);
            predictions += some;
        }
        while (some == ExpiredPerTransaction);
        if (predictions + feedback > 0) Scrub();
        return (predictions, feedback);
    }

    /// <inheritdoc/>
    public IReadOnlyList<VersionInfo> ReadVersions() => _file.Read(connection =>
    {
        var aliases = connection.Query<(string Alias, long Version)>("SELECT alias, version FROM aliases ORDER BY alias")
            .ToLookup(row => (int)row.Version, row => row.Alias);
        return connection.Query<string>("SELECT info FROM versions ORDER BY version")
            .Select(json => JsonSerializer.Deserialize(json, EngramJson.Default.VersionInfo)!)
            .Select(version => version with { Aliases = [.. aliases[version.Version]] }).ToList();
    });

    /// <inheritdoc/>
    public Task WriteVersionAsync(VersionInfo version) => _writer.Write(connection => Write(connection, version));

    /// <inheritdoc/>
    public Task WriteAliasAsync(string alias, int? version, IReadOnlyList<VersionInfo> changed) => _writer.Write(connection =>
    {
        if (version is null) connection.Execute("DELETE FROM aliases WHERE alias = @alias", new { alias });
        else connection.Execute("INSERT OR REPLACE INTO aliases VALUES (@alias, @version)", new { alias, version });
        foreach (var one in changed) Write(connection, one);
    });

    /// <inheritdoc/>
    public Task DeleteVersionAsync(int version) => _writer.Write(connection =>
    {
        connection.Execute(
            """
            DELETE FROM aliases WHERE version = @version;
            DELETE FROM versions WHERE version = @version;
            UPDATE counter SET version = MAX(version, @version);
            """, new { version });
    });

    /// <inheritdoc/>
    public int LastForgotten => _file.Read(connection => connection.ExecuteScalar<int>("SELECT version FROM counter"));

    /// <inheritdoc/>
    public IReadOnlyList<StoredExample> ReadExamples() => _file.Read(connection => Examples(connection));

    /// <inheritdoc/>
    public Task WriteExampleAsync(StoredExample example) => _writer.Write(connection =>
    {
        connection.Execute(
            "INSERT OR REPLACE INTO examples VALUES (@Id, @Input, @Label, @added, @Subject)",
            new { example.Id, example.Input, example.Label, added = example.Added.ToUnixTimeMilliseconds(), example.Subject });
    });

    /// <inheritdoc/>
    public Task<bool> DeleteExampleAsync(string id) =>
        _writer.Write(connection => connection.Execute("DELETE FROM examples WHERE id = @id", new { id }) > 0);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _flush.DisposeAsync().ConfigureAwait(false);
        await WritePredictionsAsync().ConfigureAwait(false);
        await _writer.DisposeAsync().ConfigureAwait(false);
        _file.Close();
    }

    private static void Write(SqliteConnection connection, VersionInfo version) =>
        connection.Execute(
            "INSERT OR REPLACE INTO versions VALUES (@Version, @info)",
            new { version.Version, info = JsonSerializer.Serialize(version with { Aliases = [] }, EngramJson.Default.VersionInfo) });

    // Takes part in every transaction: predictions that came, feedback that waited for them, and the counter.
    private void Together(SqliteConnection connection)
    {
        foreach (var prediction in _predictions.Write(connection))
            if (_awaited.Contains(prediction.Id))
            {
                _log.Match(connection, prediction);
                _matched.Add(prediction.Id);
            }
        _log.WriteCounter(connection);
        _writtenUpTo = _log.Last;
    }

    // Feedback that waits although its prediction is there.
    private void MatchKept(SqliteConnection connection)
    {
        foreach (var row in connection.Query<PredictionRow>("SELECT * FROM predictions WHERE id IN (SELECT prediction FROM feedback WHERE kind = 0)").ToList())
        {
            _log.Match(connection, row.Record);
            _matched.Add(row.Id);
        }
    }

    private void Committed()
    {
        _awaited.ExceptWith(_matched);
        _matched.Clear();
        _predictions.Committed();
        Interlocked.Exchange(ref _committed, _writtenUpTo);
    }

    // What was erased is erased; that the log cannot be emptied now is no reason to say that it failed.
    private void Scrub()
    {
        try
        {
            _mustScrub = !_file.Scrub();
        }
        catch (Exception problem) when (problem is IOException or InvalidDataException)
        {
            _mustScrub = true;
        }
    }

    private void Flush()
    {
        if (_mustScrub) Scrub();
        if (_predictions.HasUnwritten) _ = _writer.Write(static _ => { });
    }

    private async Task WritePredictionsAsync()
    {
        while (_predictions.HasUnwritten) await _writer.Write(static _ => { }).ConfigureAwait(false);
    }

    private static List<LivePerformance> PerVersion(SqliteConnection connection, string which, object parameters) =>
        connection.Query<(long Version, long Labelled, double Accuracy)>(
            $"SELECT version, COUNT(*), AVG(correct) FROM feedback WHERE version IS NOT NULL AND {FeedbackLog.Judged} {which}", parameters)
            .Select(row => new LivePerformance((int)row.Version, row.Labelled, row.Accuracy)).ToList();

    private static List<StoredExample> Examples(SqliteConnection connection, string which = "", object? parameters = null) =>
        connection.Query<ExampleRow>($"SELECT id, input, label, added, subject FROM examples {which} ORDER BY added, id", parameters)
            .Select(row => new StoredExample(row.Id, row.Input, row.Label, DateTimeOffset.FromUnixTimeMilliseconds(row.Added), row.Subject)).ToList();

    private List<LabelledSample> Samples(string sql, object parameters) => _file.Read(connection =>
        connection.Query<SampleRow>(sql, parameters).Select(row => new LabelledSample(row.Sequence, row.Input, row.Label)).ToList());

    private sealed record StatusRow
    {
        public long Count { get; init; }
        public long? Oldest { get; init; }
    }

    private sealed record SampleRow
    {
        public long Sequence { get; init; }
        public required byte[] Input { get; init; }
        public required string Label { get; init; }
    }

    private sealed record JudgedRow
    {
        public long Ordinal { get; init; }
        public long Version { get; init; }
        public required string Predicted { get; init; }
        public long Correct { get; init; }
        public string? Label { get; init; }
        public double Delay { get; init; }
    }

    private sealed record SubjectRow
    {
        public long Sequence { get; init; }
        public long At { get; init; }
        public string? Label { get; init; }
        public double? Reward { get; init; }
        public byte[]? Input { get; init; }
        public long? Place { get; init; }
    }

    private sealed record ExampleRow
    {
        public required string Id { get; init; }
        public required byte[] Input { get; init; }
        public required string Label { get; init; }
        public long Added { get; init; }
        public string? Subject { get; init; }
    }
}
