using System.Globalization;
using Engram.Client;
using Engram.Server.Store;

namespace Engram.Server;

/// <summary>Checks feedback and has it stored.</summary>
internal sealed class FeedbackDesk(LearnerContext learner)
{
    private const int LongestLabel = 256;
    private const int LongestId = 128;

    /// <summary>Stores feedbacks, all or none; on disk when the task completes.</summary>
    /// <param name="items">The feedbacks.</param>
    /// <param name="single">Whether there is one, whose fields have no place in a list.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public async Task<IReadOnlyList<FeedbackReceipt>> AcceptAsync(IReadOnlyList<FeedbackRequest> items, bool single, CancellationToken cancellationToken)
    {
        if (items is null || items.Count == 0) throw new InputException("items", "items: none, expected one or more");
        if (items.Count > learner.Options.MaxWaitingFeedback)
            throw new InputException("items", $"items: {items.Count}, expected at most {learner.Options.MaxWaitingFeedback}");
        var entries = new FeedbackEntry[items.Count];
        var now = learner.Clock.GetUtcNow();
        for (var i = 0; i < entries.Length; i++)
            entries[i] = Entry(items[i], single ? "" : string.Create(CultureInfo.InvariantCulture, $"items[{i}]."), now);
        try
        {
            return await learner.Store.AppendAsync(entries, cancellationToken).ConfigureAwait(false);
        }
        catch (StoreBusyException busy)
        {
            throw new OverloadException("feedback", busy.Message, TimeSpan.FromSeconds(1));
        }
    }

    private FeedbackEntry Entry(FeedbackRequest item, string at, DateTimeOffset now)
    {
        if (item is null) throw Wrong($"{at}item", "null", "feedback");
        if (item.PredictionId is null == item.Input is null)
            throw Wrong($"{at}predictionId", item.PredictionId is null ? "none, and no input" : "given, and an input too", "one of both");
        if (item.Label is null == item.Reward is null)
            throw Wrong($"{at}label", item.Label is null ? "none, and no reward" : "given, and a reward too", "one of both");
        Length($"{at}predictionId", item.PredictionId, LongestId);
        Length($"{at}label", item.Label, LongestLabel);
        Length($"{at}subject", item.Subject, LongestLabel);
        Length($"{at}idempotencyKey", item.IdempotencyKey, LongestLabel);
        if (item.Label?.Any(char.IsControl) == true) throw Wrong($"{at}label", "control characters", "a label without them");
        if (item.Reward is { } reward && (reward is not (>= 0 and <= 1) || item.PredictionId is null))
            throw Wrong($"{at}reward", reward.ToString(CultureInfo.InvariantCulture), "0 to 1, for a prediction by its id");
        return new FeedbackEntry
        {
            At = now,
            PredictionId = item.PredictionId,
            Input = item.Input is { } input ? learner.Encoder.Pack(input, $"{at}input") : null,
            Label = item.Label,
            Reward = item.Reward,
            Subject = item.Subject,
            IdempotencyKey = item.IdempotencyKey,
            ObservedAt = item.ObservedAt,
            HoldOut = learner.Specification.Learning.HoldOut,
        };
    }

    private static void Length(string field, string? text, int longest)
    {
        if (text is not null && (text.Length == 0 || text.Length > longest))
            throw Wrong(field, $"{text.Length} characters", $"1 to {longest}");
    }

    private static InputException Wrong(string field, string found, string expected) => new(field, $"{field}: {found}, expected {expected}");
}
