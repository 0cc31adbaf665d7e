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
    private readonly Trainer _trainer = new();
    private readonly ConcurrentDictionary<string, LearnerHost> _learners = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _changing = new(1);
    private readonly ITimer _timer;
    private bool _disposed;

    private LearningService(ServiceOptions options, TimeProvider clock, IServiceStore store)
    {
        (_options, _clock, Store) = (options, clock, store);
        foreach (var (specification, created, paused) in store.ReadLearners())
            _learners[specification.Name] = new LearnerHost(new LearnerContext(specification, created, store, options, clock), _trainer, paused);
        SweepLearners();
        _timer = clock.CreateTimer(_ => _ = TendAsync(), null, s_tendEvery, s_tendEvery);
    }

    /// <summary>Opens the service over a folder: learners come back as they were, each at its published version and its place in its feedback.</summary>
    /// <param name="options">Where its files are and what it may use.</param>
    /// <param name="clock">The time; null for the system's.</param>
    /// <exception cref="IOException">The folder cannot be used, or another service uses it.</exception>
    public static LearningService Open(ServiceOptions options, TimeProvider? clock = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        TorchRuntime.Configure(options.Threads);
        clock ??= TimeProvider.System;
        return new LearningService(options, clock, new SqliteServiceStore(options, clock));
    }

    /// <summary>Keys, the audit log and the list of learners.</summary>
    public IServiceStore Store { get; }

    /// <summary>The learners by name.</summary>
    public IReadOnlyList<LearnerHost> Learners => [.. _learners.Values.OrderBy(learner => learner.Name, StringComparer.Ordinal)];

    /// <summary>A learner by name; null if there is none.</summary>
    /// <param name="name">Its name.</param>
    public LearnerHost? Find(string name) => _learners.GetValueOrDefault(name);

    /// <summary>Creates a learner.</summary>
    /// <param name="specification">What it is to be.</param>
    /// <param name="by">Who asks, for the audit log.</param>
    /// <exception cref="SpecificationException">A field of the specification is wrong; the message names it.</exception>
    /// <exception cref="ConflictException">There is a learner of this name.</exception>
    public async Task<LearnerHost> CreateAsync(LearnerSpecification specification, string by)
    {
        ArgumentNullException.ThrowIfNull(specification);
        SpecificationCheck.Throw(specification, LearnerContext.EncodersOf(_options));
        await _changing.WaitAsync().ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_learners.ContainsKey(specification.Name))
                throw new ConflictException("name", $"name: {specification.Name} is taken, expected a name that no learner has");
            var created = DateTimeOffset.FromUnixTimeMilliseconds(_clock.GetUtcNow().ToUnixTimeMilliseconds()); // as it is stored
            await Store.WriteLearnerAsync(specification, created, false).ConfigureAwait(false);
            var learner = new LearnerHost(new LearnerContext(specification, created, Store, _options, _clock), _trainer, paused: false);
            _learners[specification.Name] = learner;
            await Store.AuditAsync(new AuditEntry(
                _clock.GetUtcNow(), by, specification.Name, "learner.create", $"{specification.Model.Kind} over {specification.Input.Kind}", null)).ConfigureAwait(false);
            return learner;
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Deletes a learner and all it kept.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="by">Who asks.</param>
    /// <param name="reason">Why.</param>
    /// <returns>Whether there was one.</returns>
    public async Task<bool> DeleteAsync(string name, string by, string? reason)
    {
        await _changing.WaitAsync().ConfigureAwait(false);
        try
        {
            if (!_learners.TryRemove(name, out var learner)) return false;
            await learner.CloseAsync().ConfigureAwait(false);
            await Store.DeleteLearnerAsync(name).ConfigureAwait(false);
            Directory.Delete(LearnerContext.FolderOf(_options, name), recursive: true);
            await Store.AuditAsync(new AuditEntry(_clock.GetUtcNow(), by, name, "learner.delete", "with all it kept", reason)).ConfigureAwait(false);
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
            _trainer.Dispose();
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

    // What a deletion left behind when the service ended in the middle of it.
    private void SweepLearners()
    {
        var folder = Path.Combine(_options.Folder, "learners");
        if (!Directory.Exists(folder)) return;
        foreach (var path in Directory.EnumerateDirectories(folder).Where(path => !_learners.ContainsKey(Path.GetFileName(path))))
            Directory.Delete(path, recursive: true);
    }
}
