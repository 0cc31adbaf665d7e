using Dapper;
using Engram.Client;
using Microsoft.Data.Sqlite;

namespace Engram.Server.Store;

/// <summary>How feedback enters a learner's file: one row each, in transactions of <see cref="SqliteWriter"/>, on its thread.</summary>
internal sealed class FeedbackLog(SqliteFile file, Func<SqliteConnection, string, PredictionRecord?> findPrediction)
{
    /// <summary>The condition on a row of feedback that judges a prediction and stands, in the words of the index feedback_judged.</summary>
    public const string Judged = "kind IN (1, 2) AND revoked IS NULL";

    private long _last = ReadCounter(file);

    /// <summary>The last number given, on disk or not.</summary>
    public long Last => Volatile.Read(ref _last);

    /// <summary>Stores one feedback.</summary>
    public FeedbackReceipt Append(SqliteConnection connection, FeedbackEntry entry)
    {
        if (entry.IdempotencyKey is { } key
            && connection.QueryFirstOrDefault<long?>("SELECT sequence FROM feedback WHERE key = @key", new { key }) is { } known)
            return new FeedbackReceipt(known, FeedbackState.Duplicate);

        var sequence = Next();
        if (entry.PredictionId is null)
        {
            Insert(connection, sequence, entry, FeedbackKind.Sample, entry.Input, entry.Label, entry.Subject, FeedbackRules.IsHeldOut(sequence, entry.HoldOut), null);
            return new FeedbackReceipt(sequence, FeedbackState.Accepted);
        }
        if (findPrediction(connection, entry.PredictionId) is { } prediction) return Judge(connection, sequence, entry, prediction);
        Insert(connection, sequence, entry, FeedbackKind.Waiting, null, entry.Label, entry.Subject, FeedbackRules.IsHeldOut(sequence, entry.HoldOut), null);
        return new FeedbackReceipt(sequence, FeedbackState.Waiting);
    }

    /// <summary>Feedback that waited for a prediction becomes what it is, in the order it came.</summary>
    public void Match(SqliteConnection connection, PredictionRecord prediction)
    {
        var waiting = connection.Query<WaitingRow>(
            "SELECT sequence, at, observed, label, reward, subject, key, held FROM feedback WHERE prediction = @Id AND kind = 0 ORDER BY sequence",
            new { prediction.Id }).ToList();
        foreach (var row in waiting)
        {
            connection.Execute("DELETE FROM feedback WHERE sequence = @sequence", new { sequence = row.Sequence });
            Judge(connection, row.Sequence, row.Entry(prediction.Id), prediction, ordinal: Next(), held: row.Held == 1);
        }
    }

    /// <summary>Numbers given are on disk with what they were given to.</summary>
    public void WriteCounter(SqliteConnection connection) => connection.Execute("UPDATE counter SET last = @Last", new { Last });

    /// <summary>A number for a change.</summary>
    public long Next() => Interlocked.Increment(ref _last);

    private static long ReadCounter(SqliteFile file)
    {
        using var connection = file.Connect();
        return connection.ExecuteScalar<long>("SELECT last FROM counter");
    }

