using Engram.Data;
using Engram.Evaluation;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;
using static TorchSharp.torch;

namespace Engram.Tests.Retention.Generative;

public class GenerativeReplayTests
{
    private static readonly VaeOptions s_small = new() { Widths = [128], LatentSize = 16, Optimizer = new AdamOptions { LearningRate = 2e-3 } };

    [Theory]
    [InlineData("dgr", 2.0 / 3)]
    [InlineData("dgr-distil", 0)]
    [InlineData("brain-inspired", 0)]
    public void Generated_samples_and_new_ones_have_the_weights_of_the_study(string name, double expected)
    {
        var probe = new Probe();
        using var learner = new Learner(
            () => new ContinualModel(new Mlp(784, 16)), new LearnerOptions { BatchSize = 8 },
            [.. Strategies.Named(name).Create(new StrategyBudget { GeneratorWidths = [16] }), probe]);
        for (var e = 0; e < 3; e++) learner.Teach(SplitMnist.Experience(e, 4));
        Assert.Equal(1, probe.Experiences[0].Parts);
        var (parts, weightOfNew, weightOfGenerated) = probe.Experiences[2];
        Assert.Equal(2, parts);
        Assert.Equal(1 / 3.0, weightOfNew, 1e-12);
        Assert.Equal(expected, weightOfGenerated, 1e-12);
        Assert.True(probe.InRange, "expected generated inputs from 0 to 1");
        Assert.All(probe.Replayed, id => Assert.InRange(id, 0, 3)); // the classes of the first two experiences
    }

    [Fact]
    public void Soft_targets_count_T_squared_times_where_asked_for()
    {
        double Loss(bool squared)
        {
            var replay = new GenerativeReplay(new GenerativeReplayOptions
            {
                Generator = () => new VaeGenerator(s_small),
                Targets = ReplayTargets.Soft,
                Temperature = 3,
                SquaredTemperature = squared,
            });
            var probe = new LossProbe(replay);
            using var learner = new Learner(
                () => new ContinualModel(new Mlp(784, 16)), new LearnerOptions { BatchSize = 8, Iterations = 1 }, [replay, probe]);
            for (var e = 0; e < 2; e++) learner.Teach(SplitMnist.Experience(e, 4));
            return probe.Distilled;
        }
        Assert.Equal(9 * Loss(false), Loss(true), 1e-4);
        Assert.True(new GenerativeReplayOptions().SquaredTemperature);
        Assert.False(new BrainInspiredOptions().SquaredTemperature);
    }

    [Theory]
    [InlineData("dgr")]
    [InlineData("dgr-distil")]
    [InlineData("brain-inspired")]
    public void Without_a_stored_sample_it_keeps_what_naive_learning_loses(string name)
    {
        using var learner = Learner(name switch
        {
            "dgr" => new GenerativeReplay(new GenerativeReplayOptions { Generator = () => new VaeGenerator(s_small) }),
            "dgr-distil" => new GenerativeReplay(new GenerativeReplayOptions { Generator = () => new VaeGenerator(s_small), Targets = ReplayTargets.Soft }),
            _ => new BrainInspiredReplay(new BrainInspiredOptions { Widths = [128], LatentSize = 16 }),
        });
        for (var e = 0; e < 2; e++) learner.Teach(SplitMnist.Experience(e, 600));
        var first = Evaluator.Accuracy(learner, SplitMnist.Test(0));
        Assert.True(first > 0.75, $"{name}: {first:f3} on the first pair, expected above 0.75 (naive: 0)");
    }

    [Fact]
    public void A_generative_classifier_says_of_old_classes_to_the_bit_what_it_said_before()
    {
        using var scope = NewDisposeScope();
        using var learner = new Learner(
            () => new ContinualModel(new RawInputs(784)), new LearnerOptions { BatchSize = 32, Epochs = 4 },
            [new GenerativeClassifier(new GenerativeClassifierOptions { Vae = s_small with { Widths = [32], LatentSize = 5 }, ImportanceSamples = 8 })]);
        var inputs = TestData.Mnist.Test.Balanced(3).Inputs([.. Enumerable.Range(0, 30).Select(i => (long)i)]);
        learner.Teach(SplitMnist.Experience(0, 200));
        var before = learner.Scores(inputs);
        var accuracy = Evaluator.Accuracy(learner, SplitMnist.Test(0));
        learner.Teach(SplitMnist.Experience(1, 200));
        Assert.True(before.equal(learner.Scores(inputs).narrow(1, 0, 2)).all().item<bool>());
        Assert.True(accuracy > 0.9, $"{accuracy:f3} on zeros and ones, expected above 0.9");
        var (zeros, threes) = (Evaluator.Accuracy(learner, SplitMnist.Test(0)), Evaluator.Accuracy(learner, SplitMnist.Test(1)));
        Assert.True(Math.Min(zeros, threes) > 0.5, $"{zeros:f3} and {threes:f3}, expected above 0.5 (naive: 0 and 1)");
    }

    [Fact]
    public void Samples_can_be_looked_at_class_by_class()
    {
        using var scope = NewDisposeScope();
        var replay = new BrainInspiredReplay(new BrainInspiredOptions { Widths = [16] });
        Assert.Throws<InvalidOperationException>(() => replay.Sample(3));
        using var learner = Learner(replay);
        learner.Teach(SplitMnist.Experience(0, 8));
        var samples = replay.Sample(6);
        Assert.Equal([6, 784], samples.shape);
        Assert.True(samples.ge(0).logical_and(samples.le(1)).all().item<bool>());
    }

