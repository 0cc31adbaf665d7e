using Engram.Server.Api;
using Engram.Server.Security;
using Engram.Server.Store;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Engram.Server.Hosting;

/// <summary>A service whose learners are open.</summary>
/// <param name="Service">The learners.</param>
/// <param name="Keys">Who may do what with them.</param>
/// <param name="FirstKey">The key that was made because there was none; shown once, by whoever started the service.</param>
internal sealed record OpenedService(LearningService Service, KeyRing Keys, string? FirstKey);

/// <summary>Opens the learners while the service already answers whether it is there, and closes them after the last request.</summary>
internal sealed partial class Startup(ServeOptions options, TimeProvider clock, IHostApplicationLifetime lifetime, ILogger<Startup> log, ILoggerFactory logs) : IHostedService
{
    private readonly TaskCompletionSource<OpenedService> _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _opening = Task.CompletedTask;

    /// <summary>Completes when the learners are open.</summary>
    public Task<OpenedService> Ready => _opened.Task;

    /// <summary>Whether the learners are open and no stop was asked for.</summary>
    public bool IsReady => IsStarted && !IsStopping;

    /// <summary>Whether the learners are open.</summary>
    public bool IsStarted => _opened.Task.IsCompletedSuccessfully;

    /// <summary>Whether a stop was asked for.</summary>
    public bool IsStopping => lifetime.ApplicationStopping.IsCancellationRequested;

    /// <summary>Cancelled when a stop is asked for: streams without an end must end then.</summary>
    public CancellationToken Stopping => lifetime.ApplicationStopping;

    /// <summary>The open service.</summary>
    /// <exception cref="RefusedException">It starts or stops.</exception>
    public OpenedService Opened =>
        IsReady ? _opened.Task.Result : throw new RefusedException(
            StatusCodes.Status503ServiceUnavailable, IsStopping ? "stopping" : "starting", null,
            IsStopping ? "the service stops, expected another try later" : "the service starts, expected another try in a moment",
            TimeSpan.FromSeconds(1));

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        // Loading models takes a thread for seconds; Kestrel answers meanwhile.
        _opening = Task.Factory.StartNew(OpenAsync, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    /// <remarks>Hosted services stop in reverse order: the web server, added last, has drained before.</remarks>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _opening;
        if (!_opened.Task.IsCompletedSuccessfully) return;
        await (await _opened.Task).Service.DisposeAsync();
        Closed(log);
    }

    private async Task OpenAsync()
    {
        IServiceStore? store = null;
        LearningService? service = null;
        try
        {
            var settings = options.Service with { Logs = logs };
            store = options.OpenStore(settings, clock);
            service = LearningService.Open(settings, store, clock);
            var keys = new KeyRing(service.Store, clock);
            service.KeysChanged = keys.Refresh;
            var first = options.NoAuth ? null : await keys.CreateFirstAsync();
            _opened.SetResult(new OpenedService(service, keys, first));
            OpenedLearners(log, service.Learners.Count);
            foreach (var failed in service.Failed) FailedLearner(log, failed.Specification.Name, failed.LastError);
        }
#pragma warning disable CA1031 // Whatever it is, whoever waits for the service learns of it.
        catch (Exception problem)
        {
            if (service is not null) await service.DisposeAsync();
            else if (store is not null) await store.DisposeAsync();
            _opened.SetException(problem);
        }
#pragma warning restore CA1031
    }

    [LoggerMessage(1, LogLevel.Information, "the service is open with {Learners} learner(s)")]
    private static partial void OpenedLearners(ILogger log, int learners);

    [LoggerMessage(3, LogLevel.Error, "the learner {Learner} could not be opened: {Problem}")]
    private static partial void FailedLearner(ILogger log, string learner, string? problem);

    [LoggerMessage(2, LogLevel.Information, "the service is closed")]
    private static partial void Closed(ILogger log);
}
