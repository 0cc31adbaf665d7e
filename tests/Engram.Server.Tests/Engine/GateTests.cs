using Engram.Client;

namespace Engram.Server.Tests.Engine;

public sealed class GateTests : ServiceTest
{
    private static readonly LearnerSpecification s_heldOut = Ridge with { Learning = Ridge.Learning with { HoldOut = 0.3 } };

    [Fact]
    public async Task A_candidate_that_forgets_is_refused_and_kept_with_the_reason()
    {
        var learner = await Create(s_heldOut);
        await Teach(learner, 100, 0, 1, 2);

        await learner.AcceptAsync(new FeedbackBatchRequest([.. Digits.LessonFrom(300, 400, 0).Items.Select(item => item with { Label = "1" })]), Token);
        var refused = await learner.LearnAsync("tester", null, Token);

        Assert.Equal(VersionState.Refused, refused!.State);
        Assert.Contains(refused.Checks, check => check is { Name: "retention", Passed: false });
        Assert.Contains("retention", refused.Reason, StringComparison.Ordinal);
        Assert.Equal(1, learner.Describe().Champion);
        Assert.True(await Digits.AccuracyOf(learner, 0, 1, 2) > 0.9);
    }

    [Fact]
    public async Task A_pinned_example_must_not_be_lost()
    {
        var learner = await Create(Ridge with { Learning = Ridge.Learning with { HoldOut = 0 } });
        await Teach(learner, 100, 0, 1);
        var example = await learner.PinExampleAsync(new PinExampleRequest(Digits.Test(0, 1)[0], "0"), "tester");

        await learner.AcceptAsync(Mislabelled(300), Token);
        var refused = await learner.LearnAsync("tester", null, Token);

        Assert.Equal(VersionState.Refused, refused!.State);
        Assert.Contains(example.Id, refused.Reason, StringComparison.Ordinal);
        Assert.True(await learner.UnpinExampleAsync(example.Id, "tester"));
    }

    [Fact]
    public async Task A_staged_version_waits_until_a_person_approves_it()
    {
        var learner = await Create(s_heldOut with { Gate = new GateSpecification { Mode = GateMode.Staged } });
        var first = await Teach(learner, 50, 0, 1);
        Assert.Equal((VersionState.Staged, null), (first.State, learner.Describe().Champion));
        await learner.ApproveAsync(1, "ann", "looks right");
        var second = await Teach(learner, 50, 2);

        var asked = await learner.PredictAsync(new PredictRequest { Input = Digits.Test(2, 1)[0], Version = "challenger" }, Token);
        var answered = await learner.PredictAsync(new PredictRequest { Input = Digits.Test(2, 1)[0] }, Token);
        var approved = await learner.ApproveAsync(2, "ann", null);

        Assert.Equal(VersionState.Staged, second.State);
        Assert.Equal((2, "2", 1), (asked.Version, asked.Label, answered.Version));
        Assert.Equal(VersionState.Published, approved.State);
        Assert.Equal(["champion"], approved.Aliases);
        Assert.Contains(Service.Store.ReadAudit("digits", 100), entry => entry is { Who: "ann", Action: "version.approve", Reason: "looks right" });
    }

    [Fact]
    public async Task A_newer_staged_version_takes_the_place_of_an_older_one()
    {
        var learner = await Create(s_heldOut with { Gate = new GateSpecification { Mode = GateMode.Staged } });

        await Teach(learner, 50, 0, 1);
        await Teach(learner, 50, 2);

        Assert.Equal([VersionState.Staged, VersionState.Refused], learner.Versions.Select(version => version.State));
        await Assert.ThrowsAsync<ConflictException>(() => learner.ApproveAsync(1, "ann", null));
    }

    [Fact]
    public async Task An_observed_version_is_compared_and_not_published()
    {
        var learner = await Create(s_heldOut with { Gate = new GateSpecification { Mode = GateMode.Observe } });

        var observed = await Teach(learner, 50, 0, 1);

        Assert.Equal(VersionState.Observed, observed.State);
        Assert.NotNull(observed.Accuracy);
        Assert.Null(learner.Describe().Champion);
    }

