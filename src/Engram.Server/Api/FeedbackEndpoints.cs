using System.Globalization;
using Engram.Client;
using Engram.Server.Hosting;
using Engram.Server.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;

namespace Engram.Server.Api;

/// <summary>Feedback: one, several, or a file of them.</summary>
internal static class FeedbackEndpoints
{
    private const string Tag = "Feedback";

    /// <summary>The header that does for a request without a key of its own what <see cref="FeedbackRequest.IdempotencyKey"/> does.</summary>
    public const string KeyHeader = "Idempotency-Key";

    private const string Durable =
        "The answer means that it is on disk. Repeats with the same idempotency key, in the body or the header Idempotency-Key, are acknowledged and not stored again.";

    public static void Map(IEndpointRouteBuilder learner, RequestLimits limits)
    {
        learner.MapPost("/feedback", AcceptAsync).For(Role.Feedback)
            .Described(Tag, "SendFeedback", "Tells the truth about an input, by the id of its prediction or with the input itself.", Durable, 400, 404, 409, 413, 415);
        learner.MapPost("/feedback/batch", (HttpContext context, Body<FeedbackBatchRequest> body) => AcceptBatchAsync(context, body, limits)).For(Role.Feedback)
            .Described(Tag, "SendFeedbackBatch", "Tells the truth about several inputs; all or none are stored.", Durable, 400, 404, 409, 413, 415);
        learner.MapPost("/feedback/import", (Delegate)((HttpContext context) => FeedbackImport.RunAsync(context, limits))).For(Role.Feedback)
            .WithMetadata(new BodyLimit(limits.MaxImportBytes))
            .Described(Tag, "ImportFeedback", "Takes in a file of feedback, however long, as it streams in.",
                "JSON lines hold one feedback each. CSV has a header with the column label and either the columns of the schema, in any order (tables), "
                + "the column text (texts), or the numbers of the input in order (all others); the columns subject, observedAt, predictionId and idempotencyKey may "
                + "be there too. An error names the line; what stood before it is stored. With the header Idempotency-Key, the corrected "
                + "file can be sent whole again: lines stored before are not stored again.", 400, 404, 409, 413, 415);
        learner.MapGet("/feedback", (HttpContext context) => context.Learner().Describe().Feedback).For(Role.Operate)
            .Described(Tag, "GetFeedbackStatus", "Says how far the learner is with its feedback.", null, 404);
    }

    private static async Task<FeedbackReceipt> AcceptAsync(HttpContext context, Body<FeedbackRequest> body)
    {
        var feedback = body.Value;
        if (feedback.IdempotencyKey is null && Key(context) is { } key) feedback = feedback with { IdempotencyKey = key };
        return await context.Learner().AcceptAsync(feedback, context.RequestAborted);
    }

    private static async Task<FeedbackBatchReceipt> AcceptBatchAsync(HttpContext context, Body<FeedbackBatchRequest> body, RequestLimits limits)
    {
        var batch = body.Value;
        Batches.Check("items", batch.Items.Count, limits);
        for (var i = 0; i < batch.Items.Count; i++)
        {
            if (batch.Items[i] is null) throw RefusedException.BadInput($"items[{i}]", "null, expected feedback");
        }
        if (Key(context) is { } key) batch = new FeedbackBatchRequest([.. batch.Items.Select((item, i) => Keyed(item, key, i))]);
        return await context.Learner().AcceptAsync(batch, context.RequestAborted);
    }

    /// <summary>Feedback with a key of its own, made from its request's where it has none.</summary>
    public static FeedbackRequest Keyed(FeedbackRequest item, string key, long place) =>
        item.IdempotencyKey is null ? item with { IdempotencyKey = string.Create(CultureInfo.InvariantCulture, $"{key}/{place}") } : item;

    /// <summary>The request's key; null where it has none.</summary>
    public static string? Key(HttpContext context)
    {
        var header = context.Request.Headers[KeyHeader];
        if (header.Count == 0) return null;
        return header.ToString() is { Length: > 0 and <= 200 } key
            ? key
            : throw RefusedException.BadInput(KeyHeader, "expected 1 to 200 characters");
    }
}

/// <summary>How long the body of an operation may be where that differs from others.</summary>
internal sealed record BodyLimit(long? MaxRequestBodySize) : IRequestSizeLimitMetadata;
