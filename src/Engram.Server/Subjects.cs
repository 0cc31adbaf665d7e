using Engram.Client;
using Engram.Server.Store;
using Engram.Server.Training;
using Engram.Server.Versions;

namespace Engram.Server;

/// <summary>What is stored about a subject, and how it goes.</summary>
internal sealed class Subjects(LearnerContext learner, Teacher teacher, Pruning pruning)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    /// <summary>What is stored.</summary>
    public SubjectExport Export(string subject)
    {
        Check(subject);
        var stored = learner.Store.ReadSubject(subject);
        var cursor = learner.Book.Champion?.Cursor ?? 0;
        return new SubjectExport
        {
            Subject = subject,
            Predictions = [.. stored.Predictions.Select(one => new StoredPrediction(one.Id, one.At, one.Version, one.Label, learner.Encoder.Unpack(one.Input)))],
            Feedback = [.. stored.Feedback.Select(one => new StoredFeedback(
                one.Sequence, one.At, one.Label, one.Reward, one.Input is null ? null : learner.Encoder.Unpack(one.Input), one.Place <= cursor))],
            Examples = [.. stored.Examples.Select(one => new SubjectExample(one.Id, one.Added, one.Label, learner.Encoder.Unpack(one.Input)))],
        };
    }

    /// <summary>
    /// Deletes it at once, and has it unlearnt: closed forms subtract it, networks are trained anew without it. Other versions that hold it
    /// are let go, unless somebody keeps them.
    /// </summary>
    public async Task<SubjectDeletion> DeleteAsync(string subject, string by, string? reason)
    {
        Check(subject);
        SubjectErased deleted;
        await learner.Changing.WaitAsync().ConfigureAwait(false);
        try
        {
            deleted = await learner.Store.DeleteSubjectAsync(subject, teacher.FurthestCursor).ConfigureAwait(false);
            if (deleted.Learnt && await pruning.RunAsync().ConfigureAwait(false)) teacher.LearnAgain();
        }
        finally
        {
            learner.Changing.Release();
        }
        // Whom it was about is not written down again.
        await learner.AuditAsync(by, "subject.delete", $"{deleted.Predictions} predictions, {deleted.Feedback} feedbacks, {deleted.Examples} examples", reason).ConfigureAwait(false);
        if (!deleted.Learnt) return new SubjectDeletion(deleted.Predictions, deleted.Feedback, deleted.Examples, "none", learner.Remains.Versions);
        var unlearning = teacher.LearnAsync("unlearn");
        if (learner.Recipe.IsClosedForm)
            try
            {
                await unlearning.WaitAsync(s_patience, learner.Clock).ConfigureAwait(false);
            }
            catch (Exception problem) when (problem is TimeoutException or ConflictException)
            {
                // It goes on, or is told as the learner's last error and tried again within the hour.
            }
        var held = learner.Remains.Versions;
        var done = held.Count == 0 && learner.Reading == 0;
        return new SubjectDeletion(deleted.Predictions, deleted.Feedback, deleted.Examples, done ? "done" : "started", held);
    }

    /// <summary>Whether a subject is one.</summary>
    /// <exception cref="InputException">It is not.</exception>
    public static void Check(string subject)
    {
        if (string.IsNullOrEmpty(subject) || subject.Length > 256)
            throw new InputException("subject", $"subject: {subject?.Length ?? 0} characters, expected 1 to 256");
    }
}