    [Fact]
    public async Task A_shadow_answers_unseen_until_enough_was_compared()
    {
        var learner = await Create(s_heldOut with { Gate = new GateSpecification { ShadowPredictions = 20 } });
        await Teach(learner, 50, 0, 1);
        var shadow = await Teach(learner, 50, 2);

        var seen = await learner.PredictAsync(new PredictBatchRequest { Inputs = Digits.Test(1, 20) }, Token);
        await learner.PredictAsync(new PredictRequest { Input = Digits.Test(1, 1)[0] }, Token); // the shadow has answered what came before
        await learner.TendAsync();

        Assert.Equal(VersionState.Shadow, shadow.State);
        Assert.All(seen.Predictions, one => Assert.Equal(1, one.Version));
        Assert.Equal((2, VersionState.Published), (learner.Versions[0].Version, learner.Versions[0].State));
        Assert.Contains("agreed on", learner.Versions[0].Reason + string.Join(' ', Service.Store.ReadAudit("digits", 10).Select(one => one.Reason)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_canary_takes_over_when_the_truth_is_with_it_and_steps_back_when_not(bool right)
    {
        var learner = await Create(s_heldOut with { Gate = new GateSpecification { CanaryPercent = 50, CanarySamples = 20 } });
        await Teach(learner, 50, 0, 1);
        var canary = await Teach(learner, 50, 2);

        var said = new List<PredictResponse>();
        foreach (var image in Digits.Test(1, 100)) said.Add(await learner.PredictAsync(new PredictRequest { Input = image }, Token));
        await learner.AcceptAsync(new FeedbackBatchRequest([.. said.Select(one => new FeedbackRequest
        {
            PredictionId = one.PredictionId, Reward = one.Version == 1 || right ? 1 : 0,
        })]), Token);
        await learner.TendAsync();

        Assert.Equal(VersionState.Canary, canary.State);
        Assert.InRange(said.Count(one => one.Version == 2), 25, 75);
        Assert.Equal(right ? 2 : 1, learner.Describe().Champion);
        Assert.Equal(right ? VersionState.Published : VersionState.Refused, learner.Versions[0].State);
    }

    [Fact]
    public async Task The_champion_steps_back_when_live_feedback_gets_worse()
    {
        var learner = await Create(s_heldOut with { Gate = new GateSpecification { CanarySamples = 20 } });
        await Teach(learner, 50, 0, 1);
        await Judge(learner, 30, 1);
        await Teach(learner, 50, 2);
        await Judge(learner, 30, 0);

        await learner.TendAsync();

        Assert.Equal(1, learner.Describe().Champion);
        Assert.StartsWith("stepped back", learner.Versions[0].Reason, StringComparison.Ordinal);
        Assert.Contains(Service.Store.ReadAudit("digits", 10), entry => entry is { Who: "service", Action: "version.rollback" });
    }

    private static async Task Judge(LearnerHost learner, int count, double reward)
    {
        var said = await learner.PredictAsync(new PredictBatchRequest { Inputs = Digits.Test(1, count) }, Token);
        await learner.AcceptAsync(new FeedbackBatchRequest([.. said.Predictions.Select(one =>
            new FeedbackRequest { PredictionId = one.PredictionId, Reward = reward })]), Token);
    }

    private static FeedbackBatchRequest Mislabelled(int each) => new([.. Digits.LessonFrom(300, each, 0, 1).Items
        .Select(item => item with { Label = item.Label == "0" ? "1" : "0" })]);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_new_class_is_no_reason_to_step_back_nor_is_a_choice_of_a_person_undone(bool chosen)
    {
        var learner = await Create(s_heldOut with { Gate = new GateSpecification { CanarySamples = 20, Mode = chosen ? GateMode.Staged : GateMode.Automatic } });
        await Teach(learner, 50, 0, 1);
        if (chosen) await learner.ApproveAsync(1, "ann", null);
        await Judge(learner, 30, 1);
        await Teach(learner, 50, 2);
        if (chosen) await learner.ApproveAsync(2, "ann", null);

        await Tell(learner, 7, 60, label: chosen ? "0" : "7");
        await learner.TendAsync();

        Assert.Equal(2, learner.Describe().Champion);
    }

    [Fact]
    public async Task A_correction_counts_once()
    {
        var learner = await Create(s_heldOut with { Gate = new GateSpecification { CanaryPercent = 100, CanarySamples = 20 } });
        await Teach(learner, 50, 0, 1);
        await Teach(learner, 50, 2);
        var said = await learner.PredictAsync(new PredictBatchRequest { Inputs = Digits.Test(1, 15) }, Token);

        foreach (var label in new[] { "0", "1" })
        {
            await learner.AcceptAsync(new FeedbackBatchRequest([.. said.Predictions.Select(one =>
                new FeedbackRequest { PredictionId = one.PredictionId, Label = label })]), Token);
            await learner.TendAsync();
        }

        Assert.Equal(VersionState.Canary, learner.Versions[0].State); // 15 were judged, not 30
    }

    [Theory]
    [InlineData("calibration")]
    [InlineData("latency")]
    public async Task A_candidate_that_is_badly_calibrated_or_slow_is_refused(string check)
    {
        var learner = await Create(s_heldOut with
        {
            Gate = check == "latency" ? new GateSpecification { MaxLatencyMs = 1e-6 } : new GateSpecification { MaxCalibrationError = 1e-6 },
        });

        var refused = await Teach(learner, 100, 0, 1, 2);

        Assert.Equal(VersionState.Refused, refused.State);
        Assert.Equal([check], refused.Checks.Where(one => !one.Passed).Select(one => one.Name));
        Assert.StartsWith($"{check}: ", refused.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_canary_goes_on_after_a_restart_with_what_was_judged_before()
    {
        var learner = await Create(s_heldOut with { Gate = new GateSpecification { CanaryPercent = 100, CanarySamples = 50 } });
        await Teach(learner, 50, 0, 1);
        await Teach(learner, 50, 2);
        await Judge(learner, 30, 1);
        await learner.TendAsync();
        learner = await Reopened();
        Assert.Equal(VersionState.Canary, learner.Versions[0].State);

        await Judge(learner, 30, 1);
        await learner.TendAsync();

        Assert.Equal((2, VersionState.Published), (learner.Describe().Champion, learner.Versions[0].State));
    }

    [Fact]
    public async Task A_shadow_goes_on_after_a_restart()
    {
        var learner = await Create(s_heldOut with { Gate = new GateSpecification { ShadowPredictions = 20 } });
        await Teach(learner, 50, 0, 1);
        await Teach(learner, 50, 2);
        learner = await Reopened();
        Assert.Equal(VersionState.Shadow, learner.Versions[0].State);

        await learner.PredictAsync(new PredictBatchRequest { Inputs = Digits.Test(1, 20) }, Token);
        await learner.PredictAsync(new PredictRequest { Input = Digits.Test(1, 1)[0] }, Token); // the shadow has answered what came before
        await learner.TendAsync();

        Assert.Equal(VersionState.Published, learner.Versions[0].State);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    public async Task A_trial_that_nobody_judges_ends(int shadow)
    {
        var learner = await Create(s_heldOut with
        {
            Gate = new GateSpecification { ShadowPredictions = shadow, CanaryPercent = shadow > 0 ? 0 : 10, TrialHours = 1e-6 },
        });
        await Teach(learner, 50, 0, 1);
        await Teach(learner, 50, 2);

        await learner.TendAsync();

        Assert.Equal(VersionState.Refused, learner.Versions[0].State);
        Assert.Matches(@"\Aonly .* within 0 hours\z", learner.Versions[0].Reason);
    }

    [Fact]
    public async Task Of_many_classes_with_few_samples_none_may_be_lost_whole()
    {
        const int Classes = 150;
        var specification = s_heldOut with
        {
            Input = new InputSchema { Kind = InputKind.Vector, Size = Classes },
            Gate = new GateSpecification { MaxAccuracyDrop = 1, MinClassSamples = 5 },
        };
        var (learner, other) = (await Create(specification), await Create(specification with { Name = "other" }));
        await Learn(learner, Enumerable.Range(0, 34 * Classes).Select(i => Says(i % Classes, i % Classes)));
        var lost = int.Parse(learner.Watch().Memory.First(one => one.HeldOut == 8).Label, System.Globalization.CultureInfo.InvariantCulture);
        var next = (lost + 1) % Classes;
        await Learn(other, Enumerable.Range(0, 34 * Classes).Select(i => i % Classes == lost ? Says(-1, lost) : Says(i % Classes, i % Classes))
            .Concat(Enumerable.Repeat(Says(lost, next), 100)));
        using var zip = new MemoryStream();
        await other.ExportAsync(1, zip, Token);

        var refused = await learner.ImportAsync(zip, "ann", null, Token);

        Assert.Equal(VersionState.Refused, refused.State);
        Assert.StartsWith($"retention: {lost}: 0 of 8 right, before 8, expected", refused.Reason, StringComparison.Ordinal);

        static async Task Learn(LearnerHost learner, IEnumerable<FeedbackRequest> feedback)
        {
            await learner.AcceptAsync(new FeedbackBatchRequest([.. feedback]), Token);
            await learner.LearnAsync("tester", null, Token);
        }

        static FeedbackRequest Says(int place, int label) => new()
        {
            Input = System.Text.Json.JsonSerializer.SerializeToElement(Enumerable.Range(0, Classes).Select(i => i == place ? 1 : 0)),
            Label = $"{label}",
        };
    }
}
