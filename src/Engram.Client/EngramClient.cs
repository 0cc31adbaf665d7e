using System.Net.Http.Headers;
using Engram.Client.Http;

namespace Engram.Client;

/// <summary>Talks to an Engram service: learners, keys and the audit log; what concerns one learner is at <see cref="Learner"/>.</summary>
/// <remarks>
/// Safe for use by many threads at once; make one and keep it. Requests are sent again, as <see cref="EngramClientOptions"/> says, when the service is busy, starts
/// or cannot be reached; feedback gets an idempotency key first, so that none is stored twice.
/// </remarks>
public sealed class EngramClient : IDisposable
{
    private readonly HttpClient? _own;
    private readonly Connection _connection;

    /// <summary>Creates a client.</summary>
    /// <param name="address">Where the service is, for example <c>http://127.0.0.1:7070</c>.</param>
    /// <param name="key">The key; null for a service that asks for none.</param>
    /// <param name="options">How requests are sent again.</param>
    public EngramClient(Uri address, string? key = null, EngramClientOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(address);
        _own = new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5), AllowAutoRedirect = false })
        {
            BaseAddress = address.AbsoluteUri.EndsWith('/') ? address : new Uri(address.AbsoluteUri + "/"),
            Timeout = Timeout.InfiniteTimeSpan,
        };
        if (key is not null) _own.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        _connection = new Connection(_own, options ?? new EngramClientOptions());
    }

    /// <summary>Creates a client over a <see cref="HttpClient"/> of the caller's, whose address, key and handlers it uses as they are.</summary>
    /// <param name="http">With <see cref="HttpClient.BaseAddress"/>; the caller disposes it.</param>
    /// <param name="options">How requests are sent again.</param>
    public EngramClient(HttpClient http, EngramClientOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(http);
        _connection = new Connection(http, options ?? new EngramClientOptions());
    }

    /// <summary>One learner; nothing is asked of the service yet.</summary>
    /// <param name="name">Its name.</param>
    public LearnerClient Learner(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return new LearnerClient(_connection, name);
    }

    /// <summary>The learners that the key reaches.</summary>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<IReadOnlyList<LearnerDescription>> GetLearnersAsync(CancellationToken cancellationToken = default) =>
        _connection.GetAsync("v1/learners", AnswerJson.Default.IReadOnlyListLearnerDescription, cancellationToken);

    /// <summary>Creates a learner.</summary>
    /// <param name="specification">What it is to be.</param>
    /// <param name="reason">Why, for the audit log.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ProblemException">A field is wrong, or there is a learner of this name.</exception>
    public async Task<LearnerClient> CreateLearnerAsync(
        LearnerSpecification specification, string? reason = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(specification);
        await _connection.SendAsync(
            HttpMethod.Post, Addresses.With("v1/learners", "reason", reason), specification, EngramJson.Default.LearnerSpecification, AnswerJson.Default.LearnerDescription,
            isRepeatable: false, cancellationToken).ConfigureAwait(false);
        return Learner(specification.Name);
    }

    /// <summary>The keys, without their secrets.</summary>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<IReadOnlyList<KeyInfo>> GetKeysAsync(CancellationToken cancellationToken = default) =>
        _connection.GetAsync("v1/keys", AnswerJson.Default.IReadOnlyListKeyInfo, cancellationToken);

    /// <summary>Makes a key; its secret is in the answer and nowhere else.</summary>
    /// <param name="request">What it is to allow.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<CreatedKey> CreateKeyAsync(CreateKeyRequest request, CancellationToken cancellationToken = default) => _connection.SendAsync(
        HttpMethod.Post, "v1/keys", request, EngramJson.Default.CreateKeyRequest, AnswerJson.Default.CreatedKey, isRepeatable: false, cancellationToken);

    /// <summary>Revokes a key, at once.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="reason">Why, for the audit log.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task DeleteKeyAsync(string id, string? reason = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(id);
        using var _ = await _connection.SendAsync(
            HttpMethod.Delete, Addresses.With($"v1/keys/{Uri.EscapeDataString(id)}", "reason", reason), null, isRepeatable: false, hasTimeout: true,
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Changes, who made them and why, the newest first.</summary>
    /// <param name="learner">Only those of a learner; null for all.</param>
    /// <param name="limit">At most as many, 1 to 10,000.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<IReadOnlyList<AuditEntry>> GetAuditAsync(string? learner = null, int limit = 100, CancellationToken cancellationToken = default) =>
        _connection.GetAsync(
            Addresses.With(FormattableString.Invariant($"v1/audit?limit={limit}"), "learner", learner), AnswerJson.Default.IReadOnlyListAuditEntry, cancellationToken);

    /// <summary>Whether the service takes requests.</summary>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<bool> IsReadyAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            using var _ = await _connection.SendAsync(
                HttpMethod.Get, "health/ready", null, isRepeatable: true, hasTimeout: true, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (Exception problem) when (problem is ProblemException or HttpRequestException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _own?.Dispose();
}
