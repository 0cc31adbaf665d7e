namespace Engram.Server.Serving;

/// <summary>Versions other than those that answer, loaded when asked for by name; the few asked for last stay.</summary>
internal sealed class LoadedVersions(Func<int, ServedModel> load) : IDisposable
{
    private const int Most = 3;
    private readonly Lock _changing = new();
    private readonly Lock _loading = new(); // one at a time: whoever may ask must not fill the memory by asking for many
    private readonly List<(int Version, Task<ServedModel> Model)> _loaded = []; // the latest last
    private bool _disposed;

    /// <summary>What those are told who ask for a version that cannot be loaded.</summary>
    public static ConflictException NotWhole(int version) =>
        new("version", $"version: {version} cannot be loaded, expected a whole bundle");

    /// <summary>A version with a lease.</summary>
    public async Task<ServedModel> LeaseAsync(int version, CancellationToken cancellationToken)
    {
        while (true)
        {
            var loading = Find(version);
            try
            {
                var model = await loading.WaitAsync(cancellationToken).ConfigureAwait(false);
                if (model.TryLease()) return model;
            }
            catch (Exception problem) when (problem is IOException or InvalidDataException)
            {
                Forget(version);
                throw NotWhole(version);
            }
        }
    }

    /// <summary>Lets a version go.</summary>
    public void Forget(int version)
    {
        lock (_changing)
        {
            foreach (var (_, model) in _loaded.Where(one => one.Version == version)) Release(model);
            _loaded.RemoveAll(one => one.Version == version);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_changing)
        {
            _disposed = true;
            foreach (var (_, model) in _loaded) Release(model);
            _loaded.Clear();
        }
    }

    private Task<ServedModel> Find(int version)
    {
        lock (_changing)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            var at = _loaded.FindIndex(one => one.Version == version);
            var found = at >= 0 ? _loaded[at] : (version, Task.Run(() => Load(version)));
            if (at >= 0) _loaded.RemoveAt(at);
            _loaded.Add(found);
            if (_loaded.Count > Most)
            {
                Release(_loaded[0].Model);
                _loaded.RemoveAt(0);
            }
            return found.Item2;
        }
    }

    private ServedModel Load(int version)
    {
        lock (_loading) return load(version);
    }

    private static void Release(Task<ServedModel> loading) =>
        loading.ContinueWith(done => done.Result.Release(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
}
