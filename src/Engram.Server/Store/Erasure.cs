using System.Globalization;
using Dapper;
using Engram.Client;
using Microsoft.Data.Sqlite;

namespace Engram.Server.Store;

/// <summary>How content leaves a learner's file: because its subject was deleted, because it was revoked and unlearnt, or because it is too old.</summary>
internal static class Erasure
{
    private const string Content = """
        kind = 3, input = NULL, label = NULL, reward = NULL, prediction = NULL,
        version = NULL, predicted = NULL, correct = NULL, delay = NULL
        """;

    private const string All = Content + ", subject = NULL, predicted_subject = NULL";

    /// <summary>Deletes a subject: what no version learnt goes at once, the rest stays without its name until no version holds it.</summary>
    /// <param name="connection">In a transaction.</param>
    /// <param name="subject">The subject.</param>
    /// <param name="now">The number of this change.</param>
    /// <param name="cursor">Up to where any kept version has learnt.</param>
    public static SubjectErased DeleteSubject(SqliteConnection connection, string subject, long now, long cursor)
    {
        var predictions = connection.Execute("DELETE FROM predictions WHERE subject = @subject", new { subject });
        var learnt = connection.Execute(
            """
            UPDATE feedback SET revoked = COALESCE(revoked, @now), deleted = 1, subject = NULL, predicted_subject = NULL, prediction = NULL
            WHERE (subject = @subject OR predicted_subject = @subject) AND kind IN (1, 3) AND held = 0 AND ordinal <= @cursor
            """, new { subject, now, cursor });
        var others = connection.Execute(
            $"UPDATE feedback SET {All} WHERE subject = @subject OR predicted_subject = @subject", new { subject });
        var examples = connection.Execute("DELETE FROM examples WHERE subject = @subject", new { subject });
        return new SubjectErased(predictions, learnt + others, examples, learnt > 0);
    }

    /// <summary>Samples of deleted subjects that a version holds, and those whose input is gone.</summary>
    public static (long Samples, long WithoutInput) CountDeleted(SqliteConnection connection, VersionPlace place) =>
        connection.QuerySingle<(long, long)>(
            """
            SELECT COUNT(*), COUNT(*) - COUNT(input) FROM feedback
            WHERE deleted = 1 AND held = 0 AND revoked > @Unlearnt AND ordinal <= @Cursor
            """, place);

    /// <summary>Erases revoked samples that no version holds.</summary>
    /// <returns>How many.</returns>
    public static int ForgetRevoked(SqliteConnection connection, IReadOnlyList<VersionPlace> kept)
    {
        var held = string.Concat(kept.Select(place => string.Create(
            CultureInfo.InvariantCulture, $" AND NOT (ordinal <= {place.Cursor} AND revoked > {place.Unlearnt})")));
        return connection.Execute($"UPDATE feedback SET {All} WHERE revoked IS NOT NULL AND (kind <> 3 OR subject IS NOT NULL OR predicted_subject IS NOT NULL){held}");
    }

    /// <summary>Drops predictions that are older than the policy keeps them, the oldest first.</summary>
    /// <param name="connection">In a transaction.</param>
    /// <param name="policy">The policy.</param>
    /// <param name="now">The time.</param>
    /// <param name="most">At most as many.</param>
    /// <returns>How many.</returns>
    public static int ExpirePredictions(SqliteConnection connection, RetentionPolicy policy, DateTimeOffset now, int most) => connection.Execute(
        "DELETE FROM predictions WHERE rowid IN (SELECT rowid FROM predictions WHERE at < @oldest ORDER BY at LIMIT @most)",
        new { oldest = OldestPrediction(policy, now), most });

    /// <summary>Drops feedback that is older than the policy keeps it.</summary>
    /// <param name="connection">In a transaction.</param>
    /// <param name="policy">The policy.</param>
    /// <param name="cursor">Up to where any kept version has learnt.</param>
    /// <param name="now">The time.</param>
    /// <returns>How many rows.</returns>
    public static int ExpireFeedback(SqliteConnection connection, RetentionPolicy policy, long cursor, DateTimeOffset now)
    {
        var gone = connection.Execute($"UPDATE feedback SET {All} WHERE kind = 0 AND at < @oldest", new { oldest = OldestPrediction(policy, now) });
        if (policy.FeedbackDays is not { } days) return gone;
        var oldest = now.ToUnixTimeMilliseconds() - (long)(days * 86_400_000);
        gone += connection.Execute(
            $"UPDATE feedback SET {Content} WHERE kind = 1 AND held = 0 AND at < @oldest AND ordinal <= @cursor", new { oldest, cursor });
        return gone + connection.Execute($"UPDATE feedback SET {All} WHERE kind IN (1, 2) AND at < @oldest", new { oldest });
    }

    private static long OldestPrediction(RetentionPolicy policy, DateTimeOffset now) =>
        now.ToUnixTimeMilliseconds() - (long)(policy.PredictionHours * 3_600_000);
}
