using Engram.Client;

namespace Engram.Server.Tests.Engine;

public sealed class PrivacyTests : ServiceTest
{
    private static readonly LearningPolicy s_learning = new() { EverySamples = 0, CpuShare = 1, HoldOut = 0 };

    [Theory]
    [InlineData("ridge")]
    [InlineData("network")]
    public async Task A_deleted_subject_is_unlearnt_as_if_it_had_never_been_seen(string kind)
    {
        var specification = (kind == "ridge" ? Ridge : Network) with { Learning = s_learning };
        var learner = await Create(specification);
        await learner.AcceptAsync(Digits.Lesson(40, 0, 1), Token);
        await learner.AcceptAsync(new FeedbackBatchRequest([.. Digits.LessonFrom(40, 20, 0, 2).Items.Select(item => item with { Subject = "ann" })]), Token);
        await learner.LearnAsync("tester", null, Token);

        var deletion = await learner.DeleteSubjectAsync("ann", "tester", "asked for");
        Assert.Null(await learner.LearnAsync("tester", null, Token)); // after what is being unlearnt

        Assert.Equal((40, kind == "ridge" ? "done" : "started"), (deletion.Feedback, deletion.Unlearning));
        Assert.Equal("unlearn", Assert.Single(learner.Versions).Trigger); // the version that had learnt it is gone
        Assert.Empty(learner.ExportSubject("ann").Feedback);
        var never = await Create(specification with { Name = "never" });
        await Teach(never, 40, 0, 1);
        var request = new PredictBatchRequest { Inputs = [.. Digits.Test(0, 50), .. Digits.Test(1, 50)] };
        var (after, without) = (await learner.PredictAsync(request, Token), await never.PredictAsync(request, Token));
        Assert.All(after.Predictions.Zip(without.Predictions), pair =>
        {
            Assert.Equal(pair.Second.Label, pair.First.Label);
            Assert.Equal(pair.Second.Probability, pair.First.Probability, 1e-4);
        });
    }

    [Fact]
    public async Task When_all_that_was_learnt_is_deleted_nothing_answers()
    {
        var learner = await Create(Ridge with { Learning = s_learning });
        await learner.AcceptAsync(new FeedbackBatchRequest([.. Digits.Lesson(20, 0, 1).Items.Select(item => item with { Subject = "ann" })]), Token);
        await learner.LearnAsync("tester", null, Token);

        var deletion = await learner.DeleteSubjectAsync("ann", "tester", null);

        Assert.Equal("done", deletion.Unlearning);
        Assert.Null(learner.Describe().Champion);
        await Assert.ThrowsAsync<ConflictException>(async () => await learner.PredictAsync(new PredictRequest { Input = Digits.Test(0, 1)[0] }, Token));
    }

    [Theory]
    [InlineData(GateMode.Staged)]
    [InlineData(GateMode.Observe)]
    public async Task A_version_that_was_never_published_is_let_go_when_it_holds_what_was_deleted(GateMode mode)
    {
        var learner = await Create(Ridge with { Learning = s_learning, Gate = new GateSpecification { Mode = mode } });
        await learner.AcceptAsync(Digits.Lesson(20, 0, 1), Token);
        await learner.AcceptAsync(OfAnn(2), Token);
        await learner.LearnAsync("tester", null, Token);
        Assert.True(IsOnDisk(FirstPixelsOfAnn()));

        var deletion = await learner.DeleteSubjectAsync("ann", "tester", null);

        Assert.Equal(("done", 0), (deletion.Unlearning, deletion.HeldBy.Count));
        Assert.Empty(learner.Versions);
        Assert.Empty(Bundles);
        Assert.False(IsOnDisk(FirstPixelsOfAnn()));
        var again = await learner.LearnAsync("tester", null, Token);
        Assert.Equal((2, 40), (again!.Version, again.Samples)); // a number is given once
    }

    [Fact]
    public async Task What_was_withdrawn_does_not_come_back_when_the_service_starts()
    {
        var learner = await Create(Ridge with { Learning = s_learning });
        await learner.AcceptAsync(OfAnn(2, 1), Token);
        await learner.LearnAsync("tester", null, Token);
        await learner.PinAsync(1, true, "tester", null);

        var pinned = await learner.DeleteSubjectAsync("ann", "tester", null);

        Assert.Equal(("started", 1), (pinned.Unlearning, Assert.Single(pinned.HeldBy)));
        learner = await Reopened();
        Assert.Null(learner.Describe().Champion);
        await learner.PinAsync(1, false, "tester", null);
        Assert.Empty(learner.Versions);
        Assert.Empty(Bundles);
        Assert.False(IsOnDisk(FirstPixelsOfAnn()));
        await Teach(learner, 20, 0, 1);
        Assert.Equal(2, learner.Describe().Champion);
    }

