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
        await Tell(learner, 0, 30); // right, so nothing drifts
        await Tell(learner, 1, 30);
        await Task.Delay(TimeSpan.FromSeconds(2.5), Token); // the service looks every second
        Assert.Single(learner.Versions);
        var published = learner.EventsAsync(learner.Versions.Count, Token).FirstAsync(one => one.Type == "published" && one.Version == 2, Token);

        await Tell(learner, 7, 60); // never learnt: wrong each time

        await published;
        Assert.Equal("drift", learner.Versions[0].Trigger);
        Assert.True(await Digits.AccuracyOf(learner, 7) > 0.8);
    }

    [Fact]
    public async Task Drift_is_answered_once_even_where_nothing_is_published()
    {
        var learner = await Create(Ridge with
        {
            Learning = Ridge.Learning with { OnDrift = true, HoldOut = 0 },
            Gate = new GateSpecification { Mode = GateMode.Staged },
        });
        await Teach(learner, 100, 0, 1);
        await learner.ApproveAsync(1, "ann", null);
        var staged = learner.EventsAsync(0, Token).FirstAsync(one => one is { Type: "staged", Version: 2 }, Token);
        foreach (var digit in new[] { 0, 1, 7 }) await Tell(learner, digit, 60); // 7 was never learnt
        await staged;

        await learner.AcceptAsync(Digits.LessonFrom(200, 1, 0), Token);
        await Task.Delay(TimeSpan.FromSeconds(2.5), Token); // the service looks every second

        Assert.Equal(2, learner.Versions.Count);
    }

    [Fact]
    public async Task Learning_goes_on_when_nobody_waits_for_it()
    {
        var learner = await Create(Ridge);
        await learner.AcceptAsync(Digits.Lesson(20, 0, 1), Token);
        var published = learner.EventsAsync(0, Token).FirstAsync(one => one.Type == "published", Token);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => learner.LearnAsync("tester", null, new CancellationToken(canceled: true)));

        Assert.Equal(1, (await published).Version);
    }

    [Fact]
    public async Task What_a_pause_kept_from_being_learnt_is_learnt_when_that_ends()
    {
        var learner = await Create(Network with
        {
            Model = Network.Model with { Epochs = 1 },
            Learning = Network.Learning with { EverySamples = 40, HoldOut = 0, CpuShare = 0.3 },
        });
        var begun = learner.EventsAsync(0, Token).FirstAsync(one => one is { Type: "progress", Progress: > 0 }, Token);
        await learner.AcceptAsync(Digits.Lesson(20, 0, 1), Token);
        await begun;
        await learner.PauseAsync("tester", null);
        Assert.Empty(learner.Versions);
        var published = learner.EventsAsync(0, Token).FirstAsync(one => one.Type == "published", Token);

        await learner.ResumeAsync("tester", null); // at once, while what it learnt is being given up

        Assert.Equal((1, 40L), ((await published).Version, learner.Versions[0].Samples));
        Assert.Equal("count", learner.Versions[0].Trigger);
    }
}
