using System.Collections.Immutable;
using Engram.Client;
using Engram.Server.Store;

namespace Engram.Server.Versions;

/// <summary>What is known of a learner's versions: in memory for readers, in the store for ever. One writer at a time.</summary>
internal sealed class VersionBook
{
    /// <summary>The alias of the version that answers.</summary>
    public const string ChampionAlias = "champion";

    /// <summary>The alias of the version that may take its place.</summary>
    public const string ChallengerAlias = "challenger";

    private readonly ILearnerStore _store;
    private ImmutableSortedDictionary<int, VersionInfo> _versions;

    public VersionBook(ILearnerStore store)
    {
        _store = store;
        _versions = store.ReadVersions().ToImmutableSortedDictionary(version => version.Version, version => version);
    }

    /// <summary>All, the newest first.</summary>
    public IReadOnlyList<VersionInfo> All => [.. _versions.Values.Reverse()];

    /// <summary>The version that answers; null before the first.</summary>
    public VersionInfo? Champion => ByAlias(ChampionAlias);

    /// <summary>A number that was never used.</summary>
    public int Next(IEnumerable<int> present) => 1 + _versions.Keys.Concat(present).Append(_store.LastForgotten).Max();

    /// <summary>Up to where any version has learnt.</summary>
    public long FurthestCursor => _versions.Values.Select(version => version.Cursor).DefaultIfEmpty(0).Max();

    /// <summary>A version by its number; null if there is none.</summary>
    public VersionInfo? Find(int version) => _versions.GetValueOrDefault(version);

    /// <summary>A version by its number.</summary>
    /// <exception cref="NotFoundException">There is none.</exception>
    public VersionInfo Get(int version, string field = "version") =>
        Find(version) ?? throw new NotFoundException(field, $"{field}: {version}, expected one of {string.Join(", ", _versions.Keys)}");

    /// <summary>The version that has an alias; null if none has.</summary>
    public VersionInfo? ByAlias(string alias) => _versions.Values.FirstOrDefault(version => version.Aliases.Contains(alias));

    /// <summary>Adds a version or replaces what is known of it.</summary>
    public async Task WriteAsync(VersionInfo version)
    {
        await _store.WriteVersionAsync(version).ConfigureAwait(false);
        Put(version);
    }

    /// <summary>Gives an alias to a version, or takes it away, and writes versions, all at once.</summary>
    public async Task WriteAsync(string alias, int? version, params IReadOnlyList<VersionInfo> changed)
    {
        await _store.WriteAliasAsync(alias, version, changed).ConfigureAwait(false);
        foreach (var one in changed) Put(one);
        var versions = _versions;
        foreach (var one in versions.Values)
        {
            var aliases = one.Aliases.Where(name => name != alias).Concat(one.Version == version ? [alias] : []);
            versions = versions.SetItem(one.Version, one with { Aliases = [.. aliases] });
        }
        _versions = versions;
    }

    /// <summary>Forgets a version.</summary>
    public async Task DeleteAsync(int version)
    {
        await _store.DeleteVersionAsync(version).ConfigureAwait(false);
        _versions = _versions.Remove(version);
    }

    // Aliases change by their own call only.
    private void Put(VersionInfo version) =>
        _versions = _versions.SetItem(version.Version, version with { Aliases = Find(version.Version)?.Aliases ?? [] });
}
