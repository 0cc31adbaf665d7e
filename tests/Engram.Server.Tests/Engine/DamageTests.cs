using System.Collections.Concurrent;
using System.IO.Compression;
using System.Text;
using Engram.Client;
using Microsoft.Extensions.Logging;

namespace Engram.Server.Tests.Engine;

/// <summary>Damaged versions, odd archives and learning that fails: a clear answer, and all else as it was.</summary>
public sealed class DamageTests : ServiceTest
{
    [Fact]
    public async Task Going_back_to_a_damaged_version_is_refused_and_pauses_nothing()
    {
        var learner = await TwoVersions();
        Damage(1);

        var problem = await Assert.ThrowsAsync<ConflictException>(() => learner.RollbackAsync(1, "ann", null));

        Assert.Contains("cannot be loaded", problem.Message, StringComparison.Ordinal);
        Assert.Equal((2, LearnerActivity.Idle), (learner.Describe().Champion, learner.Describe().Activity));
    }

    [Fact]
    public async Task A_damaged_version_is_named_when_it_is_compared_or_asked_and_others_answer()
    {
        var learner = await TwoVersions();
        Damage(1);

        Assert.Equal("version", (await Assert.ThrowsAsync<ConflictException>(() => learner.DiffAsync(1, 2, Token))).Field);
        var asked = Enumerable.Range(0, 20).Select(i => Task.Run(async () =>
        {
            var request = new PredictRequest { Input = Digits.Test(0, 1)[0], Version = i % 2 == 0 ? "1" : null };
            return i % 2 == 0
                ? (await Assert.ThrowsAsync<ConflictException>(() => learner.PredictAsync(request, Token).AsTask())).Field
                : (await learner.PredictAsync(request, Token)).Label;
        }, Token));
        Assert.All((await Task.WhenAll(asked)).Index(), said => Assert.Equal(said.Index % 2 == 0 ? "version" : "0", said.Item));
    }

    [Fact]
    public async Task An_archive_with_a_part_twice_is_refused()
    {
        var learner = await TwoVersions();
        using var zip = await Exported(learner);
        using (var archive = new ZipArchive(zip, ZipArchiveMode.Update, leaveOpen: true))
        using (var again = archive.CreateEntry("manifest.json").Open())
            again.Write("{}"u8);
        zip.Position = 0;

        var problem = await Assert.ThrowsAsync<InputException>(() => learner.ImportAsync(zip, "ann", null, Token));

        Assert.Contains("manifest.json is in it twice", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_version_says_of_its_table_is_checked()
    {
        var learner = await Create(new LearnerSpecification
        {
            Name = "rows",
            Input = new InputSchema { Kind = InputKind.Tabular, Columns = [new ColumnSchema { Name = "x" }] },
            Model = new ModelSpecification { Kind = "ridge" },
            Learning = new LearningPolicy { EverySamples = 0, HoldOut = 0 },
        });
        foreach (var (x, label) in new[] { (1, "low"), (2, "low"), (8, "high"), (9, "high") })
            await learner.AcceptAsync(new FeedbackRequest { Input = LearnerInput.Row(new KeyValuePair<string, object?>("x", x)), Label = label }, Token);
        await learner.LearnAsync("ann", null, Token);
        using var zip = await Exported(learner);
        await RewriteAsync(zip, text =>
        {
            var at = text.IndexOf('[', text.IndexOf("\"x\"", StringComparison.Ordinal));
            return string.Concat(text.AsSpan(0, at), "[null, 1]", text.AsSpan(text.IndexOf(']', at) + 1));
        });

        var problem = await Assert.ThrowsAsync<InputException>(() => learner.ImportAsync(zip, "ann", null, Token));

        Assert.Contains("measured.x", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_version_says_of_itself_is_named_by_its_field_where_it_is_damaged_and_by_no_type()
    {
        var learner = await TwoVersions();
        using var zip = await Exported(learner);
        await RewriteAsync(zip, text => text.Replace("\"created\":", "\"created\": 7, \"then\":", StringComparison.Ordinal));

        var problem = await Assert.ThrowsAsync<InputException>(() => learner.ImportAsync(zip, "ann", null, Token));

        Assert.Contains("at $.created", problem.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("System", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_happens_to_a_learner_is_logged()
    {
        var logs = new Logs();
        await using var service = LearningService.Open(Options with { Logs = logs });
        var learner = await service.CreateAsync(Ridge, "tester");
        await Teach(learner, 20, 0, 1);

        Assert.Contains(logs.Lines, line => line is { Level: LogLevel.Information } && line.Text.StartsWith("digits: published (version 1)", StringComparison.Ordinal));
        Assert.DoesNotContain(logs.Lines, line => line.Text.StartsWith("digits: progress", StringComparison.Ordinal));
    }

    private async Task<LearnerHost> TwoVersions()
    {
        var learner = await Create(Ridge);
        await Teach(learner, 20, 0, 1);
        await Teach(learner, 20, 2);
        return learner;
    }

    // Changes what a version says of itself.
    private static async Task RewriteAsync(MemoryStream zip, Func<string, string> change)
    {
        using (var archive = new ZipArchive(zip, ZipArchiveMode.Update, leaveOpen: true))
        {
            var entry = archive.GetEntry("version.json")!;
            string text;
            using (var reader = new StreamReader(entry.Open())) text = await reader.ReadToEndAsync(Token);
            entry.Delete();
            using var writer = archive.CreateEntry("version.json").Open();
            await writer.WriteAsync(Encoding.UTF8.GetBytes(change(text)), Token);
        }
        zip.Position = 0;
    }

    private static async Task<MemoryStream> Exported(LearnerHost learner)
    {
        var zip = new MemoryStream();
        await learner.ExportAsync(learner.Versions[0].Version, zip, Token);
        return zip;
    }

    private sealed class Logs : ILoggerFactory, ILogger
    {
        public ConcurrentBag<(LogLevel Level, string Text, Exception? Problem)> Lines { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Add((logLevel, formatter(state, exception), exception));

        public void Dispose()
        {
        }
    }
}
