using System.Text;
using Engram.Client;
using Engram.Server.Store;
using Microsoft.Data.Sqlite;

namespace Engram.Server.Tests.Store;

/// <summary>What is particular to a SQLite file: its bytes, its failures, its schema.</summary>
public sealed class SqliteLearnerStoreTests : IAsyncDisposable
{
    private static readonly DateTimeOffset s_start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly string _folder = Directory.CreateTempSubdirectory("engram-store-").FullName;
    private SqliteLearnerStore _store;

    public SqliteLearnerStoreTests() => _store = Open();

    [Fact]
    public async Task Feedback_that_waits_is_matched_after_a_write_that_failed()
    {
        await Append(Truth("cat", prediction: "p"));
        await Sql("CREATE TRIGGER full BEFORE UPDATE ON counter BEGIN SELECT RAISE(ABORT, 'full'); END");
        _store.Remember([Prediction("p", "cat", [1])]);
        await Assert.ThrowsAsync<IOException>(() => Append(Truth("dog", input: [2])));
        Assert.Empty(Samples());

        await Sql("DROP TRIGGER full");
        await Append(Truth("dog", input: [3]));

        Assert.Equal(["cat", "dog"], Samples().Select(sample => sample.Label).Order());
    }

    [Fact]
    public async Task Feedback_that_waits_for_a_prediction_that_is_there_is_matched_when_the_file_is_opened()
    {
        _store.Remember([Prediction("p", "cat", [1])]);
        await Append(Truth("dog", input: [2]));
        await Append(Truth("cat", prediction: "q"));
        await Sql("UPDATE feedback SET prediction = 'p' WHERE kind = 0");
        await Reopen();

        await Append(Truth("dog", input: [3]));

        Assert.Equal(["cat", "dog", "dog"], Samples().Select(sample => sample.Label).Order());
        Assert.Equal(0, _store.Status(0).WithoutPrediction);
    }

    [Fact]
    public async Task Nothing_of_a_deleted_subject_is_left_in_the_files()
    {
        byte[] input = [.. Enumerable.Range(0, 64).Select(i => (byte)(200 - i))];
        _store.Remember([Prediction("p", "dog", input, subject: "subject-of-prediction")]);
        await Append(Truth("label-of-ann", prediction: "p", subject: "subject-of-feedback"));
        await Append(Truth("label-of-ann", input: input, subject: "subject-of-prediction"));
        await Append(Truth("label-of-bob", input: [1]));
        string[] markers = ["subject-of-prediction", "subject-of-feedback", "label-of-ann"];
        Assert.All(markers, marker => Assert.True(IsOnDisk(Encoding.UTF8.GetBytes(marker)), marker));
        Assert.True(IsOnDisk(input));

        Assert.Equal(new SubjectErased(1, 2, 0, true), await _store.DeleteSubjectAsync("subject-of-prediction", _store.LastSequence));
        await _store.ForgetRevokedAsync([]);

        Assert.All(markers, marker => Assert.False(IsOnDisk(Encoding.UTF8.GetBytes(marker)), marker));
        Assert.False(IsOnDisk(input));
        Assert.True(IsOnDisk("label-of-bob"u8.ToArray()));
    }

    [Fact]
    public async Task A_damaged_file_is_named()
    {
        await _store.DisposeAsync();
        await File.WriteAllTextAsync(Path.Combine(_folder, "other.db"), new string('x', 8192), TestContext.Current.CancellationToken);

        var problem = Assert.Throws<InvalidDataException>(
            () => new SqliteLearnerStore(Path.Combine(_folder, "other.db"), 10, TimeProvider.System));

        Assert.Contains("other.db", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_of_the_first_schema_is_brought_up_to_date()
    {
        await _store.DisposeAsync();
        foreach (var file in Directory.GetFiles(_folder)) File.Delete(file);
        await Sql(LearnerSchema.Version1 + """
            PRAGMA user_version = 1;
            UPDATE counter SET last = 3;
            INSERT INTO feedback(sequence, ordinal, kind, held, at, input, label, revoked) VALUES (1, 1, 1, 0, 0, x'01', 'cat', 3);
            INSERT INTO feedback(sequence, ordinal, kind, held, at, input, label, prediction, revoked) VALUES (2, 2, 1, 0, 0, x'02', 'dog', 'p', 3);
            INSERT INTO examples VALUES ('e', x'03', 'cow', 0);
            """);

        _store = Open();

        Assert.Equal((1, 0), _store.CountDeleted(new VersionPlace(2, 2))); // the first by its subject, the second was corrected
        Assert.Null(Assert.Single(_store.ReadExamples()).Subject);
        Assert.Equal(4, (await Append(Truth("cat", input: [1]))).Sequence);
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static FeedbackEntry Truth(string label, string? prediction = null, byte[]? input = null, string? subject = null) =>
        new() { At = s_start, PredictionId = prediction, Input = input, Label = label, Subject = subject };

    private static PredictionRecord Prediction(string id, string label, byte[] input, string? subject = null) =>
        new(id, s_start, 3, label, 0.9, false, input, subject);

    private async Task Sql(string statement)
    {
        await using var connection = new SqliteConnection($"Data Source={Path.Combine(_folder, "log.db")};Pooling=False");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = statement;
        await command.ExecuteNonQueryAsync();
    }

    private bool IsOnDisk(byte[] marker) => Directory.EnumerateFiles(_folder).Any(path =>
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes.AsSpan().IndexOf(marker) >= 0;
    });

    private async Task<FeedbackReceipt> Append(FeedbackEntry entry) => (await _store.AppendAsync([entry], default))[0];

    private IReadOnlyList<LabelledSample> Samples() => _store.ReadSamples(0, _store.LastSequence, int.MaxValue, heldOut: false);

    private SqliteLearnerStore Open() => new(Path.Combine(_folder, "log.db"), 10_000, TimeProvider.System);

    private async Task Reopen()
    {
        await _store.DisposeAsync();
        _store = Open();
    }
}
