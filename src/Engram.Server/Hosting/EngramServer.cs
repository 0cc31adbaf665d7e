using Engram.Server.Api;
using Engram.Server.Security;
using Engram.Server.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Engram.Server.Hosting;

/// <summary>The service over HTTP: learners, keys, dashboard, documentation, metrics.</summary>
/// <remarks>It answers <c>/health/live</c> as soon as it is started, and everything else once <see cref="ReadyAsync"/> completes.</remarks>
public sealed class EngramServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Startup _startup;
    private int _stopped;

    private EngramServer(WebApplication app)
    {
        _app = app;
        _startup = app.Services.GetRequiredService<Startup>();
    }

    /// <summary>Sets a service up; nothing is opened yet.</summary>
    /// <param name="options">How it is reached, and by whom.</param>
    /// <param name="clock">The time; null for the system's.</param>
    /// <param name="logs">The least that is logged, as JSON lines on standard error.</param>
    /// <exception cref="SpecificationException">An option is wrong, or would not be safe.</exception>
    public static EngramServer Create(ServeOptions options, TimeProvider? clock = null, LogLevel logs = LogLevel.Information)
    {
        var listening = Listening.Of(options);
        clock ??= TimeProvider.System;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "engram", ContentRootPath = AppContext.BaseDirectory });
        Listen(builder, listening, options);
        builder.AddTelemetry();
        builder.AddLogs(logs);
        builder.Services
            .AddSingleton(options).AddSingleton(listening).AddSingleton(clock)
            .AddSingleton(new RateLimits(options.Limits.RequestsPerSecond, clock))
            .AddSingleton<IHostLifetime, NoSignals>()
            .AddSingleton<Startup>().AddHostedService(services => services.GetRequiredService<Startup>())
            .Configure<HostOptions>(host => host.ShutdownTimeout = options.DrainTimeout)
            .Configure<JsonOptions>(Write)
            .Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true)
            .AddRoutingCore()
            .AddDocumentation();

        var app = builder.Build();
        app.UseMiddleware<SecurityHeaders>();
        app.UseMiddleware<Problems>();
        app.UseMiddleware<HostCheck>();
        app.UseDocumentation();
        app.UseRouting();
        app.UseMiddleware<Access>();
        app.MapEngram(options, app.Services.GetRequiredService<Startup>(), clock);
        return new EngramServer(app);
    }

    /// <summary>Where it listens, once started.</summary>
    public IReadOnlyList<Uri> Addresses => [.. _app.Urls.Select(url => new Uri(url.Replace("*", "localhost", StringComparison.Ordinal).Replace("+", "localhost", StringComparison.Ordinal)))];

    /// <summary>Method and pattern of every route, for tests.</summary>
    internal IEnumerable<(string Method, string Path)> Routes =>
        from endpoint in _app.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? []
        select (method, "/" + endpoint.RoutePattern.RawText!.Trim('/'));

    /// <summary>The learners, once <see cref="ReadyAsync"/> has completed.</summary>
    public LearningService Service => _startup.Opened.Service;

    /// <summary>Listens, and begins to open the learners.</summary>
    /// <exception cref="IOException">An address is in use.</exception>
    public Task StartAsync(CancellationToken cancellationToken = default) => _app.StartAsync(cancellationToken);

    /// <summary>Completes when the learners are open.</summary>
    /// <returns>The key that was made because there was none, to be shown once; null where there were keys.</returns>
    /// <exception cref="IOException">The folder cannot be used, or another service uses it.</exception>
    public async Task<string?> ReadyAsync(CancellationToken cancellationToken = default) =>
        (await _startup.Ready.WaitAsync(cancellationToken)).FirstKey;

    /// <summary>Serves until cancelled, then stops as <see cref="StopAsync"/> does.</summary>
    /// <exception cref="IOException">The folder cannot be used, or another service uses it.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await ReadyAsync(cancellationToken);
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (cancellationToken.UnsafeRegister(_ => cancelled.TrySetResult(), null)) await cancelled.Task;
        await StopAsync(CancellationToken.None);
    }

    /// <summary>Takes no more requests, ends those in progress, and closes the learners.</summary>
    /// <param name="cancellationToken">Ends requests in progress at once.</param>
    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        if (Interlocked.Exchange(ref _stopped, 1) == 0) await _app.StopAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _app.DisposeAsync();
    }

    private static void Listen(WebApplicationBuilder builder, Listening listening, ServeOptions options)
    {
        var host = builder.WebHost.UseKestrelCore().UseUrls([.. listening.Urls]).ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = options.Limits.MaxBodyBytes;
            kestrel.Limits.MaxConcurrentConnections = options.Limits.MaxConnections;
            kestrel.Limits.MaxRequestHeadersTotalSize = 16 * 1024;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
            if (listening.Certificate is { } certificate) kestrel.ConfigureHttpsDefaults(https => (https.ServerCertificate, https.ServerCertificateChain) = (certificate, listening.Chain));
        });
        if (listening.Certificate is not null) host.UseKestrelHttpsConfiguration();
    }

    // What signals mean is for the program to say.
    private sealed class NoSignals : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    // Handlers' answers are written as the contracts are.
    private static void Write(JsonOptions options)
    {
        var (target, source) = (options.SerializerOptions, Answers.Json.Options);
        target.TypeInfoResolverChain.Clear();
        target.TypeInfoResolverChain.Add(Answers.Json);
        foreach (var converter in source.Converters) target.Converters.Add(converter);
        target.DefaultIgnoreCondition = source.DefaultIgnoreCondition;
        target.UnmappedMemberHandling = source.UnmappedMemberHandling;
        target.NumberHandling = source.NumberHandling;
        target.RespectNullableAnnotations = source.RespectNullableAnnotations;
        target.RespectRequiredConstructorParameters = source.RespectRequiredConstructorParameters;
        target.MaxDepth = source.MaxDepth;
        target.Encoder = source.Encoder;
    }
}
