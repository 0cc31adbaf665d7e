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
        await learner.LearnAsync("tester", Token);

        var deletion = await learner.DeleteSubjectAsync("ann", "tester", "asked for");
        Assert.Null(await learner.LearnAsync("tester", Token)); // after what is being unlearnt

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
        await learner.LearnAsync("tester", Token);

        var deletion = await learner.DeleteSubjectAsync("ann", "tester", null);

        Assert.Equal("done", deletion.Unlearning);
        Assert.Null(learner.Describe().Champion);
        await Assert.ThrowsAsync<ConflictException>(async () => await learner.PredictAsync(new PredictRequest { Input = Digits.Test(0, 1)[0] }, Token));
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
