using System.Globalization;
using Engram.Analytic;
using Engram.Data;
using Engram.Evaluation;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;
using Engram.Tests.Analytic;
using static TorchSharp.torch;

namespace Engram.Tests.Retention.Generative;

/// <summary>Internal replay: what is generated are hidden features behind frozen layers, not inputs.</summary>
public class InternalReplayTests(ITestOutputHelper output)
{
    [Fact]
    public void Samples_as_features_keep_order_targets_and_labels()
    {
        using var scope = NewDisposeScope();
        manual_seed(3);
        using var backbone = new LeNet5();
        var digits = SubsetSource.Balanced(TestData.Mnist.Train, 40); // 400: more than one batch
        var features = new BackboneFeatures(backbone).Samples(digits, new InputScaling(0.1, 0.3));

        long[] some = [399, 0, 255, 256];
        backbone.eval();
        using var _ = no_grad();
        var expected = backbone.forward(new InputScaling(0.1, 0.3).Apply(digits.Gather(some).Inputs));
        Assert.True(features.Gather(some).Inputs.allclose(expected, 1e-4, 1e-5));
        Assert.Equal(digits.Codes.ToArray(), features.Codes.ToArray());
        Assert.Equal(digits.Labels, features.Labels);
        Assert.Equal([backbone.FeatureCount], features.InputShape);
    }

    [Fact]
    public void Values_of_several_labels_stay_as_they_are()
    {
        using var scope = NewDisposeScope();
        var targets = tensor(new float[,] { { 0, 1 }, { 1, 1 } });
        var source = TensorSource.OfValues(ones(2, 3), targets, ["a", "b"], TargetKind.MultiLabel);
        var features = new RawFeatures(3).Samples(source);
        Assert.Equal(TargetKind.MultiLabel, features.TargetKind);
        Assert.True(features.Gather([1, 0]).Targets.equal(targets.flip(0)).all().item<bool>());
    }

    [Fact]
    public void No_samples_and_features_that_are_not_finite_are_refused()
    {
        using var scope = NewDisposeScope();
        var none = TensorSource.OfClasses(zeros(0, 3), [], [0]);
        Assert.Contains("0 samples", Assert.Throws<ArgumentException>(() => new RawFeatures(3).Samples(none)).Message, StringComparison.Ordinal);
        var one = TensorSource.OfClasses(ones(1, 3), [0], [0]);
        Assert.Throws<ArgumentException>(() => new RawFeatures(3).Samples(one, new InputScaling(0, 0)));
    }

    [Fact]
    public void Features_of_old_classes_are_generated_and_the_classes_kept()
    {
        using var scope = NewDisposeScope();
        using var front = new RandomFeatures(784, 300, seed: 1);
        Label[][] pairs = [Label.Numbers(0, 2), Label.Numbers(2, 2), Label.Numbers(4, 2)];
        var stream = ExperienceStream.ClassIncremental(
            front.Samples(SubsetSource.Balanced(TestData.Mnist.Train, 100)), front.Samples(TestData.Mnist.Test.Balanced(50)), pairs);
        var (naive, replayed) = (First(stream, []), First(stream, [new BrainInspiredReplay(Internal with { Widths = [100], LatentSize = 20 })]));
        Assert.True(replayed > naive + 0.3, $"first pair: {replayed} with internal replay, {naive} without");
    }

    /// <summary>Ten experiences of ten classes, 500 steps of batch 128 each, over a ResNet-20 that saw CIFAR-10 only.</summary>
    [Fact(Explicit = true)]
    public void Internal_replay_on_Split_Cifar_100()
    {
        using var scope = NewDisposeScope();
        var stream = SplitCifar100();
        (string Name, Func<IReadOnlyList<RetentionMechanism>> Make)[] all =
        [
            ("naive", () => []),
            ("internal replay", () => [new BrainInspiredReplay(Internal with { GateShare = 0.7 })]),
            ("replay of 1,000 features", () => [new Replay()]),
            ("joint", () => Strategies.Named("joint").Create(new StrategyBudget())),
        ];
        foreach (var (name, make) in all)
        {
            var accuracies = Enumerable.Range(0, 3).Select(seed => FinalAccuracy(stream, seed, make())).ToArray();
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{name}: {accuracies.Average():0.0000} ({string.Join(", ", accuracies.Select(a => a.ToString("0.0000", CultureInfo.InvariantCulture)))})"));
        }
    }

    internal static ExperienceStream SplitCifar100()
    {
        var (train, test) = AnalyticMeasurements.Cifar100Features();
        return ExperienceStream.ClassIncremental(train, test, AnalyticMeasurements.TensOf(test.Classes));
    }

    internal static double FinalAccuracy(ExperienceStream stream, int seed, IReadOnlyList<RetentionMechanism> mechanisms)
    {
        using var learner = new Learner(
            () => new ContinualModel(new Mlp(64, 400, 400)),
            new LearnerOptions { BatchSize = 128, Iterations = 500, Seed = seed, InitialLabels = [.. stream.Tests.SelectMany(test => test.Classes)] }, mechanisms);
        foreach (var experience in stream.Experiences) learner.Learn(experience);
        return stream.Tests.Average(test => Evaluator.Accuracy(learner, test));
    }

    private static BrainInspiredOptions Internal => new() { Reconstruction = Reconstruction.Gaussian };

    // Accuracy on the first pair after the last.
    private static double First(ExperienceStream stream, RetentionMechanism[] mechanisms)
    {
        using var learner = new Learner(
            () => new ContinualModel(new Mlp(300, 100)), new LearnerOptions { BatchSize = 32, Iterations = 150, Seed = 0 }, mechanisms);
        foreach (var experience in stream.Experiences) learner.Learn(experience);
        return Evaluator.Accuracy(learner, stream.Tests[0]);
    }
}
