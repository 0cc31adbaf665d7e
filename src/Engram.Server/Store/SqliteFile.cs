using Dapper;
using Engram.Persistence;
using Microsoft.Data.Sqlite;

namespace Engram.Server.Store;

/// <summary>A SQLite file with a schema of a known version; makes connections to it.</summary>
internal sealed class SqliteFile
{
    private const int BusyMilliseconds = 30_000;
    private readonly string _connectionString;

    /// <summary>Opens a file, creating it or bringing it up to date.</summary>
    /// <param name="path">The file.</param>
    /// <param name="schema">Scripts that lead from each version to the next, from an empty file on.</param>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    /// <exception cref="InvalidDataException">Not such a file, a damaged one, or one of a later version.</exception>
    public SqliteFile(string path, params ReadOnlySpan<string> schema)
    {
        Path = path;
        _connectionString = new SqliteConnectionStringBuilder { DataSource = path, Pooling = true, DefaultTimeout = BusyMilliseconds / 1000 }.ToString();
        AtomicFile.CreateFolder(System.IO.Path.GetDirectoryName(path)!);
        using var connection = Connect();
        try
        {
            connection.Execute("PRAGMA journal_mode = WAL");
            var version = connection.ExecuteScalar<int>("PRAGMA user_version");
            if (version > schema.Length)
                throw new InvalidDataException($"{path}: schema version {version}, expected at most {schema.Length}; a later Engram wrote it");
            for (; version < schema.Length; version++)
            {
                using var step = connection.BeginTransaction();
                connection.Execute(schema[version], transaction: step);
                connection.Execute($"PRAGMA user_version = {version + 1}", transaction: step);
                step.Commit();
            }
        }
        catch (SqliteException problem)
        {
            SqliteConnection.ClearPool(connection); // it must not outlive the file
            throw Explain(problem);
        }
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>An open connection; what it commits is on disk.</summary>
    public SqliteConnection Connect()
    {
        var connection = new SqliteConnection(_connectionString);
        try
        {
            connection.Open();
            connection.Execute($"PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA busy_timeout = {BusyMilliseconds}");
            return connection;
        }
        catch (SqliteException problem)
        {
            SqliteConnection.ClearPool(connection);
            connection.Dispose();
            throw Explain(problem);
        }
    }

    /// <summary>Asks the file; what is committed meanwhile may be seen or not.</summary>
    public T Read<T>(Func<SqliteConnection, T> query)
    {
        using var connection = Connect();
        try
        {
            return query(connection);
        }
        catch (SqliteException problem)
        {
            throw Explain(problem);
        }
    }

    /// <summary>Takes what was deleted out of the log beside the file, too; in the file itself it is overwritten as it is deleted.</summary>
    /// <returns>Whether the log is empty now: a reader that goes on for longer than writers wait keeps it.</returns>
    public bool Scrub() => Read(connection => connection.QuerySingle<(long Busy, long Pages, long Moved)>("PRAGMA wal_checkpoint(TRUNCATE)").Busy == 0);

    /// <summary>What went wrong, in terms of the file.</summary>
    public Exception Explain(SqliteException problem) => problem.SqliteErrorCode switch
    {
        SQLitePCL.raw.SQLITE_CORRUPT or SQLitePCL.raw.SQLITE_NOTADB =>
            new InvalidDataException($"{Path}: damaged, or no SQLite file ({problem.Message})", problem),
        SQLitePCL.raw.SQLITE_FULL => new IOException($"{Path}: the disk is full", problem),
        _ => new IOException($"{Path}: {problem.Message}", problem),
    };

    /// <summary>Closes what the pool of connections keeps open.</summary>
    public void Close()
    {
        using var connection = new SqliteConnection(_connectionString);
        SqliteConnection.ClearPool(connection);
    }
}
