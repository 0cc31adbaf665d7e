using System.Text.Json;

namespace Engram.Client;

/// <summary>Tells a learner the truth about an input, by the id of its prediction or with the input itself.</summary>
public sealed record FeedbackRequest
{
    /// <summary>The prediction it is about. It may be one that the service does not know yet: such feedback waits for it.</summary>
    public string? PredictionId { get; init; }

    /// <summary>The input, where there was no prediction.</summary>
    public JsonElement? Input { get; init; }

    /// <summary>
    /// The true label; one never seen before makes the model grow. A second label for the same prediction corrects the first, unless
    /// <see cref="ObservedAt"/> of both says that it was observed before.
    /// </summary>
    public string? Label { get; init; }

    /// <summary>
    /// Instead of a label, how good the prediction was, 0 to 1. From 0.5 on it confirms the predicted label; below, it counts against
    /// the version that predicted and teaches nothing. A later reward replaces an earlier one; a bad one takes nothing away from a label.
    /// </summary>
    public double? Reward { get; init; }

    /// <summary>Whom the input is about.</summary>
    public string? Subject { get; init; }

    /// <summary>Makes repeats harmless: feedback with a key seen before is acknowledged and not stored again.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>When the truth was observed; null for now.</summary>
    public DateTimeOffset? ObservedAt { get; init; }
}

/// <summary>Several feedbacks; all or none are stored.</summary>
/// <param name="Items">The feedbacks.</param>
public sealed record FeedbackBatchRequest(IReadOnlyList<FeedbackRequest> Items);

/// <summary>What became of feedback.</summary>
public enum FeedbackState
{
    /// <summary>Stored; it will be learnt or held out.</summary>
    Accepted,

    /// <summary>Stored; it waits for its prediction.</summary>
    Waiting,

    /// <summary>It changes nothing: its key was seen before, the prediction has this truth already, or one that was observed later. What stands is at this sequence.</summary>
    Duplicate,
}

/// <summary>Acknowledges feedback: it is on disk.</summary>
/// <param name="Sequence">Its place in the learner's log.</param>
/// <param name="State">What became of it.</param>
public sealed record FeedbackReceipt(long Sequence, FeedbackState State);

/// <summary>Acknowledges several feedbacks: they are on disk.</summary>
/// <param name="Receipts">In order.</param>
public sealed record FeedbackBatchReceipt(IReadOnlyList<FeedbackReceipt> Receipts);

/// <summary>Acknowledges a file of feedback: it is on disk.</summary>
/// <param name="Lines">Lines with feedback.</param>
/// <param name="Accepted">Those stored, to be learnt or held out.</param>
/// <param name="Waiting">Those stored that wait for their prediction.</param>
/// <param name="Duplicates">Those whose key was seen before.</param>
/// <param name="LastSequence">The place of the last in the learner's log; 0 for an empty file.</param>
public sealed record ImportReceipt(long Lines, long Accepted, long Waiting, long Duplicates, long LastSequence);

/// <summary>How far a learner is with its feedback.</summary>
public sealed record FeedbackStatus
{
    /// <summary>Feedbacks stored in all, by the last sequence number.</summary>
    public long LastSequence { get; init; }

    /// <summary>Up to where the published version has learnt.</summary>
    public long LearntUpTo { get; init; }

    /// <summary>Labelled samples that wait to be learnt.</summary>
    public long Waiting { get; init; }

    /// <summary>Labelled samples held out.</summary>
    public long HeldOut { get; init; }

    /// <summary>Feedbacks that wait for their prediction.</summary>
    public long WithoutPrediction { get; init; }

    /// <summary>When the oldest waiting sample came.</summary>
    public DateTimeOffset? OldestWaiting { get; init; }
}