    [Fact]
    public void Numbers_that_are_no_probabilities_are_refused_before_anything_is_learnt()
    {
        using var data = randn(8, 4).mul(3);
        var experience = new Experience(0, TensorSource.OfClasses(data, [0, 1, 0, 1, 0, 1, 0, 1], Label.Numbers(0, 2)));
        foreach (var (kind, refused) in new[] { (Reconstruction.Bernoulli, true), (Reconstruction.Gaussian, false) })
        {
            using var learner = new Learner(() => new ContinualModel(new Mlp(4, 4)), null,
                [new GenerativeReplay(new GenerativeReplayOptions { Generator = () => new VaeGenerator(s_small with { Reconstruction = kind }) })]);
            if (!refused) learner.Teach(experience);
            else Assert.Contains("expected 0 to 1", Assert.Throws<ArgumentException>(() => learner.Teach(experience)).Message, StringComparison.Ordinal);
        }
    }

    // van de Ven, Tuytelaars and Tolias 2022: two hidden layers of 400, z of 100; 85 and 5 for the autoencoders of a generative classifier.
    [Fact]
    public void Sizes_are_those_of_the_study()
    {
        var (vae, feedback, own) = (new VaeOptions(), new BrainInspiredOptions(), new GenerativeClassifierOptions().Vae);
        Assert.Equal([400, 400], vae.Widths);
        Assert.Equal([400, 400], feedback.Widths);
        Assert.Equal([85, 85], own.Widths);
        Assert.Equal((100, 100, 5), (vae.LatentSize, feedback.LatentSize, own.LatentSize));
        using var made = new Vae(784, vae);
        long Weights(params int[] sizes) => sizes.Zip(sizes.Skip(1), (from, to) => (from + 1L) * to).Sum();
        Assert.Equal(
            Weights(784, 400, 400) + (2 * Weights(400, 100)) - 100 + Weights(100, 400, 400, 784), // log σ² without bias
            made.parameters().Sum(parameter => parameter.numel()));
    }

    [Fact]
    public void Options_out_of_range_and_rivals_are_refused()
    {
        Assert.Contains("Temperature: 0", Message(() => new GenerativeReplay(new GenerativeReplayOptions { Temperature = 0 })), StringComparison.Ordinal);
        Assert.Contains("BatchSize: 0", Message(() => new BrainInspiredReplay(new BrainInspiredOptions { BatchSize = 0 })), StringComparison.Ordinal);
        Assert.Contains("GateShare: 1", Message(() => new BrainInspiredReplay(new BrainInspiredOptions { GateShare = 1 })), StringComparison.Ordinal);
        Assert.Contains("Widths: []", Message(() => new VaeGenerator(new VaeOptions { Widths = [] })), StringComparison.Ordinal);
        Assert.Contains("LatentSize: 0", Message(() => new VaeGenerator(new VaeOptions { LatentSize = 0 })), StringComparison.Ordinal);
        Assert.Contains("ImportanceSamples: 0", Message(() => new GenerativeClassifier(new GenerativeClassifierOptions { ImportanceSamples = 0 })), StringComparison.Ordinal);
        Assert.Contains("replays generated samples", Message(() => Learner(new GenerativeReplay(), new BrainInspiredReplay())), StringComparison.Ordinal);
        Assert.Contains("without knowing tasks", Message(() => new Learner(
            () => new ContinualModel(new Mlp(784, 8)), new LearnerOptions { Scenario = Scenario.TaskIncremental }, [new GenerativeReplay()])), StringComparison.Ordinal);
    }

    private static string Message(Func<object> create) => Assert.Throws<ArgumentException>(create).Message;

    private static Learner Learner(params RetentionMechanism[] mechanisms) => new(
        () => new ContinualModel(new Mlp(784, 128, 128)),
        new LearnerOptions { BatchSize = 32, Epochs = 4, InitialLabels = Label.Numbers(0, 10) }, mechanisms);

    // Asks another mechanism what it adds to the loss.
    private sealed class LossProbe(RetentionMechanism asked) : RetentionMechanism
    {
        public override string Name => "loss probe";

        public override Seams Seams => Seams.ExtraLoss;

        public override long MemoryBytes => 0;

        public double Distilled { get; private set; }

        protected internal override Tensor? ExtraLoss(TrainingStep step)
        {
            if (step.Parts.Count == 2) Distilled = asked.ExtraLoss(step)!.item<float>();
            return null;
        }
    }

    // Sees the weights of the last step of each experience, after the mechanisms before it have set them.
    private sealed class Probe : RetentionMechanism
    {
        public override string Name => "probe";

        public override Seams Seams => Seams.None;

        public override long MemoryBytes => 0;

        public Dictionary<int, (int Parts, double New, double Generated)> Experiences { get; } = [];

        public HashSet<long> Replayed { get; } = [];

        public bool InRange { get; private set; } = true;

        protected internal override void BeforeForward(TrainingStep step)
        {
            Experiences[step.Context.Experience.Index] =
                (step.Parts.Count, step.WeightOf(step.Current), step.WeightOf(step.Parts[^1]));
            if (step.Parts.Count == 1) return;
            InRange &= step.Parts[1].Raw.ge(0).logical_and(step.Parts[1].Raw.le(1)).all().item<bool>();
            Replayed.UnionWith(step.Parts[1].Targets.data<long>().ToArray());
        }
    }
}
