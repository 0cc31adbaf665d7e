using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Engram.Client;
using Engram.Data;
using Engram.Server.Tests.Engine;

namespace Engram.Server.Tests.Web;

/// <summary>Requests of nonsense that nearly makes sense: no 500, no hang, nothing of the inside in an answer.</summary>
public sealed class FuzzTests : WebTest
{
    private static readonly TimeSpan s_hang = TimeSpan.FromSeconds(30);

    // What would tell of the inside: types, stack traces, paths, SQL.
    private static readonly string[] s_internals = ["Exception", "   at ", "System.", "Engram.Server", "Microsoft.", "SQLite", "SELECT", ".cs:", "/tmp/", "engram-web-"];

    // What the service does not have, or never takes.
    private static readonly Operation[] s_elsewhere =
    [
        new("PUT", "/v1/learners/pairs/aliases/champion", """{"version":1,"reason":"because"}"""), new("PUT", "/v1/learners/pairs/aliases/%00", """{"version":1}"""),
        new("POST", "/v1/learners/pairs/versions/2147483648/reject", """{"reason":"because"}"""), new("POST", "/v1/learners/pairs/versions/-1/pin", """{"reason":"because"}"""),
        new("POST", "/v1/learners/pairs/versions/import", "PK\u0003\u0004", Zip), new("DELETE", "/v1/learners/pairs/examples/..%2f.."), new("DELETE", "/v1/keys/x"),
        new("GET", "/v1/learners/..%2f..%2fetc"), new("GET", "/v1/audit?limit=1e9"), new("GET", "/openapi/v2.json"), new("GET", "/docs/../x"),
    ];

    // One white pixel.
    private const string Png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

    private static readonly string[] s_parts =
    [
        "null", "true", "-0", "1e999", "-1", "2147483648", "9223372036854775808", "\"\"", "\"\\u0000\"", "\"\\ud800\"", "[]", "{}", "[[[[", "}", "\"", ",", ":", "NaN", "\uFEFF", "\n", "\"input\":",
        "\"left\"", "\"champion\"", "\"'; DROP TABLE feedback;--\"", "0.1", "1e-400", "\u0000", "é", "🧠",
    ];

    private const string Plain = "application/json";
    private const string Csv = "text/csv";
    private const string Lines = "application/x-ndjson";
    private const string Zip = "application/zip";

    private static readonly string[] s_types = [Plain, "application/json; charset=utf-16", Csv, Lines, Zip, "text/plain", "x/y"];

