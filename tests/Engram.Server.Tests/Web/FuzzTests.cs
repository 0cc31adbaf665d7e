using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Engram.Client;
using Engram.Data;

namespace Engram.Server.Tests.Web;

/// <summary>Requests of nonsense that nearly makes sense: no 500, no hang, nothing of the inside in an answer.</summary>
public sealed class FuzzTests : WebTest
{
    private static readonly TimeSpan s_hang = TimeSpan.FromSeconds(30);

    // What would tell of the inside: types, stack traces, paths, SQL.
    private static readonly string[] s_internals = ["Exception", "   at ", "System.", "Engram.Server", "Microsoft.", "SQLite", "SELECT", ".cs:", "/tmp/", "engram-web-"];

    // What the service offers, with a body that is right, beside places that it does not have.
    private static readonly (string Method, string Path, string Type, string Body)[] s_operations =
    [
        ("POST", "/v1/learners/pairs/predictions", Plain, """{"input":[1,2],"predictionId":"p","subject":"s"}"""),
        ("POST", "/v1/learners/pairs/predictions", Plain, """{"input":[1,2]}"""),
        ("POST", "/v1/learners/pairs/predictions/batch", Plain, """{"inputs":[[1,2],[3,4]]}"""),
        ("POST", "/v1/learners/pairs/feedback", Plain, """{"input":[1,2],"label":"left","idempotencyKey":"k"}"""),
        ("POST", "/v1/learners/pairs/feedback", Plain, """{"predictionId":"p","reward":0.5,"subject":"s","observedAt":"2026-01-01T00:00:00Z"}"""),
        ("POST", "/v1/learners/pairs/feedback/batch", Plain, """{"items":[{"input":[1,2],"label":"left"},{"input":[3,4],"label":"new"}]}"""),
        ("POST", "/v1/learners/pairs/feedback/import", "text/csv", "label,x,y\nleft,1,2\nright,3,4\n"),
        ("POST", "/v1/learners/pairs/feedback/import", "application/x-ndjson", "{\"input\":[1,2],\"label\":\"left\"}\n{\"input\":[3,4],\"label\":\"up\"}\n"),
        ("POST", "/v1/learners", Plain, """{"name":"made","input":{"kind":"vector","size":2},"learning":{"everySamples":0}}"""),
        ("POST", "/v1/learners", Plain, """{"name":"made","input":{"kind":"table","columns":[{"name":"a","kind":"numeric"},{"name":"b","kind":"categorical"}]},"model":{"kind":"ridge"},"gate":{"mode":"staged"}}"""),
        ("POST", "/v1/learners", Plain, """{"name":"made","input":{"kind":"text","features":64},"model":{"kind":"network","hidden":[8]},"learning":{"everySeconds":60}}"""),
        ("POST", "/v1/keys", Plain, """{"name":"k","roles":["predict"],"learners":["pairs"],"expiresAt":"2030-01-01T00:00:00Z"}"""),
        ("POST", "/v1/learners/pairs/examples", Plain, """{"input":[1,2],"label":"left","id":"e"}"""),
        ("POST", "/v1/learners/pairs/rollback", Plain, """{"version":1,"reason":"because"}"""),
        ("PUT", "/v1/learners/pairs/aliases/champion", Plain, """{"version":1,"reason":"because"}"""),
        ("PUT", "/v1/learners/pairs/aliases/%00", Plain, """{"version":1}"""),
        ("POST", "/v1/learners/pairs/versions/1/approve", Plain, """{"reason":"because"}"""),
        ("POST", "/v1/learners/pairs/versions/2147483648/reject", Plain, """{"reason":"because"}"""),
        ("POST", "/v1/learners/pairs/versions/-1/pin", Plain, """{"reason":"because"}"""),
        ("POST", "/v1/learners/pairs/versions/import", "application/zip", "PK\u0003\u0004"),
        ("POST", "/v1/learners/pairs/pause", Plain, """{"reason":"because"}"""),
        ("POST", "/v1/learners/pairs/resume", Plain, """{"reason":"because"}"""),
        ("DELETE", "/v1/learners/pairs/examples/..%2f..", Plain, ""), ("DELETE", "/v1/learners/pairs/versions/1/pin", Plain, ""),
        ("DELETE", "/v1/learners/pairs/subjects/a%2Fb?reason=asked", Plain, ""), ("DELETE", "/v1/learners/made", Plain, ""), ("DELETE", "/v1/keys/x", Plain, ""),
        ("GET", "/v1/learners", Plain, ""), ("GET", "/v1/learners/pairs", Plain, ""), ("GET", "/v1/learners/..%2f..%2fetc", Plain, ""),
        ("GET", "/v1/learners/pairs/versions", Plain, ""), ("GET", "/v1/learners/pairs/versions/1/diff/2", Plain, ""), ("GET", "/v1/learners/pairs/versions/1/export", Plain, ""),
        ("GET", "/v1/learners/pairs/subjects/%F0%9F%A7%A0", Plain, ""), ("GET", "/v1/learners/pairs/watch", Plain, ""), ("GET", "/v1/learners/pairs/accuracy", Plain, ""),
        ("GET", "/v1/audit?limit=1e9", Plain, ""), ("GET", "/v1/audit?learner=%27--", Plain, ""), ("GET", "/v1/keys", Plain, ""),
        ("GET", "/health/ready", Plain, ""), ("GET", "/openapi/v2.json", Plain, ""), ("GET", "/docs/../x", Plain, ""), ("GET", "/", Plain, ""),
    ];

