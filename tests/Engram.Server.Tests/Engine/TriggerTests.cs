using Engram.Client;

namespace Engram.Server.Tests.Engine;

/// <summary>When a learner learns without being asked.</summary>
public sealed class TriggerTests : ServiceTest
{
    [Fact]
    public async Task Feedback_that_waits_long_enough_is_learnt()
    {
        var learner = await Create(Ridge with { Learning = Ridge.Learning with { EverySeconds = 0.5 } });
        var published = learner.EventsAsync(0, Token).FirstAsync(one => one.Type == "published", Token);

        await learner.AcceptAsync(Digits.Lesson(20, 0, 1), Token);

        Assert.Equal(1, (await published).Version);
        Assert.Equal("time", learner.Versions[0].Trigger);
    }

    [Fact]
    public async Task Feedback_is_learnt_when_the_published_version_gets_worse()
    {
        var learner = await Create(Ridge with { Learning = Ridge.Learning with { OnDrift = true, HoldOut = 0 } });
        await Teach(learner, 100, 0, 1);
        await AskAndTell(0, 30); // right, so nothing drifts
        await AskAndTell(1, 30);
        await Task.Delay(TimeSpan.FromSeconds(2.5), Token); // the service looks every second
        Assert.Single(learner.Versions);
        var published = learner.EventsAsync(learner.Versions.Count, Token).FirstAsync(one => one.Type == "published" && one.Version == 2, Token);

        await AskAndTell(7, 60); // never learnt: wrong each time

        await published;
        Assert.Equal("drift", learner.Versions[0].Trigger);
        Assert.True(await Digits.AccuracyOf(learner, 7) > 0.8);

        async Task AskAndTell(int digit, int count)
        {
            var said = await learner.PredictAsync(new PredictBatchRequest { Inputs = Digits.Test(digit, count) }, Token);
            await learner.AcceptAsync(new FeedbackBatchRequest([.. said.Predictions.Select(one =>
                new FeedbackRequest { PredictionId = one.PredictionId, Label = $"{digit}" })]), Token);
        }
    }

    [Fact]
    public async Task Others_do_not_wait_while_a_network_rests()
    {
        var slow = await Create(Network with { Name = "slow", Learning = Network.Learning with { CpuShare = 0.01 } });
        var fast = await Create(Ridge);
        var other = await Create(Network with { Name = "other" });
        await slow.AcceptAsync(Digits.Lesson(200, 0, 1, 2), Token);
        var learning = slow.LearnAsync("tester", Token);
        Assert.True(SpinWait.SpinUntil(() => slow.Describe().Activity == LearnerActivity.Learning, TimeSpan.FromSeconds(30)));

        Assert.Equal(1, (await Teach(fast, 20, 0, 1)).Version);
        Assert.True(await Service.DeleteAsync("other", "tester", null));
        Assert.False(learning.IsCompleted);

        Assert.True(await Service.DeleteAsync("slow", "tester", null)); // its own learning is given up
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => learning);
    }
}
