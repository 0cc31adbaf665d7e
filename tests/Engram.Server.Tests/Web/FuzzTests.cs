using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using CsCheck;
using Engram.Client;

namespace Engram.Server.Tests.Web;

/// <summary>Requests of nonsense that nearly makes sense: no 500, no hang, nothing of the inside in an answer.</summary>
public sealed class FuzzTests : WebTest
{
    private static readonly TimeSpan s_hang = TimeSpan.FromSeconds(30);

    // What would tell of the inside: types, stack traces, paths, SQL.
    private static readonly string[] s_internals = ["Exception", "   at ", "System.", "Engram.Server", "Microsoft.", "SQLite", "SELECT", ".cs:", "/tmp/", "engram-web-"];

    private static readonly string[] s_paths =
    [
        "/v1/learners", "/v1/learners/pairs", "/v1/learners/pairs/predictions", "/v1/learners/pairs/predictions/batch", "/v1/learners/pairs/feedback",
        "/v1/learners/pairs/feedback/batch", "/v1/learners/pairs/feedback/import", "/v1/learners/pairs/versions", "/v1/learners/pairs/versions/1",
        "/v1/learners/pairs/versions/1/approve", "/v1/learners/pairs/versions/2147483648/reject", "/v1/learners/pairs/versions/-1/pin",
        "/v1/learners/pairs/versions/1/diff/2", "/v1/learners/pairs/versions/1/export", "/v1/learners/pairs/versions/import", "/v1/learners/pairs/rollback",
        "/v1/learners/pairs/aliases/champion", "/v1/learners/pairs/aliases/%00", "/v1/learners/pairs/examples", "/v1/learners/pairs/examples/..%2f..",
        "/v1/learners/pairs/subjects/a%2Fb", "/v1/learners/pairs/subjects/%F0%9F%A7%A0", "/v1/learners/pairs/watch", "/v1/learners/pairs/accuracy",
        "/v1/learners/..%2f..%2fetc", "/v1/keys", "/v1/keys/x", "/v1/audit?limit=1e9", "/v1/audit?learner=%27--", "/health/ready", "/openapi/v2.json", "/docs/../x", "/",
    ];

    private static readonly string[] s_bodies =
    [
        """{"input":[1,2]}""", """{"inputs":[[1,2],[3,4]]}""", """{"input":[1,2],"label":"left"}""", """{"items":[{"input":[1,2],"label":"left"}]}""",
        """{"name":"made","input":{"kind":"vector","size":2},"learning":{"everySamples":0}}""", """{"version":1,"reason":"because"}""",
        """{"name":"k","roles":["predict"]}""", "label,x,y\nleft,1,2\n", """{"predictionId":"p","reward":0.5,"subject":"s","idempotencyKey":"k","observedAt":"2026-01-01T00:00:00Z"}""",
    ];

    private static readonly string[] s_parts =
    [
        "null", "true", "-0", "1e999", "-1", "2147483648", "9223372036854775808", "\"\"", "\"\\u0000\"", "\"\\ud800\"", "[]", "{}", "[[[[", "}", "\"", ",", ":", "NaN", "\uFEFF", "\n", "\"input\":",
        "\"left\"", "\"champion\"", "\"'; DROP TABLE feedback;--\"", "0.1", "1e-400", "\u0000", "é", "🧠",
    ];

    private static readonly string[] s_types = ["application/json", "application/json; charset=utf-16", "text/csv", "application/x-ndjson", "application/zip", "text/plain", "x/y"];

    private static readonly Gen<(string Method, string Path, string Type, byte[] Body)> s_requests = Gen.Select(
        Gen.OneOfConst("GET", "POST", "POST", "POST", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"), Gen.OneOfConst(s_paths),
        Gen.Frequency((6, Gen.Const(s_types[0])), (4, Gen.OneOfConst(s_types))), Bodies());

    [Fact]
    public Task Requests_of_nonsense_are_answered_as_such() => RunAsync(1500);

    [Fact(Explicit = true)]
    public Task Fifty_thousand_requests_of_nonsense_are_answered_as_such() => RunAsync(50_000);

    private async Task RunAsync(int count)
    {
        var admin = await StartAsync(Options with { Limits = new Hosting.RequestLimits { RequestsPerSecond = 0, MaxBodyBytes = 100_000, MaxLineBytes = 1000 } });
        await TaughtAsync(admin);
        var operate = await KeyOfAsync(admin, Role.Operate); // it deletes no learner and no key that the run needs
        using var http = Http(operate);
        http.Timeout = s_hang;
        var statuses = new Dictionary<HttpStatusCode, int>();
        foreach (var request in s_requests.Array[count].Single(seed: "0N0XIzNsQ0O2"))
        {
            var (status, answer) = await SendAsync(http, request);
            statuses[status] = statuses.GetValueOrDefault(status) + 1;
            var shown = $"{request.Method} {request.Path} {request.Type}\n{Encoding.UTF8.GetString(request.Body)}\n-> {(int)status} {answer}";
            Assert.True((int)status < 500, shown);
            Assert.All(s_internals, inside => Assert.False((int)status >= 400 && answer.Contains(inside, StringComparison.Ordinal), shown));
            if ((int)status >= 400 && request.Method != "HEAD") Assert.Equal((int)status, JsonSerializer.Deserialize(answer, EngramJson.Default.Problem)!.Status);
        }
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", statuses.OrderBy(status => status.Key).Select(status => $"{(int)status.Key}: {status.Value}")));
        Assert.True(statuses.Count > 4);
        Assert.True((await admin.Learner("pairs").GetAsync(Token)).Champion > 0);
    }

    private static async Task<(HttpStatusCode Status, string Answer)> SendAsync(HttpClient http, (string Method, string Path, string Type, byte[] Body) it)
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

    // A body that is right, with some parts cut out, put in, doubled or with a byte changed.
    private static Gen<byte[]> Bodies()
    {
        var edit = Gen.Select(Gen.Int[0, 4], Gen.Double[0, 1], Gen.Int[0, 12], Gen.OneOfConst(s_parts), Gen.Byte);
        return Gen.Select(Gen.OneOfConst(s_bodies), edit.Array[0, 3], (body, edits) => edits.Aggregate(Encoding.UTF8.GetBytes(body), Edit));
    }

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
