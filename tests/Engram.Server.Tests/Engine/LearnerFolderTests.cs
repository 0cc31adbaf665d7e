using Engram.Client;

namespace Engram.Server.Tests.Engine;

/// <summary>Learners' files when something is missing, damaged, or half deleted.</summary>
public sealed class LearnerFolderTests : ServiceTest
{
    private string Learners => Path.Combine(Options.Folder, "learners");

    [Fact]
    public async Task Learners_that_the_service_no_longer_knows_keep_their_files()
    {
        await Teach(await Create(Ridge), 10, 0, 1);
        await CloseAsync();
        foreach (var file in Directory.GetFiles(Options.Folder, "service.db*")) File.Delete(file);

        Assert.Empty(Service.Learners);

        Assert.True(File.Exists(Path.Combine(Learners, "digits", "log.db")));
        Assert.Equal("name", (await Assert.ThrowsAsync<ConflictException>(() => Create(Ridge))).Field);
    }

    [Fact]
    public async Task A_deletion_that_was_cut_off_goes_on_when_the_service_starts()
    {
        var learner = await Create(Ridge);
        await Create(Ridge with { Name = "other" });
        await Teach(learner, 10, 0, 1);
        await CloseAsync();
        Directory.Move(Path.Combine(Learners, "digits"), Path.Combine(Learners, $".deleted.digits.{learner.Created.ToUnixTimeMilliseconds()}"));

        Assert.Equal("other", Assert.Single(Service.Learners).Name);

        Assert.Equal([Path.Combine(Learners, "other")], Directory.GetDirectories(Learners));
        Assert.Empty((await Create(Ridge)).Versions);
    }

    [Fact]
    public async Task A_learner_that_cannot_be_opened_is_told_and_the_others_serve()
    {
        await Create(Ridge);
        var other = await Create(Ridge with { Name = "other" });
        await Teach(other, 10, 0, 1);
        await CloseAsync();
        foreach (var file in Directory.GetFiles(Path.Combine(Learners, "digits"), "log.db*")) await File.WriteAllTextAsync(file, new string('x', 8192), Token);

        Assert.NotNull((await Service.Find("other")!.PredictAsync(new PredictRequest { Input = Digits.Test(0, 1)[0] }, Token)).Label);

        var failed = Assert.Single(Service.Failed);
        Assert.Equal(("digits", LearnerActivity.Failed), (failed.Specification.Name, failed.Activity));
        Assert.Contains("log.db", failed.LastError, StringComparison.Ordinal);
        Assert.DoesNotContain(Options.Folder, failed.LastError, StringComparison.Ordinal);
        Assert.Null(Service.Find("digits"));
        await Assert.ThrowsAsync<ConflictException>(() => Create(Ridge));
        Assert.True(await Service.DeleteAsync("digits", "tester", null));
        Assert.Empty(Service.Failed);
        Assert.Empty((await Create(Ridge)).Versions);
    }

    [Fact]
    public async Task A_learner_that_is_paused_while_it_is_deleted_does_not_come_back()
    {
        var learner = await Create(Ridge);
        await Service.DeleteAsync("digits", "tester", null);

        await Record.ExceptionAsync(() => learner.PauseAsync("tester", null));

        Assert.Null(await Reopened());
    }
}
