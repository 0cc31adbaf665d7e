using Engram.Client;

namespace Engram.Server.Store;

/// <summary>A key as stored: a salted hash, never the secret.</summary>
/// <param name="Info">What it allows.</param>
/// <param name="Salt">Random bytes.</param>
/// <param name="Hash">SHA-256 of salt and secret; the secret is 256 random bits, so that a slow hash adds nothing.</param>
public sealed record StoredKey(KeyInfo Info, byte[] Salt, byte[] Hash);

/// <summary>What the service keeps besides learners' own stores: which learners there are, keys, and the audit log.</summary>
public interface IServiceStore : IAsyncDisposable
{
    /// <summary>Learners and when they were created and whether they are paused.</summary>
    IReadOnlyList<(LearnerSpecification Specification, DateTimeOffset Created, bool Paused)> ReadLearners();

    /// <summary>Adds a learner.</summary>
    /// <param name="specification">What it is.</param>
    /// <param name="created">When it was created.</param>
    /// <param name="paused">Whether it is paused.</param>
    Task WriteLearnerAsync(LearnerSpecification specification, DateTimeOffset created, bool paused);

    /// <summary>Remembers whether a learner is paused; nothing happens where it is gone, or another has its name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="created">When it was created.</param>
    /// <param name="paused">Whether it is paused.</param>
    Task WritePausedAsync(string name, DateTimeOffset created, bool paused);

    /// <summary>Takes a learner away, and its name from the keys that are bound to it, so that they do not reach a later learner of that name.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>Ids of the keys that were bound to it alone: these are revoked, since a key bound to none would reach all.</returns>
    Task<IReadOnlyList<string>> DeleteLearnerAsync(string name);

    /// <summary>Opens the store of a learner, creating it where it is not there.</summary>
    /// <param name="name">The learner's name.</param>
    /// <param name="mostPredictions">Most predictions that it keeps for feedback to come; older ones go as new ones come.</param>
    ILearnerStore OpenLearner(string name, int mostPredictions);

    /// <summary>Keys.</summary>
    IReadOnlyList<StoredKey> ReadKeys();

    /// <summary>Adds a key.</summary>
    /// <param name="key">The key.</param>
    Task WriteKeyAsync(StoredKey key);

    /// <summary>Revokes a key.</summary>
    /// <param name="id">Its id.</param>
    /// <returns>Whether there was one.</returns>
    Task<bool> DeleteKeyAsync(string id);

    /// <summary>Writes a change into the audit log; nothing takes it out again.</summary>
    /// <param name="entry">The change.</param>
    Task AuditAsync(AuditEntry entry);

    /// <summary>Changes, the newest first.</summary>
    /// <param name="learner">Only those of a learner; null for all.</param>
    /// <param name="limit">At most as many.</param>
    IReadOnlyList<AuditEntry> ReadAudit(string? learner, int limit);
}