    private static readonly string[] s_methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];

    [Fact]
    public Task Requests_of_nonsense_are_answered_as_such() => RunAsync(1300);

    [Fact(Explicit = true)]
    public Task Fifty_thousand_requests_of_nonsense_are_answered_as_such() => RunAsync(50_000);

    private byte[] _exported = []; // a whole version, to be damaged and imported

    private async Task RunAsync(int count)
    {
        var admin = await StartAsync(Options with { Limits = new Hosting.RequestLimits { RequestsPerSecond = 0, MaxBodyBytes = 4_000_000, MaxLineBytes = 1000 } });
        var offered = await OfferedAsync(admin);
        using var all = Http(Key);
        using var some = Http(await KeyOfAsync(admin, Role.Operate)); // what is sent with any method deletes no learner that the run needs
        all.Timeout = some.Timeout = s_hang;
        var statuses = new Dictionary<HttpStatusCode, int>();
        // As it is, each is taken: a body that never is would be refused before anything reads it.
        foreach (var operation in offered)
        {
            var (status, answer) = await SendAsync(all, new Nonsense(true, operation.Method, operation.Path, operation.Type, BodyOf(operation)));
            Assert.True((int)status < 300, $"{operation} -> {(int)status} {answer}");
        }
        Operation[] operations = [.. offered, .. s_elsewhere];
        var chance = new SeededRandom(7, "requests of nonsense");
        for (var i = 0; i < count; i++)
        {
            var request = chance.Next(30) == 0 ? Bundle(chance) : Next(chance, operations);
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

    // What the service offers, with a body that is right, in an order in which each is taken.
    private async Task<Operation[]> OfferedAsync(EngramClient admin)
    {
        await TaughtAsync(admin);
        _exported = await Http(Key).GetByteArrayAsync("/v1/learners/pairs/versions/1/export", Token);
        await TaughtAsync(admin, Pairs("waiting") with { Gate = new GateSpecification { Mode = GateMode.Staged } });
        SmallOnnx.OfNumbers(Path.Combine(Directory.CreateDirectory(Path.Combine(Options.Service.Folder, "encoders")).FullName, "numbers.onnx"));
        await TeachAsync(admin, "dots", new InputSchema { Kind = InputKind.Image, Height = 1, Width = 1 }, LearnerInput.Pixels([0]), LearnerInput.Pixels([255]));
        await TeachAsync(admin, "words", new InputSchema { Kind = InputKind.Text, Features = 256 }, LearnerInput.Text("to the left"), LearnerInput.Text("on the right"));
        await TeachAsync(
            admin, "rows", new InputSchema { Kind = InputKind.Tabular, Columns = [new() { Name = "a" }, new() { Name = "b", Kind = ColumnKind.Categorical, Values = ["x"] }] },
            LearnerInput.Row(new("a", 1), new("b", "x")), LearnerInput.Row(new("a", null), new("b", "y")));
        await TeachAsync(
            admin, "encoded", new InputSchema { Kind = InputKind.Onnx, Size = 2, Encoder = "numbers.onnx" }, LearnerInput.Vector(-1, 0), LearnerInput.Vector(1, 0));
        var example = await admin.Learner("pairs").PinExampleAsync(LearnerInput.Vector(-1, 0), "left", cancellationToken: Token);
        var key = await admin.CreateKeyAsync(new CreateKeyRequest { Name = "gone", Roles = [Role.Predict] }, Token);
        const string Because = """{"reason":"because"}""";
        return
        [
            new("POST", "/v1/learners/pairs/predictions", """{"input":[1,2],"predictionId":"p","subject":"s"}"""),
            new("POST", "/v1/learners/pairs/predictions", """{"input":[1,2],"alternatives":2,"version":"champion"}"""),
            new("POST", "/v1/learners/pairs/predictions/batch", """{"inputs":[[1,2],[3,4]]}"""),
            new("POST", "/v1/learners/dots/predictions", """{"input":{"pixels":"gA=="}}"""),
            new("POST", "/v1/learners/dots/predictions", $$$"""{"input":{"file":"{{{Png}}}"}}"""),
            new("POST", "/v1/learners/dots/predictions", """{"input":[128]}"""),
            new("POST", "/v1/learners/words/predictions", """{"input":"to the right, 左"}"""),
            new("POST", "/v1/learners/rows/predictions", """{"input":{"a":2.5,"b":"x"}}"""),
            new("POST", "/v1/learners/rows/predictions/batch", """{"inputs":[{"a":null,"b":"z"},{"b":null}]}"""),
            new("POST", "/v1/learners/encoded/predictions", """{"input":[1,2]}"""),
            new("POST", "/v1/learners/pairs/feedback", """{"input":[1,2],"label":"left","idempotencyKey":"k"}"""),
            new("POST", "/v1/learners/pairs/feedback", """{"predictionId":"p","reward":0.5,"subject":"s","observedAt":"2026-01-01T00:00:00Z"}"""),
            new("POST", "/v1/learners/pairs/feedback/batch", """{"items":[{"input":[1,2],"label":"left"},{"input":[3,4],"label":"new"}]}"""),
            new("POST", "/v1/learners/dots/feedback", """{"input":{"pixels":"gA=="},"label":"left"}"""),
            new("POST", "/v1/learners/words/feedback", """{"input":"to the left","label":"left"}"""),
            new("POST", "/v1/learners/rows/feedback", """{"input":{"a":-1e3,"b":"x"},"label":"left"}"""),
            new("POST", "/v1/learners/encoded/feedback", """{"input":[1,2],"label":"left"}"""),
            new("POST", "/v1/learners/pairs/feedback/import", "label,x,y\nleft,1,2\nright,3,4\n", Csv),
            new("POST", "/v1/learners/words/feedback/import", "text,label\n\"left, or\"\"not\",left\nright,right\n", Csv),
            new("POST", "/v1/learners/rows/feedback/import", "b,a,label,subject\nx,1,left,s\n,,right,\n", Csv),
            new("POST", "/v1/learners/pairs/feedback/import", "{\"input\":[1,2],\"label\":\"left\"}\n{\"input\":[3,4],\"label\":\"up\"}\n", Lines),
            new("GET", "/v1/learners/pairs/feedback"),
            new("POST", "/v1/learners?reason=because", """{"name":"made","input":{"kind":"vector","size":2},"learning":{"everySamples":0}}"""),
            new("POST", "/v1/learners", """{"name":"table","input":{"kind":"tabular","columns":[{"name":"a","kind":"numeric"},{"name":"b","kind":"categorical"}]},"model":{"kind":"ridge"},"gate":{"mode":"staged"}}"""),
            new("POST", "/v1/learners", """{"name":"text","input":{"kind":"text","features":256},"model":{"kind":"network","hidden":[8]},"learning":{"everySeconds":60}}"""),
            new("DELETE", "/v1/learners/made"), new("DELETE", "/v1/learners/table?reason=because"), new("DELETE", "/v1/learners/text"),
            new("POST", "/v1/keys", """{"name":"k","roles":["predict"],"learners":["pairs"],"expires":"9000-01-01T00:00:00Z","reason":"because"}"""),
            new("DELETE", $"/v1/keys/{key.Info.Id}"), new("GET", "/v1/keys"),
            new("POST", "/v1/learners/pairs/examples", """{"input":[-1,0],"label":"left","subject":"s","reason":"because"}"""),
            new("GET", "/v1/learners/pairs/examples"), new("DELETE", $"/v1/learners/pairs/examples/{example.Id}?reason=because"),
            new("POST", "/v1/learners/pairs/versions/import", "", Zip), new("POST", "/v1/learners/pairs/rollback", """{"version":1,"reason":"because"}"""),
            new("PUT", "/v1/learners/pairs/aliases/stable", """{"version":1,"reason":"because"}"""),
            new("POST", "/v1/learners/pairs/versions/1/pin", Because), new("DELETE", "/v1/learners/pairs/versions/1/pin"),
            new("POST", "/v1/learners/waiting/versions/1/approve", Because),
            new("POST", "/v1/learners/waiting/versions/import", "", Zip), new("POST", "/v1/learners/waiting/versions/2/reject", Because),
            new("POST", "/v1/learners/pairs/pause", Because), new("POST", "/v1/learners/pairs/resume", Because), new("POST", "/v1/learners/pairs/learn", Because),
            new("DELETE", "/v1/learners/pairs/subjects/a%2Fb?reason=asked"), new("GET", "/v1/learners/pairs/subjects/%F0%9F%A7%A0"),
            new("GET", "/v1/learners"), new("GET", "/v1/learners/pairs"), new("GET", "/v1/learners/pairs/versions"), new("GET", "/v1/learners/pairs/versions/1"),
            new("GET", "/v1/learners/pairs/versions/1/diff/2"), new("GET", "/v1/learners/pairs/versions/1/export"),
            new("GET", "/v1/learners/pairs/watch"), new("GET", "/v1/learners/pairs/accuracy"), new("GET", "/v1/audit?learner=%27--"), new("GET", "/v1/audit?limit=10"),
            new("GET", "/health/ready"), new("GET", "/metrics"), new("GET", "/"),
        ];
    }

    private static async Task TeachAsync(EngramClient admin, string name, InputSchema input, JsonElement left, JsonElement right)
    {
        var learner = await admin.CreateLearnerAsync(Pairs(name) with { Input = input }, cancellationToken: Token);
        await learner.FeedbackAsync(left, "left", Token);
        await learner.FeedbackAsync(right, "right", Token);
        await learner.LearnAsync(cancellationToken: Token);
    }

    // A zip is a version that was exported here, where none is said.
    private byte[] BodyOf(Operation operation) => operation is { Type: Zip, Body: "" } ? _exported : Encoding.UTF8.GetBytes(operation.Body);

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
    private Nonsense Next(SeededRandom chance, Operation[] operations)
    {
        var operation = One(chance, operations);
        var offered = chance.Next(10) > 0;
        var body = Edited(chance, BodyOf(offered ? operation : One(chance, operations)));
        return new Nonsense(offered, offered ? operation.Method : One(chance, s_methods), operation.Path, chance.Next(10) > 0 ? operation.Type : One(chance, s_types), body);
    }

    private static byte[] Edited(SeededRandom chance, byte[] body)
    {
        for (var edits = chance.Next(4); edits > 0; edits--)
            body = Edit(body, (chance.Next(5), chance.NextDouble(), chance.Next(13), One(chance, s_parts), (byte)chance.Next(256)));
        return body;
    }

    // A bundle that was exported here, of which one file is changed, or is in it twice, or some bytes of the zip are others.
    private Nonsense Bundle(SeededRandom chance)
    {
        var zip = new MemoryStream();
        using (var from = new ZipArchive(new MemoryStream(_exported)))
        using (var to = new ZipArchive(zip, ZipArchiveMode.Create, leaveOpen: true))
        {
            var (changed, twice) = (chance.Next(from.Entries.Count), chance.Next(10) == 0);
            for (var i = 0; i < from.Entries.Count; i++)
            {
                using var content = new MemoryStream();
                using (var file = from.Entries[i].Open()) file.CopyTo(content);
                var bytes = i == changed ? Edited(chance, content.ToArray()) : content.ToArray();
                for (var times = i == changed && twice ? 2 : 1; times > 0; times--)
                {
                    using var entry = to.CreateEntry(from.Entries[i].FullName).Open();
                    entry.Write(bytes);
                }
            }
        }
        var body = chance.Next(4) == 0 ? Edited(chance, zip.ToArray()) : zip.ToArray();
        return new Nonsense(true, "POST", "/v1/learners/pairs/versions/import", Zip, body);
    }

    private sealed record Operation(string Method, string Path, string Body = "", string Type = Plain);

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
