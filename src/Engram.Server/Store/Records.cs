namespace Engram.Server.Store;

/// <summary>Feedback as it goes into the log; its input is packed as the learner's schema packs it.</summary>
public sealed record FeedbackEntry
{
    /// <summary>When it came.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The prediction it is about.</summary>
    public string? PredictionId { get; init; }

    /// <summary>The packed input, where there was no prediction.</summary>
    public byte[]? Input { get; init; }

    /// <summary>The label.</summary>
    public string? Label { get; init; }

    /// <summary>The reward, instead of a label.</summary>
    public double? Reward { get; init; }

    /// <summary>Whom it is about; null takes the prediction's.</summary>
    public string? Subject { get; init; }

    /// <summary>Makes repeats harmless.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>When the truth was observed.</summary>
    public DateTimeOffset? ObservedAt { get; init; }

    /// <summary>Share of samples to hold out; which ones is decided by a hash of the sequence number.</summary>
    public double HoldOut { get; init; }
}

/// <summary>A prediction kept for feedback to come.</summary>
/// <param name="Id">Its id.</param>
/// <param name="At">When.</param>
/// <param name="Version">The version that answered.</param>
/// <param name="Label">What it answered.</param>
/// <param name="Probability">How sure it was.</param>
/// <param name="Unknown">Whether the input was unlike anything learnt.</param>
/// <param name="Input">The packed input.</param>
/// <param name="Subject">Whom it is about.</param>
public sealed record PredictionRecord(
    string Id, DateTimeOffset At, int Version, string Label, double Probability, bool Unknown, byte[] Input, string? Subject);

/// <summary>An input and its label.</summary>
/// <param name="Sequence">Its place in the log.</param>
/// <param name="Input">The packed input.</param>
/// <param name="Label">The label.</param>
public sealed record LabelledSample(long Sequence, byte[] Input, string Label);

/// <summary>Where in the feedback a version stands.</summary>
/// <param name="Cursor">Up to where it has learnt.</param>
/// <param name="Unlearnt">Up to where it has unlearnt what was revoked.</param>
public readonly record struct VersionPlace(long Cursor, long Unlearnt);

/// <summary>A prediction and the truth that came for it.</summary>
/// <param name="Sequence">The place of the truth in the log.</param>
/// <param name="Version">The version that predicted.</param>
/// <param name="Predicted">What it said.</param>
/// <param name="Right">Whether that was right.</param>
/// <param name="Label">The truth; null where a reward said only that the prediction was wrong.</param>
/// <param name="DelaySeconds">From prediction to truth.</param>
public sealed record JudgedPrediction(long Sequence, int Version, string Predicted, bool Right, string? Label, double DelaySeconds);

/// <summary>An input whose prediction was judged.</summary>
/// <param name="Input">The packed input.</param>
/// <param name="Label">The true label; null where only the reward of a prediction is known.</param>
/// <param name="Right">Whether the prediction was right.</param>
public sealed record JudgedInput(byte[] Input, string? Label, bool Right);

/// <summary>Feedback as it stands in the log.</summary>
/// <param name="Sequence">Its place.</param>
/// <param name="At">When it came.</param>
/// <param name="Label">The label, if given.</param>
/// <param name="Reward">The reward, if given.</param>
/// <param name="Input">The packed input; null while it waits for its prediction.</param>
/// <param name="Place">Where it stands among what is to be learnt; null where it is held out, or is no sample.</param>
public sealed record FeedbackRow(long Sequence, DateTimeOffset At, string? Label, double? Reward, byte[]? Input, long? Place);

/// <summary>A pinned example as stored.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Input">The packed input.</param>
/// <param name="Label">The label it must get.</param>
/// <param name="Added">When it was pinned.</param>
/// <param name="Subject">Whom it is about.</param>
public sealed record StoredExample(string Id, byte[] Input, string Label, DateTimeOffset Added, string? Subject);

/// <summary>What is stored about a subject.</summary>
/// <param name="Predictions">Predictions kept for feedback to come.</param>
/// <param name="Feedback">Feedback, also that whose content was dropped for its age.</param>
/// <param name="Examples">Pinned examples.</param>
public sealed record SubjectRows(
    IReadOnlyList<PredictionRecord> Predictions, IReadOnlyList<FeedbackRow> Feedback, IReadOnlyList<StoredExample> Examples);

/// <summary>What was deleted with a subject.</summary>
/// <param name="Predictions">How many predictions.</param>
/// <param name="Feedback">How many feedbacks.</param>
/// <param name="Examples">How many pinned examples.</param>
/// <param name="Learnt">Whether a version may have learnt some of the feedback.</param>
public sealed record SubjectErased(long Predictions, long Feedback, long Examples, bool Learnt);

/// <summary>The store takes in no more for now.</summary>
public sealed class StoreBusyException : Exception
{
    /// <summary>Creates one.</summary>
    public StoreBusyException() : base("feedback: more is waiting to be written than is taken in, expected to be tried again later") { }

    /// <summary>Creates one.</summary>
    /// <param name="message">What is busy.</param>
    public StoreBusyException(string message) : base(message) { }

    /// <summary>Creates one.</summary>
    /// <param name="message">What is busy.</param>
    /// <param name="inner">Why.</param>
    public StoreBusyException(string message, Exception inner) : base(message, inner) { }
}
