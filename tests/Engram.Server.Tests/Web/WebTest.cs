using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Engram.Client;
using Engram.Server.Hosting;
using Microsoft.Extensions.Logging;

namespace Engram.Server.Tests.Web;

/// <summary>A service on a port of its own, in a folder of its own, over real sockets.</summary>
public abstract class WebTest : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("engram-web-").FullName;
    private readonly List<IDisposable> _clients = [];
    private EngramServer? _server;
    private string? _key;

    private protected static CancellationToken Token => TestContext.Current.CancellationToken;

    private protected ServeOptions Options => new()
    {
        Service = new ServiceOptions { Folder = _folder },
        Urls = ["http://127.0.0.1:0"],
        DrainTimeout = TimeSpan.FromSeconds(5),
    };

    private protected EngramServer Server => _server ?? throw new InvalidOperationException("Start first.");

    private protected Uri Address => Server.Addresses[0];

    /// <summary>A key that may do everything.</summary>
    private protected string Key => _key ?? throw new InvalidOperationException("Start with keys first.");

    private protected async Task<EngramClient> StartAsync(ServeOptions? options = null)
    {
        _server = EngramServer.Create(options ?? Options, logs: LogLevel.None);
        await _server.StartAsync(Token);
        _key = await _server.ReadyAsync(Token) ?? _key;
        return Client(_key);
    }

    private protected EngramClient Client(string? key, EngramClientOptions? options = null)
    {
        var client = new EngramClient(Address, key, options ?? new EngramClientOptions { Retries = 0 });
        _clients.Add(client);
        return client;
    }

    private protected HttpClient Http(string? key)
    {
        var http = new HttpClient { BaseAddress = Address };
        if (key is not null) http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        _clients.Add(http);
        return http;
    }

    private protected async Task<string> KeyOfAsync(EngramClient admin, Role role, params string[] learners) =>
        (await admin.CreateKeyAsync(new CreateKeyRequest { Name = $"{role}", Roles = [role], Learners = learners }, Token)).Key;

    private protected static HttpContent Json(string json) => new StringContent(json, Encoding.UTF8, "application/json");

    /// <summary>A learner of two numbers, which learns when asked.</summary>
    private protected static LearnerSpecification Pairs(string name = "pairs") => new()
    {
        Name = name,
        Input = new InputSchema { Kind = InputKind.Vector, Size = 2 },
        Learning = new LearningPolicy { EverySamples = 0, HoldOut = 0, CpuShare = 1 },
    };

    /// <summary>Inputs of a label around a place of its own.</summary>
    private protected static IEnumerable<FeedbackRequest> Lesson(string label, float x, float y) => Enumerable.Range(0, 10)
        .Select(i => new FeedbackRequest { Input = LearnerInput.Vector(x + i * 0.01f, y - i * 0.01f), Label = label });

    /// <summary>A learner that has published a version that tells left from right.</summary>
    private protected static async Task<LearnerClient> TaughtAsync(EngramClient client, LearnerSpecification? specification = null)
    {
        var learner = await client.CreateLearnerAsync(specification ?? Pairs(), cancellationToken: Token);
        await learner.FeedbackAsync([.. Lesson("left", -1, 0), .. Lesson("right", 1, 0)], Token);
        await learner.LearnAsync(cancellationToken: Token);
        return learner;
    }

    private protected static async Task<Problem> ProblemOfAsync(HttpResponseMessage response)
    {
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        var problem = JsonSerializer.Deserialize(await response.Content.ReadAsStringAsync(Token), EngramJson.Default.Problem)!;
        Assert.Equal((int)response.StatusCode, problem.Status);
        Assert.StartsWith("urn:engram:problem:", problem.Type, StringComparison.Ordinal);
        return problem;
    }

    private protected static async Task<ProblemException> RefusedAsync(HttpStatusCode status, Func<Task> request)
    {
        var problem = await Assert.ThrowsAsync<ProblemException>(request);
        Assert.Equal(status, problem.Status);
        return problem;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients) client.Dispose();
        if (_server is not null) await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }
}
