using Engram.Client;
using Engram.Server.Hosting;
using Engram.Server.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Engram.Server.Api;

/// <summary>Predictions, one and several.</summary>
internal static class PredictionEndpoints
{
    private const string Tag = "Predictions";

    public static void Map(IEndpointRouteBuilder learner, RequestLimits limits)
    {
        learner.MapPost("/predictions", PredictAsync).For(Role.Predict)
            .Described(Tag, "Predict", "Predicts the label of one input.",
                "Requests that come together go through the model together. Answers 409 before anything was learnt.", 400, 404, 409, 413, 415);
        learner.MapPost("/predictions/batch", (HttpContext context, Body<PredictBatchRequest> body) => PredictBatchAsync(context, body, limits)).For(Role.Predict)
            .Described(Tag, "PredictBatch", "Predicts the labels of several inputs, all by the same version.", null, 400, 404, 409, 413, 415);
    }

    private static async Task<PredictResponse> PredictAsync(HttpContext context, Body<PredictRequest> body) =>
        await context.Learner().PredictAsync(body.Value, context.RequestAborted);

    private static async Task<PredictBatchResponse> PredictBatchAsync(HttpContext context, Body<PredictBatchRequest> body, RequestLimits limits)
    {
        Batches.Check("inputs", body.Value.Inputs.Count, limits);
        return await context.Learner().PredictAsync(body.Value, context.RequestAborted);
    }
}

/// <summary>How many of something may come in one request.</summary>
internal static class Batches
{
    /// <summary>Refuses too many.</summary>
    public static void Check(string field, int count, RequestLimits limits)
    {
        if (count == 0) throw RefusedException.BadInput(field, "none, expected at least one");
        if (count > limits.MaxBatch) throw RefusedException.TooLarge(field, $"{count} of them, expected at most {limits.MaxBatch} in one request");
    }
}