    private static FeedbackReceipt Judge(
        SqliteConnection connection, long sequence, FeedbackEntry entry, PredictionRecord prediction, long? ordinal = null, bool? held = null)
    {
        var (kind, label) = FeedbackRules.Truth(entry, prediction);
        if (Standing(connection, prediction.Id) is { } standing)
        {
            if (FeedbackRules.Replaces(standing, entry, kind, label))
            {
                connection.Execute(
                    "UPDATE feedback SET revoked = @now WHERE sequence = @Sequence", new { now = ordinal ?? sequence, standing.Sequence });
                held = standing.Held;
            }
            else
            {
                if (entry.IdempotencyKey is not null)
                    Insert(connection, sequence, entry, FeedbackKind.Erased, null, null, null, false, null, ordinal);
                if (FeedbackRules.Confirms(standing, entry, label))
                    connection.Execute("UPDATE feedback SET observed = @at WHERE sequence = @Sequence", new { at = Milliseconds(entry.ObservedAt), standing.Sequence });
                return new FeedbackReceipt(standing.Sequence, FeedbackState.Duplicate);
            }
        }
        var judgement = new JudgedPrediction(
            sequence, prediction.Version, prediction.Label, label is not null && label == prediction.Label, label,
            Math.Max(0, ((entry.ObservedAt ?? entry.At) - prediction.At).TotalSeconds));
        Insert(
            connection, sequence, entry, kind, prediction.Input, label, entry.Subject ?? prediction.Subject,
            held ?? FeedbackRules.IsHeldOut(sequence, entry.HoldOut), judgement, ordinal, entry.Subject is null ? null : prediction.Subject);
        return new FeedbackReceipt(sequence, FeedbackState.Accepted);
    }

    private static StandingTruth? Standing(SqliteConnection connection, string prediction) => connection.QueryFirstOrDefault<StandingRow>(
        $"""
        SELECT sequence, kind, held, label, reward, observed FROM feedback
        WHERE prediction = @prediction AND {Judged} ORDER BY ordinal DESC LIMIT 1
        """, new { prediction })?.Truth;

    private static long? Milliseconds(DateTimeOffset? at) => at?.ToUnixTimeMilliseconds();

    private static void Insert(
        SqliteConnection connection, long sequence, FeedbackEntry entry, FeedbackKind kind, byte[]? input, string? label, string? subject,
        bool held, JudgedPrediction? judgement, long? ordinal = null, string? predictedSubject = null) =>
        connection.Execute(
            """
            INSERT INTO feedback(sequence, ordinal, kind, held, at, observed, prediction, input, label, reward, subject, predicted_subject, key, version, predicted, correct, delay)
            VALUES (
              @sequence, @ordinal, @kind, @held, @at, @observed, @prediction, @input, @label, @reward, @subject, @predictedSubject, @key, @version, @predicted,
              @correct, @delay)
            """,
            new
            {
                sequence,
                ordinal = ordinal ?? sequence,
                kind = (int)kind,
                held = held ? 1 : 0,
                at = entry.At.ToUnixTimeMilliseconds(),
                observed = Milliseconds(entry.ObservedAt),
                prediction = kind == FeedbackKind.Erased ? null : entry.PredictionId,
                input,
                label,
                reward = entry.Reward,
                subject,
                predictedSubject,
                key = entry.IdempotencyKey,
                version = judgement?.Version,
                predicted = judgement?.Predicted,
                correct = judgement is null ? (int?)null : judgement.Right ? 1 : 0,
                delay = judgement?.DelaySeconds,
            });

    private sealed record StandingRow
    {
        public long Sequence { get; init; }
        public long Kind { get; init; }
        public long Held { get; init; }
        public string? Label { get; init; }
        public double? Reward { get; init; }
        public long? Observed { get; init; }

        public StandingTruth Truth => new(
            Sequence, (FeedbackKind)Kind, Held == 1, Label, Reward is not null, Observed is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null);
    }

    private sealed record WaitingRow
    {
        public long Sequence { get; init; }
        public long At { get; init; }
        public long? Observed { get; init; }
        public string? Label { get; init; }
        public double? Reward { get; init; }
        public string? Subject { get; init; }
        public string? Key { get; init; }
        public long Held { get; init; }

        public FeedbackEntry Entry(string predictionId) => new()
        {
            At = DateTimeOffset.FromUnixTimeMilliseconds(At),
            ObservedAt = Observed is { } observed ? DateTimeOffset.FromUnixTimeMilliseconds(observed) : null,
            PredictionId = predictionId,
            Label = Label,
            Reward = Reward,
            Subject = Subject,
            IdempotencyKey = Key,
        };
    }
}
