using Engram.Client;

namespace Engram.Server.Tests.Engine;

public sealed class EndToEndTests : ServiceTest
{
    [Fact]
    public async Task Ridge_learns_from_feedback_and_grows_when_a_new_label_comes()
    {
        var learner = await Create(Ridge);

        var first = await Teach(learner, 100, 0, 1, 2);
        var early = await Digits.AccuracyOf(learner, 0, 1, 2);
        var second = await Teach(learner, 50, 3);

        Assert.Equal((1, VersionState.Published, "request"), (first.Version, first.State, first.Trigger));
        Assert.True(early > 0.9, $"{early}");
        Assert.Equal((2, VersionState.Published, 1), (second.Version, second.State, second.Parent));
        Assert.Equal(["0", "1", "2", "3"], second.Labels.Order());
        var late = await Digits.AccuracyOf(learner, 0, 1, 2, 3);
        Assert.True(late > 0.85, $"{late}");
        Assert.Equal(VersionState.Retired, learner.Versions[1].State);
    }

    [Fact]
    public async Task A_network_with_replay_learns_a_new_label_and_keeps_the_old_ones()
    {
        var learner = await Create(Network);

        await Teach(learner, 100, 0, 1, 2);
        var second = await Teach(learner, 50, 3);

        Assert.True(second.State == VersionState.Published, second.Reason);
        var accuracy = await Digits.AccuracyOf(learner, 0, 1, 2, 3);
        Assert.True(accuracy > 0.85, $"{accuracy}");
        Assert.All(learner.Watch().Memory, known => Assert.True(known.Stored > 0, $"{known}"));
    }

    [Theory]
    [InlineData("der++")]
    [InlineData("icarl")]
    public async Task What_a_network_stores_of_each_class_is_told_whatever_stores_it(string strategy)
    {
        var learner = await Create(Network with { Model = Network.Model with { Strategy = strategy, Hidden = [20], Epochs = 1, Memory = 30 } });

        await Teach(learner, 40, 0, 1);

        var stored = learner.Watch().Memory;
        Assert.Equal(2, stored.Count);
        Assert.Equal(30, stored.Sum(known => known.Stored));
        Assert.All(stored, known => Assert.True(known.Stored > 0, $"{known}"));
    }

    [Fact]
    public async Task A_correction_takes_the_place_of_what_it_corrects()
    {
        var learner = await Create(Ridge with { Learning = Ridge.Learning with { HoldOut = 0 } });
        await Teach(learner, 30, 0, 1);
        var images = Digits.Train(2, 60, first: 500);
        var said = await learner.PredictAsync(new PredictBatchRequest { Inputs = images }, Token);
        FeedbackBatchRequest All(string label) => new([.. said.Predictions.Select(one => new FeedbackRequest { PredictionId = one.PredictionId, Label = label })]);
        await learner.AcceptAsync(All("0"), Token);
        await learner.LearnAsync("tester", null, Token);
        await learner.AcceptAsync(All("2"), Token);
        await learner.LearnAsync("tester", null, Token);

        var content = learner.Watch().Memory.ToDictionary(known => known.Label, known => known.Samples);
        Assert.Equal((30, 30, 60), (content["0"], content["1"], content["2"]));
        var accuracy = await Digits.AccuracyOf(learner, 0, 1, 2);
        Assert.True(accuracy > 0.85, $"{accuracy}");
    }

    [Fact]
    public async Task Enough_feedback_is_learnt_without_being_asked_for()
    {
        var learner = await Create(Ridge with { Learning = Ridge.Learning with { EverySamples = 100 } });
        var published = learner.EventsAsync(0, Token).FirstAsync(one => one.Type == "published", Token);

        await learner.AcceptAsync(Digits.Lesson(60, 0, 1), Token);

        Assert.Equal(1, (await published).Version);
        Assert.Equal("count", learner.Versions[0].Trigger);
    }

    [Fact]
    public async Task Before_anything_was_learnt_a_prediction_is_a_conflict()
    {
        var learner = await Create(Ridge);

        var problem = await Assert.ThrowsAsync<ConflictException>(async () =>
            await learner.PredictAsync(new PredictRequest { Input = Digits.Test(0, 1)[0] }, Token));

        Assert.Contains("published nothing yet", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Probabilities_are_calibrated_and_digits_never_seen_are_unknown_more_often()
    {
        var learner = await Create(Ridge with { Learning = Ridge.Learning with { HoldOut = 0.3 } });
        var version = await Teach(learner, 200, 0, 1, 2, 3);

        var known = await learner.PredictAsync(new PredictBatchRequest { Inputs = Digits.Test(1, 100), Alternatives = 2 }, Token);
        var others = await learner.PredictAsync(new PredictBatchRequest { Inputs = [.. Digits.Test(7, 50), .. Digits.Test(9, 50)] }, Token);

        Assert.True(version.CalibrationError < 0.1, $"{version.CalibrationError}");
        Assert.InRange(known.Predictions.Average(one => one.Probability), 0.7, 1);
        var (few, many) = (known.Predictions.Count(one => one.Unknown), others.Predictions.Count(one => one.Unknown));
        Assert.True(few < 10 && many > few, $"{few} and {many} of 100");
        Assert.All(known.Predictions, one => Assert.Equal(2, one.Alternatives.Count));
    }

    [Fact]
    public async Task A_learner_comes_back_where_it_was_and_applies_nothing_twice()
    {
        var learner = await Create(Ridge with { Learning = Ridge.Learning with { HoldOut = 0 } });
        await Teach(learner, 40, 0, 1);
        await learner.AcceptAsync(Digits.LessonFrom(40, 20, 0, 1, 2), Token);

        learner = await Reopened();
        var before = learner.Describe();
        var version = await learner.LearnAsync("tester", null, Token);
        var again = await learner.LearnAsync("tester", null, Token);

        Assert.Equal((1, 60), (before.Champion, before.Feedback.Waiting));
        Assert.Equal((60, VersionState.Published), (version!.Samples, version.State));
        Assert.Null(again);
        var content = learner.Watch().Memory.ToDictionary(known => known.Label, known => known.Samples);
        Assert.Equal((60, 60, 20), (content["0"], content["1"], content["2"]));
    }
}
