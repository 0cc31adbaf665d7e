using System.IO.Compression;
using Engram.Client;
using Engram.Persistence;
using Engram.Server.Store;

namespace Engram.Server.Tests.Engine;

public sealed class VersionTests : ServiceTest
{
    [Fact]
    public async Task Rolling_back_answers_by_the_version_before_and_pauses_learning()
    {
        var learner = await Create(Ridge);
        await Teach(learner, 50, 0, 1);
        await Teach(learner, 50, 2);

        var back = await learner.RollbackAsync(null, "ann", "wrong digits");

        Assert.Equal((1, VersionState.Published), (back.Version, back.State));
        Assert.Equal(LearnerActivity.Paused, learner.Describe().Activity);
        Assert.Equal(1, (await learner.PredictAsync(new PredictRequest { Input = Digits.Test(0, 1)[0] }, Token)).Version);
        Assert.True(learner.Describe().Feedback.Waiting > 0);
        await Assert.ThrowsAsync<ConflictException>(() => learner.LearnAsync("ann", null, Token));
        learner = await Reopened();
        Assert.Equal((1, LearnerActivity.Paused), (learner.Describe().Champion, learner.Describe().Activity));
        await learner.ResumeAsync("ann", null);
        Assert.Equal((3, 1), ((await learner.LearnAsync("ann", null, Token))!.Version, learner.Versions[0].Parent));
    }

    [Theory]
    [InlineData("ridge")]
    [InlineData("network")]
    public async Task Versions_change_under_load_without_a_failure_or_a_mixed_answer(string kind)
    {
        var learner = await Create(kind == "ridge" ? Ridge : Network);
        await Teach(learner, 20, 0, 1);
        await Teach(learner, 20, 2);
        var images = Enumerable.Range(0, 4).Select(digit => Digits.Test(digit, 7)).ToArray();

        var answers = new List<PredictBatchResponse>();
        for (var i = 0; i < 25; i++)
        {
            // Requests before, while and after the version changes.
            var asked = Enumerable.Range(0, 24).Select(n => Task.Run(
                () => learner.PredictAsync(new PredictBatchRequest { Inputs = images[n % 4] }, Token).AsTask(), Token)).ToList();
            await learner.RollbackAsync(1 + (i % 2), "ann", null);
            var after = await learner.PredictAsync(new PredictRequest { Input = images[0][0] }, Token);
            Assert.Equal(1 + (i % 2), after.Version);
            answers.AddRange(await Task.WhenAll(asked));
        }

        Assert.All(answers, said => Assert.Single(said.Predictions.Select(one => one.Version).Distinct()));
        Assert.Equal(25 * 24, answers.Count);
    }

    [Theory]
    [InlineData("ridge")]
    [InlineData("network")]
    public async Task The_bundle_of_a_version_says_what_it_was_made_from_and_how_good_it_is(string kind)
    {
        var learner = await Create(kind == "ridge" ? Ridge : Network);
        await Teach(learner, 20, 0, 1);
        await Teach(learner, 20, 2);

        var (first, second) = (await Exported(learner, 1), await Exported(learner, 2));

        Assert.Null(first.Lineage.Parent);
        Assert.Equal(first.Id, second.Lineage.Parent);
        Assert.Matches("^feedback [0-9]+ to [0-9]+, [0-9]+ samples$", first.Lineage.Data);
        Assert.NotEqual(first.Lineage.Data, second.Lineage.Data);
        Assert.Equal(learner.Name, (string?)second.Lineage.Settings["name"]);
        Assert.Equal(learner.Versions.Single(version => version.Version == 2).Accuracy, second.Lineage.Metrics["accuracy"]);
        Assert.Matches("^[0-9]+[.]", second.Lineage.CodeVersion);
        Assert.NotNull(second.Lineage.Saved);
        Assert.Equal(["0", "1", "2"], second.Lineage.History!.Select(part => part.Name).Order(StringComparer.Ordinal));
        var old = second.Lineage.History!.Single(part => part.Name == "0");
        Assert.True(old.Learnt < second.Lineage.History!.Single(part => part.Name == "2").Learnt);
        Assert.NotNull(old.AccuracyThen);
        Assert.NotNull(old.AccuracyNow);
    }

