using Engram.Data;
using Engram.Learning;
using Engram.Persistence;
using Engram.Retention;
using Engram.Streams;
using static TorchSharp.torch;

namespace Engram.Tests.Persistence;

public class BundleResumeTests
{
    public static TheoryData<string> AllStrategies => [.. Strategies.All.Select(strategy => strategy.Name), "online"];

    [Theory]
    [MemberData(nameof(AllStrategies))]
    public void Going_on_from_a_bundle_equals_never_having_stopped(string strategy)
    {
        using var folder = new TemporaryFolder();
        var (model, options, stream) = LearnerCases.For(strategy);
        using var whole = LearnerCases.New(strategy, model, options);
        foreach (var experience in stream) whole.Teach(experience);
        var expected = LearnerCases.Fingerprint(whole);

        using (var first = LearnerCases.New(strategy, model, options))
        {
            first.Teach(stream[0]);
            Bundle.Save(first, folder["bundle"]);
        }
        using (var second = LearnerCases.Load(folder["bundle"], strategy, model, options))
        {
            LearnerCases.Interrupt(second, stream[1], 2); // after the head grew, inside an experience
            Bundle.Save(second, folder["bundle"]);
        }
        using var third = LearnerCases.Load(folder["bundle"], strategy, model, options);
        Assert.Equal(new LearningCursor(1, 2), third.Cursor);
        third.Teach(stream[1]);
        third.Teach(stream[2]);

        Assert.Equal(expected, LearnerCases.Fingerprint(third));
    }

    [Fact]
    public void Dropout_and_batch_norm_go_on_where_they_were_inside_an_experience()
    {
        using var folder = new TemporaryFolder();
        var options = LearnerCases.Options with { Epochs = 2, Optimizer = new SgdOptions { LearningRate = 0.05, Momentum = 0.9 } };
        using var whole = LearnerCases.New("ewc+replay", LearnerCases.ModelWithDropout, options);
        whole.Teach(LearnerCases.Digits.Experiences[0]);
        using (var first = LearnerCases.New("ewc+replay", LearnerCases.ModelWithDropout, options))
        {
            LearnerCases.Interrupt(first, LearnerCases.Digits.Experiences[0], 5);
            Bundle.Save(first, folder["bundle"]);
        }
        using var second = LearnerCases.Load(folder["bundle"], "ewc+replay", LearnerCases.ModelWithDropout, options);
        second.Teach(LearnerCases.Digits.Experiences[0]);
        Assert.Equal(LearnerCases.Fingerprint(whole), LearnerCases.Fingerprint(second));
    }

    [Fact]
    public void A_bundle_saved_from_a_progress_report_inside_an_experience_goes_on_bit_by_bit()
    {
        using var folder = new TemporaryFolder();
        using var learner = LearnerCases.New("ewc+replay", LearnerCases.ModelWithDropout);
        learner.Teach(LearnerCases.Digits.Experiences[0]);
        learner.Learn(
            LearnerCases.Digits.Experiences[1],
            new LearnerCases.AtStep(2, () => Bundle.Save(learner, folder["bundle"])), TestContext.Current.CancellationToken);

        using var second = LearnerCases.Load(folder["bundle"], "ewc+replay", LearnerCases.ModelWithDropout);
        Assert.Equal(new LearningCursor(1, 2), second.Cursor);
        second.Teach(LearnerCases.Digits.Experiences[1]);
        Assert.Equal(LearnerCases.Fingerprint(learner), LearnerCases.Fingerprint(second));
    }

    [Fact]
    public void Predictions_after_loading_are_identical_with_and_without_the_learner()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        using var learner = LearnerCases.New("ewc+replay");
        foreach (var experience in LearnerCases.Digits.Experiences) learner.Teach(experience);
        var manifest = Bundle.Save(learner, folder["bundle"]);
        var inputs = LearnerCases.Digits.Tests[1].Inputs([0, 1, 2, 3, 4]);
        var expected = learner.Scores(inputs);

        using var loaded = LearnerCases.Load(folder["bundle"], "ewc+replay");
        Assert.True(expected.equal(loaded.Scores(inputs)).all().item<bool>());
        using var model = Bundle.LoadModel(folder["bundle"]);
        Assert.True(expected.equal(model.Scores(inputs)).all().item<bool>());
        Assert.Equal(learner.Context.Classes.Classes, model.Classes.Classes);
        Assert.Equal("mlp 784-24-16", manifest.Model.Backbone);
        Assert.Equal([5, 3, 2], manifest.Model.Growth);
    }

    [Fact]
    public void Task_masks_hold_in_prediction_before_anything_is_learnt_again()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        var options = LearnerCases.Options with { Scenario = Scenario.TaskIncremental };
        using var learner = LearnerCases.New("ewc", options: options);
        foreach (var experience in LearnerCases.Digits.Experiences)
            learner.Teach(new Experience(experience.Index, experience.Train, taskId: experience.Index));
        Bundle.Save(learner, folder["bundle"]);
        using var loaded = LearnerCases.Load(folder["bundle"], "ewc", options: options);
        var inputs = LearnerCases.Digits.Tests[0].Inputs([0, 1, 2]);
        Assert.True(learner.Scores(inputs, 1).equal(loaded.Scores(inputs, 1)).all().item<bool>());
        Assert.All(loaded.Predict(inputs, 1).Labels, label => Assert.Contains(label, Label.Numbers(5, 3)));
    }

    [Fact]
    public void Loading_leaves_no_tensor_behind_and_torchs_generator_as_it_was()
    {
        using var folder = new TemporaryFolder();
        using (var learner = LearnerCases.New("ewc+replay"))
        {
            learner.Teach(LearnerCases.Digits.Experiences[0]);
            Bundle.Save(learner, folder["bundle"]);
        }
        LearnerCases.Load(folder["bundle"], "ewc+replay").Dispose();
        using var before = random.get_rng_state();
        // Making a parameter leaves its first value to the collector; loading adds nothing to that.
        var count = Tensor.TotalCount;
        LearnerCases.New("ewc+replay").Dispose();
        var made = Tensor.TotalCount - count;
        count = Tensor.TotalCount;
        LearnerCases.Load(folder["bundle"], "ewc+replay").Dispose();
        Assert.Equal(made, Tensor.TotalCount - count);
        using var after = random.get_rng_state();
        Assert.Equal(before.data<byte>().ToArray(), after.data<byte>().ToArray());
    }
}
