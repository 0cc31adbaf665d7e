using System.Collections.Frozen;
using Engram.Client;
using Engram.Server.Store;

namespace Engram.Server.Security;

/// <summary>The keys of a service: read once, written through, looked up by every request.</summary>
internal sealed class KeyRing
{
    private readonly IServiceStore _store;
    private readonly TimeProvider _clock;
    private readonly SemaphoreSlim _writing = new(1, 1);
    private volatile FrozenDictionary<string, (StoredKey Stored, Caller Caller)> _keys;

    public KeyRing(IServiceStore store, TimeProvider clock)
    {
        _store = store;
        _clock = clock;
        _keys = Read();
    }

    /// <summary>The keys without their secrets, the oldest first.</summary>
    public IEnumerable<KeyInfo> Keys => _keys.Values.Select(key => key.Stored.Info).OrderBy(info => info.Created).ThenBy(info => info.Id, StringComparer.Ordinal);

    /// <summary>Who sends a key; null where there is no such key, or it has ended.</summary>
    public Caller? Find(ReadOnlySpan<char> key)
    {
        if (!ApiKey.TryParse(key, out var id, out var secret)) return null;
        if (!_keys.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(id, out var found)) return null;
        if (!ApiKey.Matches(found.Stored, secret)) return null;
        return found.Stored.Info.Expires is { } end && end <= _clock.GetUtcNow() ? null : found.Caller;
    }

    /// <summary>Reads the keys again, which others changed.</summary>
    public void Refresh()
    {
        _writing.Wait();
        try
        {
            _keys = Read();
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Makes the first key, which may do everything, where there is none.</summary>
    /// <returns>The key; null where there are keys.</returns>
    public async Task<string?> CreateFirstAsync() =>
        _keys.Count > 0 ? null : (await CreateAsync(new CreateKeyRequest { Name = "admin", Roles = [Role.Admin] }, LearnerContext.Service)).Key;

    /// <summary>Makes a key.</summary>
    public async Task<CreatedKey> CreateAsync(CreateKeyRequest request, string by)
    {
        var (key, stored) = ApiKey.Create(request, _clock.GetUtcNow());
        await _writing.WaitAsync();
        try
        {
            await _store.WriteKeyAsync(stored);
            _keys = Read();
            await AuditAsync(by, "key.create", Describe(stored.Info), request.Reason);
        }
        finally
        {
            _writing.Release();
        }
        return new CreatedKey(key, stored.Info);
    }

    /// <summary>Revokes a key, at once.</summary>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="ConflictException">It is the last that may make keys.</exception>
    public async Task<bool> DeleteAsync(string id, string by, string? reason)
    {
        await _writing.WaitAsync();
        try
        {
            if (!_keys.TryGetValue(id, out var found)) return false;
            if (ManagesKeys(found.Stored.Info) && _keys.Values.Count(key => ManagesKeys(key.Stored.Info)) == 1)
                throw new ConflictException("id", $"\"{id}\" is the last key that may make keys, expected another such key first");
            await _store.DeleteKeyAsync(id);
            _keys = Read();
            await AuditAsync(by, "key.delete", Describe(found.Stored.Info), reason);
        }
        finally
        {
            _writing.Release();
        }
        return true;
    }

    // A key that ends does not keep the service manageable.
    private static bool ManagesKeys(KeyInfo info) => info.Expires is null && info.Learners.Count == 0 && info.Roles.Contains(Role.Admin);

    private static string Describe(KeyInfo info) =>
        $"{info.Id} \"{info.Name}\": {string.Join(", ", info.Roles).ToLowerInvariant()}; "
        + (info.Learners.Count == 0 ? "all learners" : string.Join(", ", info.Learners));

    private Task AuditAsync(string by, string action, string detail, string? reason) =>
        _store.AuditAsync(new AuditEntry(_clock.GetUtcNow(), by, null, action, detail, reason));

    private FrozenDictionary<string, (StoredKey, Caller)> Read() => _store.ReadKeys()
        .ToFrozenDictionary(key => key.Info.Id, key => (key, Caller.Of(key.Info)), StringComparer.Ordinal);
}