    private static async Task<BundleDescription> Exported(LearnerHost learner, int version)
    {
        var folder = Directory.CreateTempSubdirectory("engram-");
        try
        {
            using var zip = new MemoryStream();
            await learner.ExportAsync(version, zip, Token);
            await ZipFile.ExtractToDirectoryAsync(zip, folder.FullName, Token);
            var manifest = Assert.Single(folder.GetFiles("manifest.json", SearchOption.AllDirectories));
            return Bundle.Describe(manifest.DirectoryName!);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task An_exported_version_is_taken_in_by_another_learner_and_predicts_the_same()
    {
        var learner = await Create(Ridge);
        await Teach(learner, 50, 0, 1, 2);
        var other = await Create(Ridge with { Name = "other" });
        using var zip = new MemoryStream();
        await learner.ExportAsync(1, zip, Token);
        zip.Position = 0;

        var taken = await other.ImportAsync(zip, "ann", null, Token);

        Assert.Equal((VersionState.Published, "import", 0), (taken.State, taken.Trigger, taken.Cursor));
        var request = new PredictBatchRequest { Inputs = [.. Digits.Test(1, 20), .. Digits.Test(2, 20)] };
        var (first, second) = (await learner.PredictAsync(request, Token), await other.PredictAsync(request, Token));
        Assert.Equal(first.Predictions.Select(one => one.Label), second.Predictions.Select(one => one.Label));
        Assert.Equal(2, (await Teach(other, 30, 3)).Version);
    }

    [Fact]
    public async Task What_is_no_bundle_is_refused_and_leaves_nothing_behind()
    {
        var learner = await Create(Ridge);

        var problem = await Assert.ThrowsAsync<InputException>(() => learner.ImportAsync(new MemoryStream([1, 2, 3]), "ann", null, Token));

        Assert.Equal("bundle", problem.Field);
        Assert.Empty(learner.Versions);
    }

    [Fact]
    public async Task Old_versions_are_let_go_but_not_pinned_ones()
    {
        var learner = await Create(Ridge with { Retention = new RetentionPolicy { Versions = 1 } });
        await Teach(learner, 20, 0);
        await learner.PinAsync(1, true, "ann", null);
        await Teach(learner, 20, 1);
        await Teach(learner, 20, 2);
        await Teach(learner, 20, 3);

        Assert.Equal([4, 3, 1], learner.Versions.Select(version => version.Version));
        Assert.Contains(Audit(), entry => entry is { Action: "version.delete", Detail: "version 2", Reason: "newer ones are as many as are kept" });
    }

    [Fact]
    public async Task A_diff_tells_labels_and_disagreements()
    {
        var learner = await Create(Ridge with { Learning = Ridge.Learning with { HoldOut = 0.3 } });
        await Teach(learner, 50, 0, 1);
        await Teach(learner, 50, 2);

        var diff = await learner.DiffAsync(1, 2, Token);

        Assert.Equal(["2"], diff.NewLabels);
        Assert.InRange(diff.Disagreements!.Value, 5, diff.Compared!.Value);
        Assert.Equal(["0", "1", "2"], learner.Accuracy().Labels.Order());
    }

    [Fact]
    public async Task Half_made_versions_are_swept_and_versions_without_files_forgotten()
    {
        var learner = await Create(Ridge);
        await Teach(learner, 50, 0, 1);
        await Teach(learner, 50, 2);
        var versions = Path.Combine(Options.Folder, "learners", "digits", "versions");
        await Service.DisposeAsync();
        Directory.Delete(Path.Combine(versions, "2"), recursive: true); // the champion's files are lost
        Directory.CreateDirectory(Path.Combine(versions, ".3.making"));
        Directory.CreateDirectory(Path.Combine(versions, "3")); // made, but not decided upon

        learner = await Reopened();

        Assert.Equal((1, 1), (learner.Describe().Champion, learner.Versions.Count));
        Assert.Contains(Audit(), entry => entry is { Action: "version.delete", Detail: "version 2", Reason: "its files are gone" });
        Assert.Contains(Audit(), entry => entry is { Action: "version.publish", Detail: "version 1", Reason: "the one that answered before is gone" });
        Assert.Equal(["1"], Directory.GetDirectories(versions).Select(Path.GetFileName));
        Assert.Equal(1, (await learner.PredictAsync(new PredictRequest { Input = Digits.Test(0, 1)[0] }, Token)).Version);
    }

    [Fact]
    public async Task A_damaged_version_gives_way_to_the_one_before_and_nobody_is_told_where_it_lies()
    {
        var learner = await Create(Ridge);
        await Teach(learner, 20, 0, 1);
        await Teach(learner, 20, 2);
        await Service.DisposeAsync();
        Damage(2);

        learner = await Reopened();
        var now = learner.Describe();

        Assert.Equal(1, now.Champion);
        Assert.Contains("version 2 cannot be loaded", now.LastError, StringComparison.Ordinal);
        Assert.DoesNotContain(Options.Folder, now.LastError, StringComparison.Ordinal);
        Assert.Equal(now.LastError, Audit().First(entry => entry is { Action: "version.publish", Detail: "version 1" }).Reason);
    }

    [Fact]
    public async Task A_deleted_learner_is_gone_with_its_files()
    {
        var learner = await Create(Ridge);
        await Teach(learner, 20, 0, 1);

        Assert.True(await Service.DeleteAsync("digits", "ann", null));
        Assert.False(await Service.DeleteAsync("digits", "ann", null));

        Assert.Null(Service.Find("digits"));
        Assert.Empty(Directory.GetDirectories(Path.Combine(Options.Folder, "learners")));
        Assert.Equal(1, (await Teach(await Create(Ridge), 20, 0, 1)).Version);
    }

    [Fact]
    public async Task What_was_examined_and_not_decided_on_is_learnt_again()
    {
        var learner = await Create(Ridge);
        await Teach(learner, 50, 0, 1);
        var undecided = (await Teach(learner, 50, 2)) with { State = VersionState.Observed, Reason = "examined" };
        await Service.DisposeAsync();
        await using (var store = new SqliteServiceStore(Options))
        await using (var versions = store.OpenLearner("digits", 1000)) await versions.WriteAliasAsync("champion", 1, [undecided]);

        learner = await Reopened();

        Assert.Equal([1], learner.Versions.Select(version => version.Version));
        Assert.Equal(1, learner.Describe().Champion);
        Assert.Contains("2", (await learner.LearnAsync("ann", null, Token))!.Labels);
    }

    [Fact]
    public async Task A_learner_that_rests_holds_up_neither_others_nor_the_end_of_those_that_wait()
    {
        var slow = await Create(Network with { Learning = Network.Learning with { CpuShare = 0.01 } });
        await slow.AcceptAsync(Digits.Lesson(200, 0, 1), Token);
        var learning = slow.LearnAsync("tester", null, Token);
        var waits = await Create(Network with { Name = "waits" });
        await waits.AcceptAsync(Digits.Lesson(20, 0, 1), Token);
        var waiting = waits.LearnAsync("tester", null, Token);
        var quick = await Create(Ridge with { Name = "quick" });

        Assert.Equal(VersionState.Published, (await Teach(quick, 20, 0, 1)).State);
        Assert.True(await Service.DeleteAsync("waits", "ann", null));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.False(learning.IsCompleted);
        await slow.PauseAsync("ann", null);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => learning);
    }

    // What the service did of its own accord, the newest first.
    private IEnumerable<AuditEntry> Audit() => Service.Store.ReadAudit("digits", 100).Where(entry => entry.Who == "service");
}
