using System.Collections.Concurrent;
using Dapper;
using Engram.Server.Watching;
using Microsoft.Data.Sqlite;

namespace Engram.Server.Store;

/// <summary>Predictions that feedback may ask for: at once in memory, soon on disk.</summary>
/// <remarks>All but <see cref="Add"/> and <see cref="Find"/> run on the writer's thread.</remarks>
/// <param name="most">Most that are kept on disk; the oldest go as new ones are written.</param>
internal sealed class PredictionMemory(int most)
{
    private const int MostUnwritten = 200_000;
    private const long MostUnwrittenBytes = 512 << 20;
    private const int MostPerTransaction = 20_000;
    private const int SurplusPerTransaction = 5_000; // of what was kept when more was asked for; no transaction may be long
    private readonly ConcurrentDictionary<string, PredictionRecord> _unwritten = new();
    private readonly ConcurrentQueue<PredictionRecord> _order = new();
    private readonly List<PredictionRecord> _writing = [];
    private long _bytes; // of their inputs
    private int _count; // of _unwritten, whose own Count takes all its locks

    /// <summary>Whether anything waits to be written.</summary>
    public bool HasUnwritten => !_unwritten.IsEmpty;

    /// <summary>Keeps predictions.</summary>
    public void Add(IReadOnlyList<PredictionRecord> predictions)
    {
        foreach (var prediction in predictions)
            if (Volatile.Read(ref _count) >= MostUnwritten || Interlocked.Read(ref _bytes) >= MostUnwrittenBytes) ServiceMetrics.Dropped();
            else if (_unwritten.TryAdd(prediction.Id, prediction))
            {
                Interlocked.Increment(ref _count);
                Interlocked.Add(ref _bytes, prediction.Input.Length);
                _order.Enqueue(prediction);
            }
    }

    /// <summary>A prediction, on disk or in memory; of two with the same id the first, which is also the one that stays.</summary>
    public PredictionRecord? Find(SqliteConnection connection, string id)
    {
        var unwritten = _unwritten.GetValueOrDefault(id); // first: what is written meanwhile is then on disk
        return connection.QueryFirstOrDefault<PredictionRow>("SELECT * FROM predictions WHERE id = @id", new { id })?.Record ?? unwritten;
    }

    /// <summary>Writes what came so far into the transaction in progress.</summary>
    /// <returns>What was written.</returns>
    public IReadOnlyList<PredictionRecord> Write(SqliteConnection connection)
    {
        while (_writing.Count < MostPerTransaction && _order.TryDequeue(out var prediction)) _writing.Add(prediction);
        if (_writing.Count == 0) return _writing;
        using var insert = connection.CreateCommand();
        insert.CommandText =
            "INSERT OR IGNORE INTO predictions VALUES ($id, $at, $version, $label, $probability, $unknown, $input, $subject)";
        var parameters = insert.Parameters;
        foreach (var name in new[] { "$id", "$at", "$version", "$label", "$probability", "$unknown", "$input", "$subject" })
            parameters.Add(new SqliteParameter { ParameterName = name });
        foreach (var prediction in _writing)
        {
            parameters[0].Value = prediction.Id;
            parameters[1].Value = prediction.At.ToUnixTimeMilliseconds();
            parameters[2].Value = prediction.Version;
            parameters[3].Value = prediction.Label;
            parameters[4].Value = prediction.Probability;
            parameters[5].Value = prediction.Unknown ? 1 : 0;
            parameters[6].Value = prediction.Input;
            parameters[7].Value = (object?)prediction.Subject ?? DBNull.Value;
            insert.ExecuteNonQuery();
        }
        Trim(connection);
        return _writing;
    }

    /// <summary>What was written last is on disk.</summary>
    public void Committed()
    {
        foreach (var prediction in _writing)
            if (_unwritten.TryRemove(prediction.Id, out _))
            {
                Interlocked.Decrement(ref _count);
                Interlocked.Add(ref _bytes, -prediction.Input.Length);
            }
        _writing.Clear();
    }

    // Rows are numbered as they are written, so the newest are those with the highest numbers; where some of these were deleted, fewer are kept.
    private void Trim(SqliteConnection connection) => connection.Execute(
        """
        DELETE FROM predictions WHERE rowid IN (
          SELECT rowid FROM predictions WHERE rowid <= (SELECT MAX(rowid) FROM predictions) - @most ORDER BY rowid LIMIT @portion)
        """, new { most, portion = _writing.Count + SurplusPerTransaction });

    /// <summary>Predictions about a subject that are not on disk yet.</summary>
    public IEnumerable<PredictionRecord> OfSubject(string subject) => _unwritten.Values.Where(prediction => prediction.Subject == subject);
}

/// <summary>A prediction as its table has it.</summary>
internal sealed record PredictionRow
{
    public required string Id { get; init; }
    public long At { get; init; }
    public long Version { get; init; }
    public required string Label { get; init; }
    public double Probability { get; init; }
    public long Unknown { get; init; }
    public required byte[] Input { get; init; }
    public string? Subject { get; init; }

    public PredictionRecord Record =>
        new(Id, DateTimeOffset.FromUnixTimeMilliseconds(At), (int)Version, Label, Probability, Unknown == 1, Input, Subject);
}
