using System.Net;
using Engram.Client;
using Engram.Server.Hosting;

namespace Engram.Server.Tests.Web;

public sealed class EventTests : WebTest
{
    [Fact]
    public async Task What_happens_is_told_in_order_and_goes_on_after_a_break()
    {
        var client = await StartAsync();
        var learner = await client.CreateLearnerAsync(Pairs(), cancellationToken: Token);
        await using var events = learner.EventsAsync(0, Token).GetAsyncEnumerator(Token);
        await learner.FeedbackAsync([.. Lesson("left", -1, 0), .. Lesson("right", 1, 0)], Token);
        await learner.LearnAsync(cancellationToken: Token);

        var seen = new List<LearnerEvent>();
        while (seen.Count == 0 || seen[^1].Type != "published")
        {
            Assert.True(await events.MoveNextAsync());
            seen.Add(events.Current);
        }
        Assert.Equal("learning", seen[0].Type);
        Assert.Equal(seen.Select(happened => happened.Number).Order(), seen.Select(happened => happened.Number));

        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/learners/pairs/events") { Headers = { { "Last-Event-ID", $"{seen[^2].Number}" } } };
        using var response = await Http(Key).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync(Token));
        Assert.Equal("retry: 2000", await lines.ReadLineAsync(Token));
        Assert.Equal("", await lines.ReadLineAsync(Token));
        Assert.Equal($"id: {seen[^1].Number}", await lines.ReadLineAsync(Token));
        Assert.Equal("event: published", await lines.ReadLineAsync(Token));
    }

    [Fact]
    public async Task A_connection_that_is_dropped_does_not_end_the_learning_it_asked_for()
    {
        var client = await StartAsync();
        var learner = await client.CreateLearnerAsync(
            Pairs() with
            {
                Model = new ModelSpecification { Kind = "network", Hidden = [8], Epochs = 1 },
                Learning = new LearningPolicy { EverySamples = 0, HoldOut = 0, CpuShare = 0.3 },
            }, cancellationToken: Token);
        await learner.FeedbackAsync([.. Lesson("left", -1, 0), .. Lesson("right", 1, 0)], Token);
        using var dropped = new CancellationTokenSource();
        var asked = Http(Key).PostAsync("/v1/learners/pairs/learn", null, dropped.Token);
        await learner.EventsAsync(0, Token).FirstAsync(one => one.Type == "learning", Token);

        await dropped.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
        Assert.Equal(1, (await learner.EventsAsync(0, Token).FirstAsync(one => one.Type == "published", Token)).Version);
    }

    [Fact]
    public async Task A_stop_ends_streams_and_the_service_with_them()
    {
        var client = await StartAsync();
        await client.CreateLearnerAsync(Pairs(), cancellationToken: Token);
        using var response = await Http(Key).GetAsync("/v1/learners/pairs/events", HttpCompletionOption.ResponseHeadersRead, Token);
        var rest = response.Content.ReadAsStringAsync(Token);

        await Server.StopAsync(Token);
        Assert.Equal("retry: 2000\n\n", await rest);
    }

    [Fact]
    public async Task No_more_streams_are_opened_than_the_limit_says()
    {
        var client = await StartAsync(Options with { Limits = new RequestLimits { MaxEventStreams = 1 } });
        await client.CreateLearnerAsync(Pairs(), cancellationToken: Token);
        using var first = await Http(Key).GetAsync("/v1/learners/pairs/events", HttpCompletionOption.ResponseHeadersRead, Token);
        var second = await Http(Key).GetAsync("/v1/learners/pairs/events", Token);
        Assert.Equal(HttpStatusCode.TooManyRequests, second.StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await Http(Key).GetAsync("/v1/learners/pairs/events?after=x", Token)).StatusCode);
    }
}