    private static readonly string[] s_parts =
    [
        "null", "true", "-0", "1e999", "-1", "2147483648", "9223372036854775808", "\"\"", "\"\\u0000\"", "\"\\ud800\"", "[]", "{}", "[[[[", "}", "\"", ",", ":", "NaN", "\uFEFF", "\n", "\"input\":",
        "\"left\"", "\"champion\"", "\"'; DROP TABLE feedback;--\"", "0.1", "1e-400", "\u0000", "é", "🧠",
    ];

    private const string Plain = "application/json";

    private static readonly string[] s_types = [Plain, "application/json; charset=utf-16", "text/csv", "application/x-ndjson", "application/zip", "text/plain", "x/y"];

    private static readonly string[] s_methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];

    [Fact]
    public Task Requests_of_nonsense_are_answered_as_such() => RunAsync(1500);

    [Fact(Explicit = true)]
    public Task Fifty_thousand_requests_of_nonsense_are_answered_as_such() => RunAsync(50_000);

    private async Task RunAsync(int count)
    {
        var admin = await StartAsync(Options with { Limits = new Hosting.RequestLimits { RequestsPerSecond = 0, MaxBodyBytes = 100_000, MaxLineBytes = 1000 } });
        await TaughtAsync(admin);
        using var all = Http(Key);
        using var some = Http(await KeyOfAsync(admin, Role.Operate)); // what is sent with any method deletes no learner that the run needs
        all.Timeout = some.Timeout = s_hang;
        var statuses = new Dictionary<HttpStatusCode, int>();
        var chance = new SeededRandom(7, "requests of nonsense");
        for (var i = 0; i < count; i++)
        {
            var request = Next(chance);
            var (status, answer) = await SendAsync(request.Offered ? all : some, request);
            statuses[status] = statuses.GetValueOrDefault(status) + 1;
            var shown = $"{request.Method} {request.Path} {request.Type}\n{Encoding.UTF8.GetString(request.Body)}\n-> {(int)status} {answer}";
            Assert.True((int)status < 500, shown);
            Assert.All(s_internals, inside => Assert.False((int)status >= 400 && answer.Contains(inside, StringComparison.Ordinal), shown));
            if (request.Path.Contains("%00", StringComparison.Ordinal) && answer.Length == 0) continue; // the server itself refuses such a path
            if ((int)status >= 400 && request.Method != "HEAD") Assert.Equal((int)status, JsonSerializer.Deserialize(answer, EngramJson.Default.Problem)!.Status);
        }
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", statuses.OrderBy(status => status.Key).Select(status => $"{(int)status.Key}: {status.Value}")));
        Assert.True(statuses.Count > 4);
        Assert.True((await admin.Learner("pairs").GetAsync(Token)).Champion > 0);
    }

    private static async Task<(HttpStatusCode Status, string Answer)> SendAsync(HttpClient http, Nonsense it)
    {
        using var request = new HttpRequestMessage(new HttpMethod(it.Method), it.Path);
        if (it.Method is not ("GET" or "HEAD"))
        {
            request.Content = new ByteArrayContent(it.Body);
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(it.Type);
        }
        using var response = await http.SendAsync(request, Token);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(Token));
    }

    // One in ten with any method and the body of another; the others as offered. In the body some parts are cut out, put in, doubled, or
    // have a byte changed.
    private static Nonsense Next(SeededRandom chance)
    {
        var (method, path, type, right) = One(chance, s_operations);
        var offered = chance.Next(10) > 0;
        var body = Encoding.UTF8.GetBytes(offered ? right : One(chance, s_operations).Body);
        for (var edits = chance.Next(4); edits > 0; edits--)
            body = Edit(body, (chance.Next(5), chance.NextDouble(), chance.Next(13), One(chance, s_parts), (byte)chance.Next(256)));
        return new Nonsense(offered, offered ? method : One(chance, s_methods), path, chance.Next(10) > 0 ? type : One(chance, s_types), body);
    }

    private sealed record Nonsense(bool Offered, string Method, string Path, string Type, byte[] Body);

    private static T One<T>(SeededRandom chance, T[] of) => of[chance.Next(of.Length)];

    private static byte[] Edit(byte[] body, (int Kind, double At, int Length, string Part, byte Value) edit)
    {
        var at = (int)(edit.At * body.Length);
        var end = Math.Min(body.Length, at + edit.Length);
        return edit.Kind switch
        {
            0 => [.. body[..at], .. body[end..]],
            1 => [.. body[..at], .. Encoding.UTF8.GetBytes(edit.Part), .. body[end..]],
            2 => [.. body[..end], .. body[at..]],
            3 when body.Length > 0 => [.. body[..Math.Min(at, body.Length - 1)], edit.Value, .. body[Math.Min(at + 1, body.Length)..]],
            _ => body,
        };
    }
}
