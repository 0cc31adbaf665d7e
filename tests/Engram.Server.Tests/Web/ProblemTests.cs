using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Engram.Client;
using Engram.Server.Hosting;

namespace Engram.Server.Tests.Web;

public sealed class ProblemTests : WebTest
{
    [Theory]
    [InlineData("""{"name":"x","input":{"kind":"vector","size":2},"learning":{"cpuShare":"half"}}""", "learning.cpuShare", "a number")]
    [InlineData("""{"name":"x","input":{"kind":"vector","size":"2"}}""", "input.size", "a whole number")]
    [InlineData("""{"name":"x","input":{"kind":"sound"}}""", "input.kind", "\"vector\", \"image\"")]
    [InlineData("""{"name":"x","input":{"kind":"tabular","columns":[{"name":"a"},{"name":3}]}}""", "input.columns[1].name", "a string")]
    [InlineData("""{"name":"x","input":{"kind":"vector","size":2},"learning":{"cpuShares":1}}""", "learning.cpuShares", "not known")]
    [InlineData("""{"name":"x","input":{"kind":"vector","size":2},"learning":{"cpuShare":7}}""", "learning.cpuShare", "0.01 to 1")]
    [InlineData("""{"name":"x","input":{"kind":"vector","size":2},"gate":null}""", "gate", "null")]
    [InlineData("""{"name":"x","name":"y","input":{"kind":"vector","size":2}}""", "name", "twice")]
    [InlineData("""{"name":"../x","input":{"kind":"vector","size":2}}""", "name", "a-z")]
    [InlineData("""{"input":{"kind":"vector","size":2}}""", "name", "missing")]
    [InlineData("""{"name":"x"}""", "input", "missing")]
    [InlineData("""{"name":"x","input":[]}""", "input", "an object")]
    [InlineData("""{"name":"x",""", "body", "no valid JSON (line 1, byte 12)")]
    [InlineData("""{"name":"x","input":{"kind":"vector","size":2}} {}""", "body", "no valid JSON")]
    [InlineData("null", "body", "null")]
    [InlineData("", "body", "no valid JSON")]
    [InlineData("7", "body", "an object")]
    public async Task A_wrong_specification_names_its_field(string body, string field, string words)
    {
        await StartAsync();
        var answer = await Http(Key).PostAsync("/v1/learners", Json(body), Token);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        var problem = await ProblemOfAsync(answer);
        Assert.Equal(field, problem.Field);
        Assert.Contains(words, problem.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("predictions", """{"input":[1,2,3]}""", "input")]
    [InlineData("predictions", """{"input":[1,"2"]}""", "input[1]")]
    [InlineData("predictions", """{"input":[1,2],"alternatives":101}""", "alternatives")]
    [InlineData("predictions", """{"input":[1,2],"Alternatives":1}""", "Alternatives")]
    [InlineData("predictions/batch", """{"inputs":[]}""", "inputs")]
    [InlineData("predictions/batch", """{"inputs":[[1,2],null]}""", "inputs[1]")]
    [InlineData("feedback", """{"input":[1,2]}""", "label")]
    [InlineData("feedback", """{"input":[1,2],"reward":2}""", "reward")]
    [InlineData("feedback", """{"input":[1,2],"label":"x","observedAt":"yesterday"}""", "observedAt")]
    [InlineData("feedback/batch", """{"items":[{"input":[1,2],"label":"x"},null]}""", "items[1]")]
    [InlineData("rollback", """{"version":"one"}""", "version")]
    public async Task A_wrong_request_names_its_field(string path, string body, string field)
    {
        await TaughtAsync(await StartAsync());
        var answer = await Http(Key).PostAsync($"/v1/learners/pairs/{path}", Json(body), Token);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(field, (await ProblemOfAsync(answer)).Field);
    }

    [Fact]
    public async Task A_prediction_before_anything_was_learnt_is_a_conflict()
    {
        var client = await StartAsync();
        var learner = await client.CreateLearnerAsync(Pairs(), cancellationToken: Token);
        await RefusedAsync(HttpStatusCode.Conflict, () => learner.PredictAsync(LearnerInput.Vector(1, 2), Token));
    }

    [Fact]
    public async Task What_is_not_there_not_allowed_or_of_another_type_is_told_as_a_problem()
    {
        await StartAsync();
        var http = Http(Key);
        Assert.Equal("urn:engram:problem:not-found", (await ProblemOfAsync(await http.GetAsync("/v2", Token))).Type);
        var wrongMethod = await http.PutAsync("/v1/learners", Json("{}"), Token);
        Assert.Equal("urn:engram:problem:method", (await ProblemOfAsync(wrongMethod)).Type);
        Assert.Contains("POST", wrongMethod.Content.Headers.Allow);
        var text = await http.PostAsync("/v1/learners", new StringContent("{}", Encoding.UTF8, "text/plain"), Token);
        Assert.Equal((HttpStatusCode.UnsupportedMediaType, "content-type"), (text.StatusCode, (await ProblemOfAsync(text)).Field));
        var utf16 = await http.PostAsync("/v1/learners", new StringContent("{}", Encoding.Unicode, "application/json"), Token);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, utf16.StatusCode);
        Assert.Equal("limit", (await ProblemOfAsync(await http.GetAsync("/v1/audit?limit=ten", Token))).Field);
    }

