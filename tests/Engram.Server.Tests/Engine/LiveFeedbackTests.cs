using Engram.Client;
using Engram.Server.Gating;

namespace Engram.Server.Tests.Engine;

/// <summary>What live feedback does to a version that was published, and what it must not do.</summary>
public sealed class LiveFeedbackTests : ServiceTest
{
    private static readonly LearnerSpecification s_lenient = Ridge with
    {
        Learning = Ridge.Learning with { HoldOut = 0 },
        Gate = new GateSpecification { CanarySamples = 20, MaxAccuracyDrop = 1, MaxClassDrop = 1 },
    };

    [Fact]
    public async Task A_version_that_is_worse_on_the_same_inputs_steps_back()
    {
        var learner = await WrongSecond(s_lenient);

        await Tell(learner, 1, 30);
        await learner.TendAsync();

        Assert.Equal(1, learner.Describe().Champion);
        Assert.Matches(@"stepped back from version 2: \d+ of 20 live predictions right, version 1 \d+ of the same", learner.Versions[0].Reason);
    }

    [Fact]
    public async Task Labels_that_no_version_knows_are_held_against_none()
    {
        var learner = await Create(s_lenient);
        await Teach(learner, 50, 0, 1);
        await Tell(learner, 1, 60); // the first is right on what it was asked
        await Teach(learner, 50, 2);

        await Tell(learner, 7, 200); // a new class, wrong each time
        for (var i = 0; i < 5; i++) await learner.TendAsync();

        Assert.Equal(2, learner.Describe().Champion);
    }

    [Fact]
    public async Task A_version_that_a_person_published_stays()
    {
        var learner = await WrongSecond(s_lenient);
        await learner.RollbackAsync(1, "ann", null);
        await learner.RollbackAsync(2, "ann", "we want it");

        await Tell(learner, 1, 60);
        await learner.TendAsync();

        Assert.Equal((2, "ann"), (learner.Describe().Champion, learner.Versions[0].PublishedBy));
    }

    [Fact]
    public async Task It_is_looked_at_a_few_times_and_then_left_alone()
    {
        var learner = await WrongSecond(s_lenient with { Gate = s_lenient.Gate with { CanarySamples = 2 } });
        await Tell(learner, 0, 4, label: "1"); // as it was taught wrongly: right, by its own lights
        await Tell(learner, 0, 30, label: "1");
        for (var i = 0; i < 6; i++) await learner.TendAsync();

        await Tell(learner, 1, 60);
        await learner.TendAsync();

        Assert.Equal(2, learner.Describe().Champion);
    }

    [Fact]
    public async Task A_trial_that_finds_nothing_out_has_an_end()
    {
        var learner = await Create(s_lenient with { Gate = s_lenient.Gate with { CanaryPercent = 50, TrialHours = 1e-9 } });
        await Teach(learner, 50, 0, 1);
        var canary = await Teach(learner, 50, 2);

        await learner.TendAsync();

        Assert.Equal(VersionState.Canary, canary.State);
        Assert.Equal(VersionState.Refused, learner.Versions[0].State);
        Assert.Contains("only 0 of 20 predictions judged", learner.Versions[0].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lesson_that_was_learnt_and_not_published_is_not_learnt_again_and_again()
    {
        var learner = await Create(s_lenient with
        {
            Learning = s_lenient.Learning with { EverySamples = 10, MaxSamples = 30 },
            Gate = new GateSpecification { Mode = GateMode.Staged },
        });
        await learner.AcceptAsync(Digits.Lesson(60, 0, 1), Token); // four lessons of 30

        for (var i = 0; i < 200 && learner.Versions.Count == 0; i++) await Task.Delay(20, Token);
        await Task.Delay(TimeSpan.FromSeconds(2.5), Token); // the service looks every second
        var waiting = Assert.Single(learner.Versions);
        Assert.Equal((VersionState.Staged, 30), (waiting.State, waiting.Samples));

        await learner.ApproveAsync(waiting.Version, "ann", null);
        for (var i = 0; i < 200 && learner.Versions.Count == 1; i++) await Task.Delay(20, Token);
        Assert.Equal((2, 1), (learner.Versions[0].Version, learner.Versions[0].Parent)); // the next one
    }

    [Theory]
    [InlineData(10, 0, 10, true)] // ten of ten lost
    [InlineData(5, 5, 10, false)] // half
    [InlineData(5, 1, 6, true)]
    [InlineData(4, 0, 4, false)] // too few to tell from chance
    public void A_class_that_is_lost_among_many_is_seen(int worse, int right, int before, bool lost)
    {
        var drop = new Drop(worse, 0, 10);
        Assert.False(drop.Exceeds(0.1, 150));
        Assert.Equal(lost, drop.Collapses(right, before));
    }

    // The second version was taught that zeros and ones are one another.
    private async Task<LearnerHost> WrongSecond(LearnerSpecification specification)
    {
        var learner = await Create(specification);
        await Teach(learner, 50, 0, 1);
        await learner.AcceptAsync(new FeedbackBatchRequest([.. Digits.LessonFrom(300, 300, 0, 1).Items
            .Select(item => item with { Label = item.Label == "0" ? "1" : "0" })]), Token);
        var wrong = (await learner.LearnAsync("tester", null, Token))!;
        Assert.True(wrong.State == VersionState.Published, wrong.Reason);
        return learner;
    }
}
