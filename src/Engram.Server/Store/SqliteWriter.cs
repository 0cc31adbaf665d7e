using System.Threading.Channels;
using Microsoft.Data.Sqlite;

namespace Engram.Server.Store;

/// <summary>
/// The one writer of a file: whatever is asked for while the disk is busy goes into one transaction, and everyone is told
/// when it is on disk.
/// </summary>
internal sealed class SqliteWriter : IAsyncDisposable
{
    private const int MostPerTransaction = 2_000;
    private readonly SqliteFile _file;
    private readonly SqliteConnection _connection;
    private readonly Channel<Work> _waiting = Channel.CreateUnbounded<Work>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Action<SqliteConnection>? _together;
    private readonly Action? _committed;
    private readonly Task _loop;

    /// <summary>Starts a writer.</summary>
    /// <param name="file">Its file.</param>
    /// <param name="together">Takes part in every transaction, after all work in it.</param>
    /// <param name="committed">Called when a transaction is on disk, before anyone is told.</param>
    public SqliteWriter(SqliteFile file, Action<SqliteConnection>? together = null, Action? committed = null)
    {
        (_file, _together, _committed) = (file, together, committed);
        _connection = file.Connect();
        _loop = Task.Factory.StartNew(Loop, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Writes; completes when it is on disk. An exception of the work undoes this work alone.</summary>
    public Task<T> Write<T>(Func<SqliteConnection, T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        T result = default!;
        Enqueue(new Work(connection => result = work(connection), () => done.TrySetResult(result), problem => done.TrySetException(problem)));
        return done.Task;
    }

    /// <summary>Writes; completes when it is on disk.</summary>
    public Task Write(Action<SqliteConnection> work) => Write(connection =>
    {
        work(connection);
        return true;
    });

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!_waiting.Writer.TryComplete()) return;
        await _loop.ConfigureAwait(false);
        await _connection.DisposeAsync().ConfigureAwait(false);
    }

    private void Enqueue(Work work)
    {
        if (!_waiting.Writer.TryWrite(work)) work.Failed(new ObjectDisposedException(_file.Path));
    }

    private void Loop()
    {
        var batch = new List<Work>();
        while (_waiting.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            batch.Clear();
            while (batch.Count < MostPerTransaction && _waiting.Reader.TryRead(out var work)) batch.Add(work);
            Commit(batch);
        }
    }

    private void Commit(List<Work> batch)
    {
        var failed = new Dictionary<Work, Exception>();
        try
        {
            using var transaction = _connection.BeginTransaction();
            foreach (var work in batch) Try(transaction, work, failed);
            _together?.Invoke(_connection);
            transaction.Commit();
        }
        catch (Exception problem)
        {
            var told = problem is SqliteException ofSqlite ? _file.Explain(ofSqlite) : problem;
            foreach (var work in batch) work.Failed(failed.GetValueOrDefault(work, told));
            return;
        }
        _committed?.Invoke();
        foreach (var work in batch)
            if (failed.TryGetValue(work, out var problem)) work.Failed(problem);
            else work.Succeeded();
    }

    // Work that fails for a reason of its own is undone alone; a disk that is full undoes the whole transaction.
    private void Try(SqliteTransaction transaction, Work work, Dictionary<Work, Exception> failed)
    {
        transaction.Save("work");
        try
        {
            work.Run(_connection);
            transaction.Release("work");
        }
        catch (Exception problem) when (problem is not SqliteException)
        {
            transaction.Rollback("work");
            failed[work] = problem;
        }
    }

    private sealed record Work(Action<SqliteConnection> Run, Action Succeeded, Action<Exception> Failed);
}