    [Fact]
    public async Task Nesting_that_is_too_deep_is_refused()
    {
        await TaughtAsync(await StartAsync());
        var deep = $$"""{"input":{{new string('[', 5000)}}{{new string(']', 5000)}}}""";
        var problem = await ProblemOfAsync(await Http(Key).PostAsync("/v1/learners/pairs/predictions", Json(deep), Token));
        Assert.Equal((400, "input"), (problem.Status, problem.Field));
        Assert.Contains("deep", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bodies_batches_and_lines_that_are_too_large_are_refused()
    {
        var client = await StartAsync(Options with { Limits = new RequestLimits { MaxBodyBytes = 2000, MaxBatch = 3, MaxLineBytes = 100, MaxImportBytes = 4000 } });
        await client.CreateLearnerAsync(Pairs(), cancellationToken: Token);
        var http = Http(Key);
        var long1 = await http.PostAsync("/v1/learners/pairs/feedback", Json($$"""{"input":[1,2],"label":"{{new string('x', 3000)}}"}"""), Token);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, long1.StatusCode);
        using var chunked = new HttpRequestMessage(HttpMethod.Post, "/v1/learners/pairs/feedback") { Content = Json($$"""{"input":[1,2],"label":"{{new string('x', 3000)}}"}""") };
        chunked.Headers.TransferEncodingChunked = true;
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await http.SendAsync(chunked, Token)).StatusCode);
        var many = await http.PostAsync("/v1/learners/pairs/predictions/batch", Json("""{"inputs":[[1,2],[1,2],[1,2],[1,2]]}"""), Token);
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "inputs"), (many.StatusCode, (await ProblemOfAsync(many)).Field));
        foreach (var (type, first) in new[] { ("text/csv", "label,x,y"), ("application/x-ndjson", """{"input":[1,2],"label":"a"}""") })
        {
            var line = await http.PostAsync("/v1/learners/pairs/feedback/import", new StringContent($"{first}\n{new string('x', 200)},1,2\n", Encoding.UTF8, type), Token);
            Assert.Equal((HttpStatusCode.RequestEntityTooLarge, 2L), (line.StatusCode, (await ProblemOfAsync(line)).Line));
        }
        var file = await http.PostAsync("/v1/learners/pairs/feedback/import", new StringContent(string.Concat(Enumerable.Repeat("\n", 5000)), Encoding.UTF8, "text/csv"), Token);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, file.StatusCode);
    }

    [Fact]
    public async Task A_key_that_asks_too_often_is_told_when_to_come_back()
    {
        await StartAsync(Options with { Limits = new RequestLimits { RequestsPerSecond = 2 } });
        var answers = new List<HttpResponseMessage>();
        for (var i = 0; i < 40; i++) answers.Add(await Http(Key).GetAsync("/v1/learners", Token));

        var busy = answers.First(answer => answer.StatusCode == HttpStatusCode.TooManyRequests);
        Assert.Equal(TimeSpan.FromSeconds(1), busy.Headers.RetryAfter?.Delta);
        Assert.Equal("urn:engram:problem:overload", (await ProblemOfAsync(busy)).Type);
        Assert.Equal(HttpStatusCode.OK, (await Http(null).GetAsync("/health/live", Token)).StatusCode);
    }

    [Fact]
    public async Task A_service_that_cannot_open_its_folder_lives_but_is_not_ready()
    {
        await StartAsync();
        await using var second = EngramServer.Create(Options, logs: Microsoft.Extensions.Logging.LogLevel.None);
        await second.StartAsync(Token);
        Assert.Contains("another service", (await Assert.ThrowsAsync<IOException>(() => second.ReadyAsync(Token))).Message, StringComparison.Ordinal);

        using var http = new HttpClient { BaseAddress = second.Addresses[0] };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("/health/live", Token)).StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await http.GetAsync("/health/ready", Token)).StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await http.GetAsync("/health/startup", Token)).StatusCode);
        var starting = await http.GetAsync("/v1/learners", Token);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, starting.StatusCode);
        Assert.NotNull(starting.Headers.RetryAfter);
        Assert.Equal("urn:engram:problem:starting", (await ProblemOfAsync(starting)).Type);
    }
}
