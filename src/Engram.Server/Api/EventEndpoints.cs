using System.Globalization;
using System.Text.Json;
using Engram.Client;
using Engram.Server.Hosting;
using Engram.Server.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Engram.Server.Api;

/// <summary>What happens to a learner, as server-sent events.</summary>
internal sealed class EventEndpoints
{
    private const string EventStream = "text/event-stream";
    private static readonly TimeSpan s_heartbeat = TimeSpan.FromSeconds(15);
    private readonly RequestLimits _limits;
    private readonly Startup _startup;
    private int _open;

    private EventEndpoints(RequestLimits limits, Startup startup) => (_limits, _startup) = (limits, startup);

    public static void Map(IEndpointRouteBuilder learner, RequestLimits limits, Startup startup) =>
        learner.MapGet("/events", new EventEndpoints(limits, startup).StreamAsync).For(Role.Operate)
            .Produces<LearnerEvent>(StatusCodes.Status200OK, EventStream)
            .Described("Watching", "GetEvents", "Streams what happens to the learner, as server-sent events.",
                "The header Last-Event-ID, or after in the query, goes on after that event as far as it is still remembered. A comment is sent every 15 seconds.", 400, 404);

    private async Task StreamAsync(HttpContext context, long? after)
    {
        var header = context.Request.Headers["Last-Event-ID"].ToString();
        if (header.Length > 0)
        {
            after = long.TryParse(header, NumberStyles.None, CultureInfo.InvariantCulture, out var last)
                ? last
                : throw RefusedException.BadInput("Last-Event-ID", $"\"{Shown.Text(header)}\", expected the number of an event");
        }
        if (Interlocked.Increment(ref _open) > _limits.MaxEventStreams)
        {
            Interlocked.Decrement(ref _open);
            throw new OverloadException("events", $"{_limits.MaxEventStreams} streams are open, expected some to end first", TimeSpan.FromSeconds(5));
        }
        try
        {
            using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _startup.Stopping);
            await WriteAsync(context.Response, context.Learner().EventsAsync(after, end.Token), end);
        }
        catch (OperationCanceledException)
        {
            // The listener has left, or the service stops: both end a stream as they should.
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private static async Task WriteAsync(HttpResponse response, IAsyncEnumerable<LearnerEvent> events, CancellationTokenSource end)
    {
        response.ContentType = EventStream;
        response.Headers["X-Accel-Buffering"] = "no"; // nginx holds streams back otherwise
        await response.WriteAsync("retry: 2000\n\n", end.Token);
        await response.Body.FlushAsync(end.Token);

        await using var each = events.GetAsyncEnumerator(end.Token);
        using var heartbeat = new PeriodicTimer(s_heartbeat);
        var next = each.MoveNextAsync().AsTask();
        try
        {
            var beat = heartbeat.WaitForNextTickAsync(end.Token).AsTask();
            while (true)
            {
                if (await Task.WhenAny(next, beat) == beat)
                {
                    await beat;
                    beat = heartbeat.WaitForNextTickAsync(end.Token).AsTask();
                    await response.WriteAsync(": still here\n\n", end.Token);
                }
                else
                {
                    if (!await next) return;
                    await response.WriteAsync(Text(each.Current), end.Token);
                    next = each.MoveNextAsync().AsTask();
                }
                await response.Body.FlushAsync(end.Token);
            }
        }
        finally
        {
            // An enumerator must not be disposed while it moves.
            await end.CancelAsync();
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // JSON is one line: line breaks are escaped.
    private static string Text(LearnerEvent happened) => string.Create(CultureInfo.InvariantCulture,
        $"id: {happened.Number}\nevent: {happened.Type}\ndata: {JsonSerializer.Serialize(happened, Answers.Json.LearnerEvent)}\n\n");
}
