using Engram.Server.Store;

namespace Engram.Server.Hosting;

/// <summary>How a service is reached, and by whom.</summary>
public sealed record ServeOptions
{
    /// <summary>Where its files are and what it may use.</summary>
    public required ServiceOptions Service { get; init; }

    /// <summary>Opens the store of feedback, versions, keys and the audit log when the service starts, which closes it. Bundles are in the folder nevertheless.</summary>
    /// <value>Default: a <see cref="SqliteServiceStore"/> in the folder.</value>
    public Func<ServiceOptions, TimeProvider, IServiceStore> OpenStore { get; init; } = (service, clock) => new SqliteServiceStore(service, clock);

    /// <summary>Where it listens: <c>http://127.0.0.1:7070</c>, <c>https://0.0.0.0:443</c>; port 0 chooses a free one.</summary>
    /// <value>Default <see cref="DefaultUrl"/>.</value>
    public IReadOnlyList<string> Urls { get; init; } = [DefaultUrl];

    /// <summary>Whether everyone who can reach it may do everything. Only on loopback.</summary>
    /// <value>Default false.</value>
    public bool NoAuth { get; init; }

    /// <summary>Whether it may be reached from other machines without TLS, behind a proxy that adds it.</summary>
    /// <value>Default false.</value>
    public bool Insecure { get; init; }

    /// <summary>Certificate for TLS: a PEM file with its chain, or a PKCS #12 file.</summary>
    public string? TlsCertificate { get; init; }

    /// <summary>Private key for TLS, in PEM; null where the certificate's file holds it.</summary>
    public string? TlsKey { get; init; }

    /// <summary>
    /// Names it answers to, without port. Empty for the hosts of <see cref="Urls"/> and, on loopback, <c>localhost</c>; every name when it listens on all
    /// addresses, where keys are required and no browser sends them by itself.
    /// </summary>
    public IReadOnlyList<string> Hosts { get; init; } = [];

    /// <summary>What one request, and one key, may ask for.</summary>
    public RequestLimits Limits { get; init; } = new();

    /// <summary>Longest that requests in progress may take to end when the service stops.</summary>
    /// <value>Default 30 seconds.</value>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Where it listens unless told otherwise.</summary>
    public const string DefaultUrl = "http://127.0.0.1:7070";
}

/// <summary>What one request, and one key, may ask for; more is refused with 413 or 429.</summary>
public sealed record RequestLimits
{
    /// <summary>Most bytes of a request.</summary>
    /// <value>Default 16 MiB.</value>
    public long MaxBodyBytes { get; init; } = 16 << 20;

    /// <summary>Most bytes of an imported file of feedback or bundle.</summary>
    /// <value>Default 1 GiB.</value>
    public long MaxImportBytes { get; init; } = 1 << 30;

    /// <summary>Most bytes of a line of an imported file.</summary>
    /// <value>Default 1 MiB.</value>
    public int MaxLineBytes { get; init; } = 1 << 20;

    /// <summary>Most inputs or feedbacks of a batch.</summary>
    /// <value>Default 1,000.</value>
    public int MaxBatch { get; init; } = 1000;

    /// <summary>Requests per second of one key; 0 for any number.</summary>
    /// <value>Default 20,000.</value>
    public int RequestsPerSecond { get; init; } = 20_000;

    /// <summary>Most streams of events open at a time, of all keys together.</summary>
    /// <value>Default 200.</value>
    public int MaxEventStreams { get; init; } = 200;

    /// <summary>Most connections open at a time.</summary>
    /// <value>Default 10,000.</value>
    public int MaxConnections { get; init; } = 10_000;
}
