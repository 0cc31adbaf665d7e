using Engram.Client;

namespace Engram.Server.Store;

/// <summary>
/// What a learner must not lose: its feedback, in the order it came; the predictions that feedback may still ask for; its
/// versions, aliases and pinned examples. One writer and any number of readers.
/// </summary>
/// <remarks>
/// The seam for other engines: nothing here is particular to SQLite. A task of <see cref="AppendAsync"/> completes when its
/// feedback is on disk, together with that of others that came at the same time; never before. Sequence numbers start at 1,
/// grow, and may have gaps.
/// </remarks>
public interface ILearnerStore : IAsyncDisposable
{
    /// <summary>The last sequence number given; 0 before the first.</summary>
    long LastSequence { get; }

    /// <summary>Stores feedbacks, all or none.</summary>
    /// <param name="entries">The feedbacks.</param>
    /// <param name="cancellationToken">Stops waiting; what was taken in is stored nevertheless.</param>
    /// <returns>Receipts in order, once all are on disk.</returns>
    /// <exception cref="IOException">The disk is full or cannot be written; none was stored.</exception>
    /// <exception cref="StoreBusyException">More is waiting to be written than the store takes in.</exception>
    Task<IReadOnlyList<FeedbackReceipt>> AppendAsync(IReadOnlyList<FeedbackEntry> entries, CancellationToken cancellationToken);

    /// <summary>
    /// Keeps predictions for feedback to come; on disk within a second, known to <see cref="FindPrediction"/> at once. Beyond as many as the store was
    /// opened to keep, the oldest go.
    /// </summary>
    /// <param name="predictions">The predictions.</param>
    void Remember(IReadOnlyList<PredictionRecord> predictions);

    /// <summary>A prediction that is still kept; null otherwise.</summary>
    /// <param name="id">Its id.</param>
    PredictionRecord? FindPrediction(string id);

    /// <summary>
    /// Labelled samples in order of their sequence: the label a prediction has now, so that a correction takes the place of what it
    /// corrects and stands at its own, later sequence. Rewards from 0.5 on are labels; those below are not samples.
    /// </summary>
    /// <param name="after">Only those after this sequence.</param>
    /// <param name="upTo">Only those up to this sequence.</param>
    /// <param name="limit">At most as many.</param>
    /// <param name="heldOut">Whether those held out, or those to be learnt.</param>
    IReadOnlyList<LabelledSample> ReadSamples(long after, long upTo, int limit, bool heldOut);

    /// <summary>The newest held-out samples of each label, in order of their sequence; costs no more when there are many.</summary>
    /// <param name="upTo">Up to this sequence, with the labels as they were then.</param>
    /// <param name="most">At most as many of a label.</param>
    IReadOnlyList<LabelledSample> ReadHeldOut(long upTo, int most);

    /// <summary>Samples learnt up to a sequence whose label was corrected, or that were deleted, afterwards: what to unlearn.</summary>
    /// <param name="upTo">The cursor of the version that learnt them.</param>
    /// <param name="after">Changes after this sequence: the cursor, or further on where the version has unlearnt since.</param>
    /// <param name="now">Changes up to this sequence.</param>
    IReadOnlyList<LabelledSample> ReadRevoked(long upTo, long after, long now);

    /// <summary>How many labelled samples there are after a sequence, held out or not, and when the oldest to be learnt came.</summary>
    /// <param name="after">The cursor of the published version.</param>
    FeedbackStatus Status(long after);

    /// <summary>What the truth said of predictions of each version, the newest version first.</summary>
    /// <param name="versions">At most as many versions.</param>
    IReadOnlyList<LivePerformance> Performance(int versions);

    /// <summary>The same of all versions, since the first prediction of one of them whose truth came.</summary>
    /// <param name="version">That one.</param>
    IReadOnlyList<LivePerformance> PerformanceSince(int version);

    /// <summary>The same of a version's last predictions whose truth came; null without any.</summary>
    /// <param name="version">The version.</param>
    /// <param name="limit">At most as many predictions.</param>
    LivePerformance? LastPerformance(int version, int limit);

    /// <summary>Inputs of a version's predictions whose truth came, in the order of the truth.</summary>
    /// <param name="version">The version.</param>
    /// <param name="since">Only what came since then.</param>
    /// <param name="limit">At most as many.</param>
    IReadOnlyList<JudgedInput> ReadJudgedInputs(int version, DateTimeOffset since, int limit);

    /// <summary>Predictions whose truth came, after a sequence, in its order: for watching.</summary>
    /// <param name="after">Only those after this sequence.</param>
    /// <param name="limit">At most as many.</param>
    IReadOnlyList<JudgedPrediction> ReadJudged(long after, int limit);

    /// <summary>What is stored about a subject.</summary>
    /// <param name="subject">The subject.</param>
    SubjectRows ReadSubject(string subject);

    /// <summary>Deletes what is stored about a subject; what a version had learnt of it is then told by <see cref="ReadRevoked"/> until forgotten.</summary>
    /// <param name="subject">The subject.</param>
    /// <param name="cursor">Up to where any kept version has learnt; later samples leave no trace.</param>
    /// <returns>What was deleted.</returns>
    Task<SubjectErased> DeleteSubjectAsync(string subject, long cursor);

    /// <summary>How many samples of deleted subjects a version holds, and how many of these cannot be subtracted from it, since their inputs are gone.</summary>
    /// <param name="place">The version's place.</param>
    (long Samples, long WithoutInput) CountDeleted(VersionPlace place);

    /// <summary>Forgets the inputs of revoked samples that no kept version holds.</summary>
    /// <param name="kept">Places of all versions kept, and of the one being made.</param>
    Task ForgetRevokedAsync(IReadOnlyList<VersionPlace> kept);

    /// <summary>Drops predictions and feedback that are older than the policy keeps them.</summary>
    /// <param name="policy">What is kept.</param>
    /// <param name="cursor">Up to where any kept version has learnt: of such samples the subject is remembered, so that it can be deleted from the version.</param>
    /// <returns>How many were dropped.</returns>
    Task<(long Predictions, long Feedback)> ExpireAsync(RetentionPolicy policy, long cursor);

    /// <summary>Versions by number.</summary>
    IReadOnlyList<VersionInfo> ReadVersions();

    /// <summary>Adds a version or replaces what is known of it.</summary>
    /// <param name="version">The version; its aliases are ignored.</param>
    Task WriteVersionAsync(VersionInfo version);

    /// <summary>Publishes: gives an alias to a version and writes the versions whose state that changes, all at once.</summary>
    /// <param name="alias">The alias, for example <c>champion</c>.</param>
    /// <param name="version">The version; null takes the alias away.</param>
    /// <param name="changed">Versions to write in the same transaction.</param>
    Task WriteAliasAsync(string alias, int? version, IReadOnlyList<VersionInfo> changed);

    /// <summary>Forgets a version, whose bundle is gone, but for its number.</summary>
    /// <param name="version">Its number.</param>
    Task DeleteVersionAsync(int version);

    /// <summary>The highest number of a version that was forgotten; 0 before the first.</summary>
    int LastForgotten { get; }

    /// <summary>Pinned examples.</summary>
    IReadOnlyList<StoredExample> ReadExamples();

    /// <summary>Pins an example.</summary>
    /// <param name="example">The example.</param>
    Task WriteExampleAsync(StoredExample example);

    /// <summary>Takes a pinned example away.</summary>
    /// <param name="id">Its id.</param>
    /// <returns>Whether there was one.</returns>
    Task<bool> DeleteExampleAsync(string id);
}
