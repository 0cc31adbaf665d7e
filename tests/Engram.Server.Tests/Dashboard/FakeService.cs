using System.Collections.Concurrent;
using System.Text.Json;
using Engram.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Engram.Server.Tests.Dashboard;

/// <summary>The dashboard's files and an API of the same contracts over made-up learners, on a port of its own.</summary>
internal sealed class FakeService : IAsyncDisposable
{
    public const string Key = "engram-test-key";

    // Stricter than the service need be: nothing inline at all.
    private const string Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    private readonly WebApplication _app;
    private int _polls;

    private FakeService(WebApplication app) => _app = app;

    public ConcurrentDictionary<string, FakeLearner> Learners { get; } = new();

    public ConcurrentQueue<PredictRequest> Predictions { get; } = new();

    public ConcurrentQueue<FeedbackRequest> Feedback { get; } = new();

    public string Address => _app.Urls.Single();

    public static async Task<FakeService> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.ConfigureHttpJsonOptions(options => options.SerializerOptions.TypeInfoResolverChain.Insert(0, EngramJson.Default));
        var service = new FakeService(builder.Build());
        service.Map();
        await service._app.StartAsync();
        return service;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private void Map()
    {
        _app.Use((context, next) =>
        {
            context.Response.Headers.ContentSecurityPolicy = Policy;
            context.Response.Headers.XContentTypeOptions = "nosniff";
            if (!context.Request.Path.StartsWithSegments("/v1") || context.Request.Headers.Authorization == $"Bearer {Key}") return next(context);
            return Refuse(context, 401, "the key is missing or unknown");
        });
        var types = new FileExtensionContentTypeProvider();
        foreach (var name in typeof(LearnerHost).Assembly.GetManifestResourceNames().Where(name => name.StartsWith("Dashboard/", StringComparison.Ordinal)))
        {
            var path = name["Dashboard".Length..];
            _app.MapGet(path == "/index.html" ? "/" : path, () =>
                TypedResults.Stream(typeof(LearnerHost).Assembly.GetManifestResourceStream(name)!, types.Mappings[Path.GetExtension(name)]));
        }

        _app.MapGet("/v1/learners", () => Json<IReadOnlyList<LearnerDescription>>([.. Learners.OrderBy(pair => pair.Key).Select(pair => pair.Value.Describe())]));
        var learner = _app.MapGroup("/v1/learners/{name}");
        learner.MapGet("", (string name) => Json(Learners[name].Describe()));
        learner.MapGet("/watch", (string name) => Json(Learners[name].Watch(Interlocked.Increment(ref _polls))));
        learner.MapGet("/versions", (string name) => Json(Learners[name].Versions));
        learner.MapGet("/accuracy", (string name) => Json(Learners[name].Accuracy()));
        learner.MapGet("/examples", (string name) => Json<IReadOnlyList<PinnedExample>>([new("ex-1", Learners[name].Labels[0], Learners[name].Now)]));
        learner.MapGet("/events", EventsAsync);
        learner.MapPost("/versions/{version:int}/approve", (string name, int version, ReasonRequest body) => Json(Learners[name].Publish(version, "approve", body.Reason)));
        learner.MapPost("/versions/{version:int}/reject", (string name, int version, ReasonRequest body) =>
            Json(Learners[name].Change(version, "reject", body.Reason, known => known with { State = VersionState.Refused, Reason = body.Reason ?? "" })));
        learner.MapPost("/versions/{version:int}/pin", (string name, int version, ReasonRequest body) =>
            Json(Learners[name].Change(version, "pin", body.Reason, known => known with { Pinned = true })));
        learner.MapDelete("/versions/{version:int}/pin", (string name, int version, string? reason) =>
            Json(Learners[name].Change(version, "unpin", reason, known => known with { Pinned = false })));
        learner.MapPost("/rollback", (string name, RollbackRequest body) =>
        {
            Learners[name].Activity = LearnerActivity.Paused;
            return Json(Learners[name].Publish(body.Version!.Value, "rollback", body.Reason));
        });
        learner.MapPost("/pause", (string name) => Steer(name, LearnerActivity.Paused));
        learner.MapPost("/resume", (string name) => Steer(name, LearnerActivity.Idle));
        learner.MapPost("/learn", () => TypedResults.NoContent());
        learner.MapPost("/predictions", Predict);
        learner.MapPost("/feedback", (FeedbackRequest body) =>
        {
            Feedback.Enqueue(body);
            return Json(new FeedbackReceipt(48_211, FeedbackState.Accepted));
        });
    }

    private ContentHttpResult Predict(string name, PredictRequest body)
    {
        Predictions.Enqueue(body);
        var labels = Learners[name].Labels;
        return Json(new PredictResponse
        {
            PredictionId = $"p-{Predictions.Count}",
            Version = Learners[name].Champion ?? 1,
            Label = labels[0],
            Probability = 0.872,
            Unknown = true,
            Alternatives = [.. labels.Skip(1).Take(body.Alternatives).Select((label, i) => new LabelProbability(label, 0.06 / (i + 1)))],
        });
    }

    private ContentHttpResult Steer(string name, LearnerActivity activity)
    {
        Learners[name].Activity = activity;
        Learners[name].Tell(activity == LearnerActivity.Paused ? "paused" : "resumed", null, "as asked");
        return Json(Learners[name].Describe());
    }

    private async Task EventsAsync(HttpContext context, string name)
    {
        context.Response.ContentType = "text/event-stream";
        await context.Response.WriteAsync("retry: 2000\n\n: hello\n\n");
        await context.Response.Body.FlushAsync();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _app.Lifetime.ApplicationStopping);
        try
        {
            await foreach (var happened in Learners[name].Listen().ReadAllAsync(end.Token))
            {
                await context.Response.WriteAsync($"id: {happened.Number}\nevent: {happened.Type}\ndata: {JsonSerializer.Serialize(happened, EngramJson.Default.LearnerEvent)}\n\n", end.Token);
                await context.Response.Body.FlushAsync(end.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The page has left.
        }
    }

    private static Task Refuse(HttpContext context, int status, string detail)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/problem+json";
        return context.Response.WriteAsync($$"""{"type":"about:blank","status":{{status}},"detail":"{{detail}}"}""");
    }

    private static ContentHttpResult Json<T>(T value) => TypedResults.Text(JsonSerializer.Serialize(value, EngramJson.Default.Options), "application/json");
}
