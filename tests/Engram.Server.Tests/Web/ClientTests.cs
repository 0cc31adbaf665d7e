using System.Net;
using System.Text;
using System.Text.Json;
using Engram.Client;
using Engram.Tests;
using PublicApiGenerator;

namespace Engram.Server.Tests.Web;

public sealed class ClientTests : WebTest
{
    private static readonly EngramClientOptions s_fast = new() { Retries = 3, FirstDelay = TimeSpan.FromMilliseconds(1), MaxDelay = TimeSpan.FromSeconds(2) };

    [Theory]
    [InlineData(HttpStatusCode.TooManyRequests)]
    [InlineData(HttpStatusCode.ServiceUnavailable)]
    public async Task A_busy_service_is_asked_again_with_the_same_key(HttpStatusCode busy)
    {
        using var world = new Scripted(busy, busy, HttpStatusCode.OK);
        var receipt = await world.Client(s_fast).Learner("x").FeedbackAsync(LearnerInput.Text("a"), "b", Token);

        Assert.Equal(FeedbackState.Accepted, receipt.State);
        Assert.Equal(3, world.Bodies.Count);
        Assert.Single(world.Bodies.Distinct());
        Assert.NotNull(JsonSerializer.Deserialize(world.Bodies[0], EngramJson.Default.FeedbackRequest)!.IdempotencyKey);
    }

    [Fact]
    public async Task After_the_last_attempt_the_problem_is_thrown()
    {
        using var world = new Scripted(Enumerable.Repeat(HttpStatusCode.ServiceUnavailable, 9).ToArray());
        await RefusedAsync(HttpStatusCode.ServiceUnavailable, () => world.Client(s_fast).GetLearnersAsync(Token));
        Assert.Equal(4, world.Bodies.Count);
    }

    [Fact]
    public async Task A_wait_longer_than_the_caller_allows_is_left_to_the_caller()
    {
        using var world = new Scripted(HttpStatusCode.TooManyRequests) { RetryAfter = TimeSpan.FromMinutes(1) };
        var problem = await RefusedAsync(HttpStatusCode.TooManyRequests, () => world.Client(s_fast).GetLearnersAsync(Token));
        Assert.Equal(TimeSpan.FromMinutes(1), problem.RetryAfter);
        Assert.Single(world.Bodies);
    }

    [Fact]
    public async Task Only_what_does_no_harm_twice_is_sent_again_after_a_connection_broke()
    {
        using var world = new Scripted(0, HttpStatusCode.OK);
        await world.Client(s_fast).Learner("x").FeedbackAsync(LearnerInput.Text("a"), "b", Token);
        Assert.Equal(2, world.Bodies.Count);

        using var other = new Scripted(0, HttpStatusCode.OK);
        await Assert.ThrowsAsync<HttpRequestException>(() => other.Client(s_fast).CreateLearnerAsync(Pairs(), cancellationToken: Token));
        Assert.Single(other.Bodies);
    }

    [Fact]
    public async Task Feedback_whose_answer_was_lost_is_stored_once()
    {
        var admin = await StartAsync();
        var learner = await admin.CreateLearnerAsync(Pairs(), cancellationToken: Token);
        using var losing = new HttpClient(new LosesAnswers()) { BaseAddress = Address };
        losing.DefaultRequestHeaders.Authorization = new("Bearer", Key);
        using var client = new EngramClient(losing, s_fast);

        var receipt = await client.Learner("pairs").FeedbackAsync(LearnerInput.Vector(1, 2), "x", Token);
        Assert.Equal(FeedbackState.Duplicate, receipt.State);
        var batch = await client.Learner("pairs").FeedbackAsync(Lesson("y", 1, 1), Token);
        Assert.Equal(10, batch.Receipts.Count);
        Assert.Equal(11, (await learner.GetFeedbackAsync(Token)).Waiting);
    }

    [Fact]
    public async Task A_service_that_is_not_there_is_not_ready()
    {
        using var client = new EngramClient(new Uri("http://127.0.0.1:1"), null, s_fast with { Retries = 1 });
        Assert.False(await client.IsReadyAsync(Token));
        await StartAsync();
        Assert.True(await Client(null).IsReadyAsync(Token));
    }

    [Fact]
    public async Task Answers_of_a_newer_service_are_read()
    {
        using var world = new Scripted(HttpStatusCode.OK) { Answer = """{"sequence":7,"state":"accepted","new":{"a":1}}""" };
        Assert.Equal(7, (await world.Client(s_fast).Learner("x").FeedbackAsync("p", "b", Token)).Sequence);
    }

    [Fact]
    public void Inputs_are_made_as_schemas_say()
    {
        Assert.Equal("[1,-0.5]", LearnerInput.Vector(1, -0.5f).GetRawText());
        Assert.Equal("""{"pixels":"AAH/"}""", LearnerInput.Pixels([0, 1, 255]).GetRawText());
        Assert.Equal("""{"a":1.5,"b":"x","c":null}""", LearnerInput.Row(new("a", 1.5), new("b", "x"), new("c", null)).GetRawText());
        Assert.Throws<ArgumentException>(() => LearnerInput.Row(new KeyValuePair<string, object?>("a", new object())));
    }

    /// <summary>To accept a change of the surface: <c>ENGRAM_ACCEPT_API=1 dotnet test</c>, and commit the file.</summary>
    [Fact]
    public void The_public_surface_is_the_one_checked_in()
    {
        var path = Path.Combine(TestData.Root, "src", "Engram.Client", "PublicApi.txt");
        var surface = typeof(EngramClient).Assembly.GeneratePublicApi(new ApiGeneratorOptions
        {
            IncludeAssemblyAttributes = false,
            DenyNamespacePrefixes = [],
        }).ReplaceLineEndings("\n") + "\n";
        if (Environment.GetEnvironmentVariable("ENGRAM_ACCEPT_API") == "1") File.WriteAllText(path, surface);
        Assert.True(File.Exists(path) && File.ReadAllText(path).ReplaceLineEndings("\n") == surface,
            "the client's public surface differs from src/Engram.Client/PublicApi.txt; if that is meant, run once with ENGRAM_ACCEPT_API=1 and commit the file");
    }

    /// <summary>Answers with one status after another; 0 breaks the connection.</summary>
    private sealed class Scripted(params HttpStatusCode[] statuses) : HttpMessageHandler
    {
        public List<string> Bodies { get; } = [];

        public TimeSpan? RetryAfter { get; init; }

        public string Answer { get; init; } = """{"sequence":1,"state":"accepted"}""";

        public EngramClient Client(EngramClientOptions options) =>
            new(new HttpClient(this, disposeHandler: false) { BaseAddress = new Uri("http://service/") }, options);

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var status = statuses[Bodies.Count];
            Bodies.Add(request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken));
            if (status == 0) throw new HttpRequestException(HttpRequestError.ResponseEnded, "broken");
            var response = new HttpResponseMessage(status) { Content = new StringContent(status == HttpStatusCode.OK ? Answer : "busy", Encoding.UTF8, "application/json") };
            if (RetryAfter is { } wait) response.Headers.RetryAfter = new(wait);
            return response;
        }
    }

    /// <summary>Loses the first answer to every body.</summary>
    private sealed class LosesAnswers() : DelegatingHandler(new SocketsHttpHandler())
    {
        private readonly HashSet<string> _seen = [];

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = await base.SendAsync(request, cancellationToken);
            if (!_seen.Add(await request.Content!.ReadAsStringAsync(cancellationToken))) return response;
            response.Dispose();
            throw new HttpRequestException(HttpRequestError.ResponseEnded, "the answer is lost");
        }
    }
}
