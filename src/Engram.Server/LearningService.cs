using System.Collections.Concurrent;
using Engram.Client;
using Engram.Learning;
using Engram.Server.Specifications;
using Engram.Server.Store;
using Engram.Server.Training;

namespace Engram.Server;

/// <summary>All learners of one service, without any web: what the web, and programs that embed the service, talk to.</summary>
/// <remarks>Safe for use by many threads at once.</remarks>
public sealed class LearningService : IAsyncDisposable
{
    private static readonly TimeSpan s_tendEvery = TimeSpan.FromSeconds(1);

    private readonly ServiceOptions _options;
    private readonly TimeProvider _clock;
    private readonly Trainer _networks = new();
    private readonly Trainer _closedForms = new();
    private readonly ConcurrentDictionary<string, LearnerHost> _learners = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, LearnerDescription> _failed = new(StringComparer.Ordinal);
    private readonly DeletedLearners _deleted;
    private readonly SemaphoreSlim _changing = new(1);
    private readonly ITimer _timer;
    private bool _disposed;

    private LearningService(ServiceOptions options, TimeProvider clock, IServiceStore store)
    {
        (_options, _clock, Store, _deleted) = (options, clock, store, new DeletedLearners(options));
        foreach (var (specification, created, paused) in store.ReadLearners())
            if (_deleted.Has(specification.Name, created)) store.DeleteLearnerAsync(specification.Name).GetAwaiter().GetResult();
            else TryOpen(specification, created, paused);
        _deleted.Sweep();
        _timer = clock.CreateTimer(_ => _ = TendAsync(), null, s_tendEvery, s_tendEvery);
    }

    /// <summary>Opens the service over a folder: learners come back as they were, each at its published version and its place in its feedback.</summary>
    /// <param name="options">Where its files are and what it may use.</param>
    /// <param name="clock">The time; null for the system's.</param>
    /// <exception cref="IOException">The folder cannot be used, or another service uses it.</exception>
    public static LearningService Open(ServiceOptions options, TimeProvider? clock = null) =>
        Open(options, new SqliteServiceStore(options, clock), clock);

    /// <summary>Opens the service over a store of another engine; bundles of versions are in the folder nevertheless.</summary>
    /// <param name="options">Where its files are and what it may use.</param>
    /// <param name="store">What is learnt from, and who may do what; closed with the service.</param>
    /// <param name="clock">The time; null for the system's.</param>
    public static LearningService Open(ServiceOptions options, IServiceStore store, TimeProvider? clock = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(store);
        TorchRuntime.Configure(options.Threads);
        return new LearningService(options, clock ?? TimeProvider.System, store);
    }

    /// <summary>Keys, the audit log and the list of learners.</summary>
    public IServiceStore Store { get; }

    /// <summary>The learners by name.</summary>
    public IReadOnlyList<LearnerHost> Learners => [.. _learners.Values.OrderBy(learner => learner.Name, StringComparer.Ordinal)];

    /// <summary>Learners that could not be opened, with the reason: a damaged log, a file that is missing. The others serve.</summary>
    public IReadOnlyList<LearnerDescription> Failed => [.. _failed.Values.OrderBy(learner => learner.Specification.Name, StringComparer.Ordinal)];

    /// <summary>Called after a learner was deleted and keys with it, before another of its name can be created.</summary>
    internal Action? KeysChanged { get; set; }

    /// <summary>A learner by name; null if there is none, or it could not be opened.</summary>
    /// <param name="name">Its name.</param>
    public LearnerHost? Find(string name) => _learners.GetValueOrDefault(name);

