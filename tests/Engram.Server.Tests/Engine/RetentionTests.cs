using Engram.Client;
using Engram.Server.Tests.Watching;

namespace Engram.Server.Tests.Engine;

/// <summary>How long things are kept, by the learner's own clock.</summary>
public sealed class RetentionTests : ServiceTest
{
    private static readonly LearnerSpecification s_days = Ridge with
    {
        Learning = new LearningPolicy { EverySamples = 0, CpuShare = 1, HoldOut = 0 },
        Retention = new RetentionPolicy { FeedbackDays = 1, PredictionHours = 2 },
    };

    private readonly ManualClock _clock = new();

    public RetentionTests() => Clock = _clock;

    [Fact]
    public async Task Feedback_goes_by_its_age_learnt_or_not()
    {
        var learner = await Create(s_days);
        await learner.AcceptAsync(Digits.Lesson(10, 0), Token);
        _clock.Advance(TimeSpan.FromHours(20));
        await learner.AcceptAsync(Digits.Lesson(5, 1), Token);
        await learner.TendAsync();
        Assert.Equal(15, learner.Describe().Feedback.Waiting);

        _clock.Advance(TimeSpan.FromHours(5));
        await learner.TendAsync();

        Assert.Equal(5, learner.Describe().Feedback.Waiting);
        var expired = Assert.Single(Service.Store.ReadAudit("digits", 10), entry => entry.Action == "retention.expire");
        Assert.Equal(("service", "0 predictions, 10 feedbacks"), (expired.Who, expired.Detail));
    }

    [Fact]
    public async Task Feedback_that_waits_for_its_prediction_goes_when_predictions_of_its_time_do()
    {
        var learner = await Create(s_days);
        await learner.AcceptAsync(new FeedbackRequest { PredictionId = "early", Label = "0" }, Token);
        Assert.Equal(1, learner.Describe().Feedback.WithoutPrediction);

        _clock.Advance(TimeSpan.FromHours(3));
        await learner.TendAsync();

        Assert.Equal(0, learner.Describe().Feedback.WithoutPrediction);
    }

    [Fact]
    public async Task A_version_that_is_rolled_back_to_learns_again_only_what_is_still_kept()
    {
        var learner = await Create(s_days);
        await Teach(learner, 10, 0, 1);
        await Teach(learner, 10, 2);
        _clock.Advance(TimeSpan.FromHours(25));
        await learner.AcceptAsync(Digits.Lesson(10, 3), Token);
        await learner.TendAsync();

        await learner.RollbackAsync(1, "tester", null);
        await learner.ResumeAsync("tester", null);

        Assert.Equal(["0", "1", "3"], (await learner.LearnAsync("tester", null, Token))!.Labels);
    }

    [Fact]
    public async Task What_was_learnt_and_is_too_old_is_unlearnt_by_beginning_anew()
    {
        var learner = await Create(s_days);
        await learner.AcceptAsync(OfAnn(2), Token);
        await learner.LearnAsync("tester", null, Token);
        await learner.PinAsync(1, true, "tester", null);
        _clock.Advance(TimeSpan.FromDays(2));
        await learner.AcceptAsync(Digits.Lesson(20, 0, 1), Token);
        await learner.TendAsync();
        Assert.False(IsOnDisk(FirstPixelsOfAnn())); // whatever is pinned
        Assert.Equal(20, learner.ExportSubject("ann").Feedback.Count(one => one is { Learnt: true, Input: null }));
        await learner.LearnAsync("tester", null, Token);
        Assert.Contains("2", learner.Describe().Labels);
        await learner.PinAsync(1, false, "tester", null);

        var deletion = await learner.DeleteSubjectAsync("ann", "tester", null);

        Assert.Equal((20, "done", 0), (deletion.Feedback, deletion.Unlearning, deletion.HeldBy.Count));
        Assert.Equal(["0", "1"], Assert.Single(learner.Versions).Labels.Order());
    }
}