    [Fact]
    public async Task Older_versions_are_let_go_whichever_job_unlearns()
    {
        var other = await Create(Network with { Name = "other", Learning = s_learning });
        var learner = await Create(Ridge with { Learning = s_learning });
        await learner.AcceptAsync(Digits.Lesson(20, 0, 1), Token);
        await learner.AcceptAsync(OfAnn(2), Token);
        await learner.LearnAsync("tester", null, Token);
        await learner.AcceptAsync(Digits.LessonFrom(20, 20, 0, 1), Token);
        await other.AcceptAsync(Digits.Lesson(100, 0, 1), Token);
        var busy = other.LearnAsync("tester", null, Token);
        var requested = learner.LearnAsync("tester", null, Token); // before what the deletion asks for

        var deletion = await learner.DeleteSubjectAsync("ann", "tester", null);

        Assert.Equal(("done", 0), (deletion.Unlearning, deletion.HeldBy.Count));
        Assert.Equal((2, "request"), ((await requested)!.Version, Assert.Single(learner.Versions).Trigger));
        await busy; // it writes files of its own, which cannot be read meanwhile
        Assert.False(IsOnDisk(FirstPixelsOfAnn()));
    }

    [Fact]
    public async Task A_version_with_a_pin_is_told_to_hold_what_was_deleted_until_it_is_unpinned()
    {
        var learner = await Create(Ridge with { Learning = s_learning });
        await learner.AcceptAsync(Digits.Lesson(20, 0, 1), Token);
        await learner.AcceptAsync(OfAnn(2), Token);
        await learner.LearnAsync("tester", null, Token);
        await learner.PinAsync(1, true, "tester", null);

        var deletion = await learner.DeleteSubjectAsync("ann", "tester", null);

        Assert.Equal(("started", 1), (deletion.Unlearning, Assert.Single(deletion.HeldBy)));
        Assert.Equal(2, learner.Describe().Champion);
        await learner.PinAsync(1, false, "tester", null);
        Assert.Equal(2, Assert.Single(learner.Versions).Version);
        Assert.False(IsOnDisk(FirstPixelsOfAnn()));
    }

    [Fact]
    public async Task Going_back_to_a_version_that_holds_what_was_deleted_unlearns_it_again()
    {
        var learner = await Create(Ridge with { Learning = s_learning });
        await learner.AcceptAsync(Digits.Lesson(20, 0, 1), Token);
        await learner.AcceptAsync(OfAnn(2), Token);
        await learner.LearnAsync("tester", null, Token);
        await learner.PinAsync(1, true, "tester", null);
        await learner.DeleteSubjectAsync("ann", "tester", null);

        await learner.RollbackAsync(1, "tester", null);
        await learner.ResumeAsync("tester", null);
        Assert.Null(await learner.LearnAsync("tester", null, Token)); // after what is being unlearnt

        Assert.Equal((3, "unlearn"), (learner.Describe().Champion, learner.Versions[0].Trigger));
        var again = await learner.DeleteSubjectAsync("ann", "tester", null);
        Assert.Equal(("none", 1), (again.Unlearning, Assert.Single(again.HeldBy)));
    }

    [Fact]
    public async Task A_version_exported_before_a_deletion_is_not_taken_in_after_it()
    {
        var learner = await Create(Ridge with { Learning = s_learning });
        await learner.AcceptAsync(Digits.Lesson(20, 0, 1), Token);
        await learner.AcceptAsync(OfAnn(2), Token);
        await learner.LearnAsync("tester", null, Token);
        using var exported = new MemoryStream();
        await learner.ExportAsync(1, exported, Token);
        await learner.DeleteSubjectAsync("ann", "tester", null);
        exported.Position = 0;

        var problem = await Assert.ThrowsAsync<ConflictException>(() => learner.ImportAsync(exported, "tester", null, Token));

        Assert.Equal("bundle", problem.Field);
        Assert.Equal(2, Assert.Single(learner.Versions).Version);
    }

    [Fact]
    public async Task Pinned_examples_of_a_subject_are_exported_and_deleted_with_it()
    {
        var learner = await Create(Ridge with { Learning = s_learning });
        var image = OfAnn(2).Items[0].Input!.Value;
        var pinned = await learner.PinExampleAsync(new PinExampleRequest(image, "2", "ann"), "tester");
        await learner.PinExampleAsync(new PinExampleRequest(Digits.Test(0, 1)[0], "0", "bob"), "tester");

        var stored = Assert.Single(learner.ExportSubject("ann").Examples);
        var deletion = await learner.DeleteSubjectAsync("ann", "tester", null);

        Assert.Equal((pinned.Id, "2", image.GetRawText()), (stored.Id, stored.Label, stored.Input.GetRawText()));
        Assert.Equal((1, "none"), (deletion.Examples, deletion.Unlearning));
        Assert.Equal("0", Assert.Single(learner.Examples).Label);
        Assert.False(IsOnDisk(FirstPixelsOfAnn()));
    }

    [Fact]
    public async Task What_is_stored_of_a_subject_is_exported_as_it_came()
    {
        var learner = await Create(Ridge with { Learning = s_learning });
        await Teach(learner, 20, 0, 1);
        var image = Digits.Test(0, 1)[0];
        var said = await learner.PredictAsync(new PredictRequest { Input = image, Subject = "ann" }, Token);
        await learner.AcceptAsync(new FeedbackRequest { PredictionId = said.PredictionId, Label = "0" }, Token);

        var stored = learner.ExportSubject("ann");

        Assert.Equal(image.GetRawText(), Assert.Single(stored.Feedback).Input!.Value.GetRawText());
        Assert.Equal((said.PredictionId, false), (Assert.Single(stored.Predictions).PredictionId, stored.Feedback[0].Learnt));
    }
}