    /// <summary>Creates a learner.</summary>
    /// <param name="specification">What it is to be.</param>
    /// <param name="by">Who asks, for the audit log.</param>
    /// <param name="reason">Why, for the audit log.</param>
    /// <exception cref="SpecificationException">A field of the specification is wrong; the message names it.</exception>
    /// <exception cref="ConflictException">There is a learner of this name.</exception>
    public async Task<LearnerHost> CreateAsync(LearnerSpecification specification, string by, string? reason = null)
    {
        ArgumentNullException.ThrowIfNull(specification);
        SpecificationCheck.Throw(specification, LearnerContext.EncodersOf(_options));
        await _changing.WaitAsync().ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_learners.ContainsKey(specification.Name) || _failed.ContainsKey(specification.Name))
                throw new ConflictException("name", $"name: {specification.Name} is taken, expected a name that no learner has");
            if (Directory.Exists(LearnerContext.FolderOf(_options, specification.Name)))
                throw new ConflictException("name", $"name: {specification.Name} has files that belong to no learner the service knows, expected them to be moved away first");
            var created = DateTimeOffset.FromUnixTimeMilliseconds(_clock.GetUtcNow().ToUnixTimeMilliseconds()); // as it is stored
            await Store.WriteLearnerAsync(specification, created, false).ConfigureAwait(false);
            var learner = Host(specification, created, paused: false);
            _learners[specification.Name] = learner;
            await Store.AuditAsync(new AuditEntry(
                _clock.GetUtcNow(), by, specification.Name, "learner.create", $"{specification.Model.Kind} over {specification.Input.Kind}", reason)).ConfigureAwait(false);
            return learner;
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Deletes a learner and all it kept, also one that could not be opened. Keys bound to it alone are revoked; others lose it.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="by">Who asks.</param>
    /// <param name="reason">Why.</param>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="IOException">Its folder cannot be taken away; it is listed as failed until it can.</exception>
    public async Task<bool> DeleteAsync(string name, string by, string? reason)
    {
        await _changing.WaitAsync().ConfigureAwait(false);
        try
        {
            if (_learners.TryRemove(name, out var learner))
            {
                _failed[name] = Describe(learner.Specification, learner.Created, "it is being deleted");
                await learner.CloseAsync().ConfigureAwait(false);
            }
            if (!_failed.TryGetValue(name, out var closed)) return false;
            _deleted.Begin(name, closed.Created);
            var keys = await Store.DeleteLearnerAsync(name).ConfigureAwait(false);
            KeysChanged?.Invoke();
            _failed.TryRemove(name, out _);
            var detail = _deleted.Sweep() ? "with all it kept" : "files that are in use go when the service starts next";
            if (keys.Count > 0) detail += $"; revoked keys bound to it alone: {string.Join(", ", keys)}";
            await Store.AuditAsync(new AuditEntry(_clock.GetUtcNow(), by, name, "learner.delete", detail, reason)).ConfigureAwait(false);
            return true;
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _changing.WaitAsync().ConfigureAwait(false);
        try
        {
            if (_disposed) return;
            _disposed = true;
            await _timer.DisposeAsync().ConfigureAwait(false);
            _networks.Dispose();
            _closedForms.Dispose();
            foreach (var learner in _learners.Values) await learner.CloseAsync().ConfigureAwait(false);
            await Store.DisposeAsync().ConfigureAwait(false);
        }
        finally
        {
            _changing.Release();
        }
    }

    private async Task TendAsync()
    {
        foreach (var learner in _learners.Values)
        {
            try
            {
                await learner.TendAsync().ConfigureAwait(false);
            }
            catch (Exception problem) when (problem is not OutOfMemoryException)
            {
                learner.Failed(problem);
            }
        }
    }

    private void TryOpen(LearnerSpecification specification, DateTimeOffset created, bool paused)
    {
        try
        {
            _learners[specification.Name] = Host(specification, created, paused);
        }
        catch (Exception) when (_failed.ContainsKey(specification.Name))
        {
            // It is told by the list; the others serve.
        }
    }

    private LearnerHost Host(LearnerSpecification specification, DateTimeOffset created, bool paused)
    {
        LearnerContext? context = null;
        try
        {
            context = new LearnerContext(specification, created, Store, _options, _clock);
            return new LearnerHost(context, context.Recipe.IsClosedForm ? _closedForms : _networks, paused);
        }
        catch (Exception problem) when (problem is not OutOfMemoryException)
        {
            context?.DisposeAsync().AsTask().GetAwaiter().GetResult();
            _failed[specification.Name] = Describe(specification, created, LearnerContext.Tellable(_options, problem.Message));
            throw;
        }
    }

    private static LearnerDescription Describe(LearnerSpecification specification, DateTimeOffset created, string problem) => new()
    {
        Specification = specification,
        Created = created,
        Activity = LearnerActivity.Failed,
        Feedback = new FeedbackStatus(),
        LastError = problem,
    };
}
