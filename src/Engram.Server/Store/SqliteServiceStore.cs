using System.Text.Json;
using Dapper;
using Engram.Client;
using Microsoft.Data.Sqlite;

namespace Engram.Server.Store;

/// <summary>The store that needs no set-up: a SQLite file for the service and one for each learner, in one folder that one service uses at a time.</summary>
public sealed class SqliteServiceStore : IServiceStore
{
    private const string Version1 = """
        CREATE TABLE learners(name TEXT PRIMARY KEY, specification TEXT NOT NULL, created INTEGER NOT NULL, paused INTEGER NOT NULL) STRICT;
        CREATE TABLE keys(id TEXT PRIMARY KEY, info TEXT NOT NULL, salt BLOB NOT NULL, hash BLOB NOT NULL) STRICT;
        CREATE TABLE audit(
          number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, who TEXT NOT NULL, learner TEXT, action TEXT NOT NULL,
          detail TEXT NOT NULL, reason TEXT) STRICT;
        CREATE INDEX audit_learner ON audit(learner, number);
        """;

    private readonly ServiceOptions _options;
    private readonly TimeProvider _clock;
    private readonly FileStream _lock;
    private readonly SqliteFile _file;
    private readonly SqliteWriter _writer;

    /// <summary>Opens the store.</summary>
    /// <param name="options">Where its folder is.</param>
    /// <param name="clock">The time; null for the system's.</param>
    /// <exception cref="IOException">The folder cannot be used, or another service uses it.</exception>
    /// <exception cref="InvalidDataException">A file is damaged, or of a later version.</exception>
    public SqliteServiceStore(ServiceOptions options, TimeProvider? clock = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_options, _clock) = (options, clock ?? TimeProvider.System);
        Directory.CreateDirectory(options.Folder);
        var held = Path.Combine(options.Folder, "lock");
        try
        {
            _lock = new FileStream(held, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException problem)
        {
            throw new IOException($"{options.Folder}: another service uses this folder, expected one at a time ({problem.Message})", problem);
        }
        try
        {
            _file = new SqliteFile(Path.Combine(options.Folder, "service.db"), Version1);
            _writer = new SqliteWriter(_file);
        }
        catch
        {
            _lock.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<(LearnerSpecification Specification, DateTimeOffset Created, bool Paused)> ReadLearners() => _file.Read(connection =>
        connection.Query<(string Specification, long Created, long Paused)>("SELECT specification, created, paused FROM learners ORDER BY name")
            .Select(row => (
                JsonSerializer.Deserialize(row.Specification, EngramJson.Default.LearnerSpecification)!,
                DateTimeOffset.FromUnixTimeMilliseconds(row.Created), row.Paused == 1)).ToList());

    /// <inheritdoc/>
    public Task WriteLearnerAsync(LearnerSpecification specification, DateTimeOffset created, bool paused)
    {
        ArgumentNullException.ThrowIfNull(specification);
        return _writer.Write(connection =>
        {
            connection.Execute("INSERT INTO learners VALUES (@Name, @json, @created, @paused)", new
            {
                specification.Name,
                json = JsonSerializer.Serialize(specification, EngramJson.Default.LearnerSpecification),
                created = created.ToUnixTimeMilliseconds(),
                paused = paused ? 1 : 0,
            });
        });
    }

    /// <inheritdoc/>
    public Task WritePausedAsync(string name, DateTimeOffset created, bool paused) => _writer.Write(connection =>
    {
        connection.Execute(
            "UPDATE learners SET paused = @paused WHERE name = @name AND created = @created",
            new { name, created = created.ToUnixTimeMilliseconds(), paused = paused ? 1 : 0 });
    });

    /// <inheritdoc/>
    public Task<IReadOnlyList<string>> DeleteLearnerAsync(string name) => _writer.Write<IReadOnlyList<string>>(connection =>
    {
        connection.Execute("DELETE FROM learners WHERE name = @name", new { name });
        var revoked = new List<string>();
        foreach (var key in Keys(connection).Select(key => key.Info).Where(info => info.Learners.Contains(name)))
        {
            string[] left = [.. key.Learners.Where(learner => learner != name)];
            if (left.Length == 0) revoked.Add(key.Id);
            connection.Execute(
                left.Length == 0 ? "DELETE FROM keys WHERE id = @Id" : "UPDATE keys SET info = @info WHERE id = @Id",
                new { key.Id, info = JsonSerializer.Serialize(key with { Learners = left }, EngramJson.Default.KeyInfo) });
        }
        return revoked;
    });

    /// <inheritdoc/>
    public ILearnerStore OpenLearner(string name, int mostPredictions) =>
        new SqliteLearnerStore(Path.Combine(_options.Folder, "learners", name, "log.db"), _options.MaxWaitingFeedback, mostPredictions, _clock);

    /// <inheritdoc/>
    public IReadOnlyList<StoredKey> ReadKeys() => _file.Read(Keys);

    /// <inheritdoc/>
    public Task WriteKeyAsync(StoredKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return _writer.Write(connection =>
        {
            connection.Execute(
                "INSERT INTO keys VALUES (@Id, @info, @Salt, @Hash)",
                new { key.Info.Id, info = JsonSerializer.Serialize(key.Info, EngramJson.Default.KeyInfo), key.Salt, key.Hash });
        });
    }

    /// <inheritdoc/>
    public Task<bool> DeleteKeyAsync(string id) =>
        _writer.Write(connection => connection.Execute("DELETE FROM keys WHERE id = @id", new { id }) > 0);

    /// <inheritdoc/>
    public Task AuditAsync(AuditEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        return _writer.Write(connection =>
        {
            connection.Execute(
                "INSERT INTO audit(at, who, learner, action, detail, reason) VALUES (@at, @Who, @Learner, @Action, @Detail, @Reason)",
                new { at = entry.At.ToUnixTimeMilliseconds(), entry.Who, entry.Learner, entry.Action, entry.Detail, entry.Reason });
        });
    }

    /// <inheritdoc/>
    public IReadOnlyList<AuditEntry> ReadAudit(string? learner, int limit) => _file.Read(connection =>
        connection.Query<(long At, string Who, string? Learner, string Action, string Detail, string? Reason)>(
            """
            SELECT at, who, learner, action, detail, reason FROM audit WHERE @learner IS NULL OR learner = @learner
            ORDER BY number DESC LIMIT @limit
            """, new { learner, limit })
            .Select(row => new AuditEntry(
                DateTimeOffset.FromUnixTimeMilliseconds(row.At), row.Who, row.Learner, row.Action, row.Detail, row.Reason)).ToList());

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _writer.DisposeAsync().ConfigureAwait(false);
        _file.Close();
        await _lock.DisposeAsync().ConfigureAwait(false);
    }

    private static List<StoredKey> Keys(SqliteConnection connection) =>
        connection.Query<(string Info, byte[] Salt, byte[] Hash)>("SELECT info, salt, hash FROM keys ORDER BY id")
            .Select(row => new StoredKey(JsonSerializer.Deserialize(row.Info, EngramJson.Default.KeyInfo)!, row.Salt, row.Hash)).ToList();
}
