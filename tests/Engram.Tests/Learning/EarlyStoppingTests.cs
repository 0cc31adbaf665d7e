using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Persistence;
using Engram.Streams;
using Engram.Tests.Persistence;
using static TorchSharp.torch;

namespace Engram.Tests.Learning;

public class EarlyStoppingTests
{
    private static readonly LearnerOptions s_options = new()
    {
        BatchSize = 32,
        Epochs = 40,
        Optimizer = new AdamOptions { LearningRate = 0.01 },
        EarlyStopping = new EarlyStopping { Patience = 2 },
    };

    [Fact]
    public void Learning_ends_early_and_keeps_the_weights_with_the_lowest_validation_loss()
    {
        using var stopped = Learner(s_options);
        var result = stopped.Teach(Overfitting());

        Assert.True(result.Steps < 40 * 3, $"{result.Steps} steps, all of them");
        // Trained for every number of epochs in turn, none has a lower validation loss; the one found is among them.
        var lowest = ValidationLoss(stopped);
        var losses = new List<double>();
        for (var epochs = 1; epochs <= result.Steps / 3; epochs++)
        {
            using var whole = Learner(s_options with { Epochs = epochs, EarlyStopping = null });
            whole.Teach(Overfitting());
            losses.Add(ValidationLoss(whole));
        }
        Assert.Equal(losses.Min(), lowest, 1e-6);
        Assert.Equal(losses.Count - 3, losses.IndexOf(losses.Min())); // two more epochs of patience came after it
    }

    [Fact]
    public void Stopping_and_going_on_from_a_bundle_inside_the_experience_changes_nothing()
    {
        using var whole = Learner(s_options);
        whole.Teach(Overfitting());

        using var folder = new TemporaryFolder();
        using (var first = Learner(s_options))
        {
            LearnerCases.Interrupt(first, Overfitting(), 7);
            Bundle.Save(first, folder["bundle"]);
        }
        using var second = Bundle.Load(folder["bundle"], Model, s_options);
        Assert.NotNull(second.Cursor!.LowestLoss);
        second.Teach(Overfitting());

        Assert.Equal(LearnerCases.Fingerprint(whole), LearnerCases.Fingerprint(second));
    }

    [Fact]
    public void An_experience_without_validation_samples_is_refused()
    {
        using var learner = Learner(s_options);
        var refusal = Assert.Throws<ArgumentException>(() => learner.Teach(new Experience(0, Overfitting().Train)));
        Assert.Contains("no validation samples", refusal.Message, StringComparison.Ordinal);
        Assert.Empty(learner.Learnt);
    }

    [Fact]
    public void Patience_0_and_a_negative_gain_are_refused()
    {
        Assert.Contains("Patience: 0", Refusal(new EarlyStopping { Patience = 0 }), StringComparison.Ordinal);
        Assert.Contains("MinimumGain: -1", Refusal(new EarlyStopping { MinimumGain = -1 }), StringComparison.Ordinal);
        Assert.Contains("MinimumGain: NaN", Refusal(new EarlyStopping { MinimumGain = double.NaN }), StringComparison.Ordinal);
    }

    private static string Refusal(EarlyStopping stopping) =>
        Assert.Throws<ArgumentException>(() => Learner(s_options with { EarlyStopping = stopping })).Message;

    private static ContinualModel Model() => new(new Mlp(784, 64));

    private static Learner Learner(LearnerOptions options) => new(Model, options, clock: new LearnerCases.SlowClock());

    // 90 training images only, so that training longer soon fits them and no others.
    private static Experience Overfitting() => new(
        0, SubsetSource.Balanced(TestData.Mnist.Train, 9), validation: TestData.Mnist.Test.Balanced(20).Samples);

    private static double ValidationLoss(Learner learner)
    {
        using var scope = NewDisposeScope();
        var validation = Overfitting().Validation!;
        var batch = validation.Gather([.. Enumerable.Range(0, validation.Count).Select(i => (long)i)]);
        var ids = validation.Labels.Select(label => (long)learner.Context.Classes.IdOf(label)).ToArray();
        var logits = learner.Scores(batch.Inputs);
        return nn.functional.cross_entropy(logits, tensor(ids).index_select(0, batch.Targets)).item<float>();
    }
}
