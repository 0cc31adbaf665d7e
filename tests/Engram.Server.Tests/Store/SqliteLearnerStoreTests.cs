using System.Text;
using Engram.Server.Store;
using Microsoft.Data.Sqlite;

namespace Engram.Server.Tests.Store;

/// <summary>The store that is a SQLite file, and what is particular to one: its bytes, its failures, its schema.</summary>
public sealed class SqliteLearnerStoreTests : LearnerStoreTests
{
    private protected override ILearnerStore Open(int mostWaiting, int mostPredictions) =>
        new SqliteLearnerStore(Path.Combine(Folder, "log.db"), mostWaiting, mostPredictions, TimeProvider.System);

    [Fact]
    public async Task Feedback_that_waits_is_matched_after_a_write_that_failed()
    {
        await Append(Truth("cat", prediction: "p"));
        await Sql("CREATE TRIGGER full BEFORE UPDATE ON counter BEGIN SELECT RAISE(ABORT, 'full'); END");
        Store.Remember([Prediction("p", "cat", [1])]);
        await Assert.ThrowsAsync<IOException>(() => Append(Truth("dog", input: [2])));
        Assert.Empty(Samples());

        await Sql("DROP TRIGGER full");
        await Append(Truth("dog", input: [3]));

        Assert.Equal(["cat", "dog"], Samples().Select(sample => sample.Label).Order());
    }

    [Fact]
    public async Task Feedback_that_waits_for_a_prediction_that_is_there_is_matched_when_the_file_is_opened()
    {
        Store.Remember([Prediction("p", "cat", [1])]);
        await Append(Truth("dog", input: [2]));
        await Append(Truth("cat", prediction: "q"));
        await Sql("UPDATE feedback SET prediction = 'p' WHERE kind = 0");
        await CloseAsync();

        await Append(Truth("dog", input: [3]));

        Assert.Equal(["cat", "dog", "dog"], Samples().Select(sample => sample.Label).Order());
        Assert.Equal(0, Store.Status(0).WithoutPrediction);
    }

    [Fact]
    public async Task Nothing_of_a_deleted_subject_is_left_in_the_files()
    {
        byte[] input = [.. Enumerable.Range(0, 64).Select(i => (byte)(200 - i))];
        Store.Remember([Prediction("p", "dog", input, subject: "subject-of-prediction")]);
        await Append(Truth("label-of-ann", prediction: "p", subject: "subject-of-feedback"));
        await Append(Truth("label-of-ann", input: input, subject: "subject-of-prediction"));
        await Append(Truth("label-of-bob", input: [1]));
        string[] markers = ["subject-of-prediction", "subject-of-feedback", "label-of-ann"];
        Assert.All(markers, marker => Assert.True(IsOnDisk(Encoding.UTF8.GetBytes(marker)), marker));
        Assert.True(IsOnDisk(input));

        Assert.Equal(new SubjectErased(1, 2, 0, true), await Store.DeleteSubjectAsync("subject-of-prediction", Store.LastSequence));
        await Store.ForgetRevokedAsync([]);

        Assert.All(markers, marker => Assert.False(IsOnDisk(Encoding.UTF8.GetBytes(marker)), marker));
        Assert.False(IsOnDisk(input));
        Assert.True(IsOnDisk("label-of-bob"u8.ToArray()));
    }

    [Fact]
    public async Task A_damaged_file_is_named()
    {
        await CloseAsync();
        await File.WriteAllTextAsync(Path.Combine(Folder, "other.db"), new string('x', 8192), TestContext.Current.CancellationToken);

        var problem = Assert.Throws<InvalidDataException>(
            () => new SqliteLearnerStore(Path.Combine(Folder, "other.db"), 10, 10, TimeProvider.System));

        Assert.Contains("other.db", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_of_the_first_schema_is_brought_up_to_date()
    {
        await CloseAsync();
        foreach (var file in Directory.GetFiles(Folder)) File.Delete(file);
        await Sql(LearnerSchema.Version1 + """
            PRAGMA user_version = 1;
            UPDATE counter SET last = 3;
            INSERT INTO feedback(sequence, ordinal, kind, held, at, input, label, revoked) VALUES (1, 1, 1, 0, 0, x'01', 'cat', 3);
            INSERT INTO feedback(sequence, ordinal, kind, held, at, input, label, prediction, revoked) VALUES (2, 2, 1, 0, 0, x'02', 'dog', 'p', 3);
            INSERT INTO examples VALUES ('e', x'03', 'cow', 0);
            """);

        Assert.Equal((1, 0), Store.CountDeleted(new VersionPlace(2, 2))); // the first by its subject, the second was corrected
        Assert.Null(Assert.Single(Store.ReadExamples()).Subject);
        Assert.Equal(4, (await Append(Truth("cat", input: [1]))).Sequence);
    }

    private async Task Sql(string statement)
    {
        await using var connection = new SqliteConnection($"Data Source={Path.Combine(Folder, "log.db")};Pooling=False");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = statement;
        await command.ExecuteNonQueryAsync();
    }

    private bool IsOnDisk(byte[] marker) => Directory.EnumerateFiles(Folder).Any(path =>
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes.AsSpan().IndexOf(marker) >= 0;
    });
}
