using Engram.Client;
using Engram.Server.Training;

namespace Engram.Server;

/// <summary>What is stored about a subject, and how it goes.</summary>
internal sealed class Subjects(LearnerContext learner, Teacher teacher)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    /// <summary>What is stored.</summary>
    public SubjectExport Export(string subject)
    {
        Check(subject);
        var (predictions, feedback) = learner.Store.ReadSubject(subject);
        var cursor = learner.Book.Champion?.Cursor ?? 0;
        return new SubjectExport
        {
            Subject = subject,
            Predictions = [.. predictions.Select(one => new StoredPrediction(one.Id, one.At, one.Version, one.Label, learner.Encoder.Unpack(one.Input)))],
            Feedback = [.. feedback.Select(one => new StoredFeedback(
                one.Sequence, one.At, one.Label, one.Reward, one.Input is null ? null : learner.Encoder.Unpack(one.Input), one.Sequence <= cursor))],
        };
    }

    /// <summary>
    /// Deletes it at once, and has it unlearnt: closed forms subtract it, networks are trained anew without it. Versions made before are
    /// let go, unless pinned: they hold it still.
    /// </summary>
    public async Task<SubjectDeletion> DeleteAsync(string subject, string by, string? reason)
    {
        Check(subject);
        (long Predictions, long Feedback, bool Learnt) deleted;
        await learner.Changing.WaitAsync().ConfigureAwait(false);
        try
        {
            deleted = await learner.Store.DeleteSubjectAsync(subject, teacher.FurthestCursor).ConfigureAwait(false);
        }
        finally
        {
            learner.Changing.Release();
        }
        // Whom it was about is not written down again.
        await learner.AuditAsync(by, "subject.delete", $"{deleted.Predictions} predictions, {deleted.Feedback} feedbacks", reason).ConfigureAwait(false);
        if (!deleted.Learnt) return new SubjectDeletion(deleted.Predictions, deleted.Feedback, "none");
        var unlearning = teacher.LearnAsync("unlearn", CancellationToken.None);
        var done = false;
        if (learner.Recipe.IsClosedForm)
            try
            {
                await unlearning.WaitAsync(s_patience, learner.Clock).ConfigureAwait(false);
                done = true;
            }
            catch (Exception problem) when (problem is TimeoutException or ConflictException)
            {
                // It goes on, or is told as the learner's last error and tried again when the service starts.
            }
        return new SubjectDeletion(deleted.Predictions, deleted.Feedback, done ? "done" : "started");
    }

    private static void Check(string subject)
    {
        if (string.IsNullOrEmpty(subject) || subject.Length > 256)
            throw new InputException("subject", $"subject: {subject?.Length ?? 0} characters, expected 1 to 256");
    }
}
