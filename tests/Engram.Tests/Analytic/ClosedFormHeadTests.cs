using Engram.Analytic;
using Engram.Data;
using Engram.Evaluation;
using Engram.Learning;
using Engram.Models;
using Engram.Persistence;
using Engram.Streams;
using Engram.Tests.Persistence;
using TorchSharp;
using static TorchSharp.torch;

namespace Engram.Tests.Analytic;

/// <summary>Closed forms in place of a head: their options reach them, and validation samples choose what there is to choose.</summary>
public class ClosedFormHeadTests
{
    private static readonly SubsetSource s_train = SubsetSource.Balanced(TestData.Mnist.Train, 60);
    private static readonly Tensor s_probe = TestData.Mnist.Test.Inputs([.. Enumerable.Range(0, 100).Select(i => (long)i)]).DetachFromDisposeScope();

    public static TheoryData<string> Names => ["ncm", "slda", "fecam", "ridge", "ranpac"];

    [Theory, MemberData(nameof(Names))]
    public void A_head_says_what_the_learner_with_its_options_says(string name)
    {
        using var scope = NewDisposeScope();
        AnalyticHead head = name switch
        {
            "ncm" => new NearestMeanHead(),
            "slda" => new StreamingLdaHead(new StreamingLdaHeadOptions { Shrinkage = 0.05, Prior = ClassPrior.Counts }),
            "fecam" => new FeCamHead(new FeCamOptions { Gamma1 = 5, Tukey = 1 }),
            "ridge" => new RidgeHead(new RidgeHeadOptions { Lambda = 3, Balance = ClassBalance.Pooled }),
            _ => new RidgeHead(new RidgeHeadOptions { Lambda = 3, RandomFeatures = 50 }),
        };
        using AnalyticLearner direct = name switch
        {
            "ncm" => new NearestClassMean(new RawFeatures(784)),
            "slda" => new StreamingLda(new RawFeatures(784), 0.05, prior: ClassPrior.Counts),
            "fecam" => new FeCam(new RawFeatures(784), new FeCamOptions { Gamma1 = 5, Tukey = 1 }),
            "ridge" => new RidgeClassifier(new RawFeatures(784), 3, balance: ClassBalance.Pooled),
            _ => new RidgeClassifier(new RandomFeatures(784, 50, scale: 1 / 28.0, seed: 7), 3),
        };
        Assert.Equal(name, head.Name);
        using var learner = Over(head);
        var few = SubsetSource.WithLabels(s_train, Label.Numbers(0, 4)); // fewer samples than pixels
        learner.Learn(new Experience(0, few));
        direct.Learn(new Experience(0, few));
        var (expected, found) = (direct.Scores(s_probe), learner.Scores(s_probe));
        Assert.True(found.sub(expected).abs().max().item<float>() < 1e-4 * Math.Max(1, expected.abs().max().item<float>()));
    }

    [Fact]
    public void Lambda_stays_or_is_chosen_anew_on_the_validation_samples_of_each_experience()
    {
        var halves = HalvesWithValidation(0.5);
        var (chosen, fixedOne) = (new RidgeHead(new RidgeHeadOptions { LambdaByValidation = true }), new RidgeHead());
        using var learner = Over(chosen);
        using var other = Over(fixedOne);
        using var direct = new RidgeClassifier(new RawFeatures(784));
        double[] candidates = [.. Enumerable.Range(-6, 11).Select(power => Math.Pow(10, power))];
        foreach (var experience in halves)
        {
            learner.Learn(experience);
            other.Learn(experience);
            direct.Learn(new Experience(experience.Index, experience.Train));
            Assert.Equal(direct.ChooseLambda(experience.Validation!, candidates), ((RidgeClassifier)chosen.Learner).Lambda);
        }
        Assert.Equal(1, ((RidgeClassifier)fixedOne.Learner).Lambda);
        Assert.NotEqual(1, ((RidgeClassifier)chosen.Learner).Lambda); // the choice made a difference
    }

    [Fact]
    public void Choosing_lambda_leaves_no_tensor_behind()
    {
        var half = HalvesWithValidation(0.5)[0];
        using var learner = Over(new RidgeHead(new RidgeHeadOptions { LambdaByValidation = true }));
        long Live(int index)
        {
            learner.Learn(new Experience(index, half.Train, validation: half.Validation));
            return DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        }
        Live(0);
        Assert.Equal(Live(1), Live(2));
    }

    [Fact]
    public void A_head_whose_lambda_was_chosen_behind_a_trained_network_is_restored_and_goes_on_bit_by_bit()
    {
        using var scope = NewDisposeScope();
        var halves = HalvesWithValidation(0.3);
        var options = new LearnerOptions { BatchSize = 16 };
        static ContinualModel Model() => new(new Mlp(784, 40));
        static RidgeHead Head(bool chooses) => new(new RidgeHeadOptions { RandomFeatures = 60, LambdaByValidation = chooses });
        using var learner = new Learner(Model, options, [Head(true)]);
        learner.Learn(halves[0]);
        using var folder = new TemporaryFolder();
        Bundle.Save(learner, folder["bundle"]);
        using var restored = Bundle.Load(folder["bundle"], Model, options, [Head(true)]);
        Assert.True(restored.Scores(s_probe).equal(learner.Scores(s_probe)).all().item<bool>());
        learner.Learn(halves[1]);
        restored.Learn(halves[1]);
        Assert.True(restored.Scores(s_probe).equal(learner.Scores(s_probe)).all().item<bool>());
        Assert.Contains("lambdaByValidation", Assert.Throws<InvalidDataException>(
            () => Bundle.Load(folder["bundle"], Model, options, [Head(false)])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_rule_for_unknown_samples_reads_the_learner_of_a_head_behind_its_backbone()
    {
        using var scope = NewDisposeScope();
        var known = SubsetSource.WithLabels(s_train, Label.Numbers(0, 5));
        var (rest, validation) = StratifiedSplit.Of(known, 0.3, new SeededRandom(3, "test"));
        var head = new StreamingLdaHead(new StreamingLdaHeadOptions { Shrinkage = 0.1 });
        using var learner = new Learner(
            () => new ContinualModel(new Mlp(784, 50)), new LearnerOptions { BatchSize = 16, Epochs = 3 }, [head]);
        learner.Learn(new Experience(0, rest));
        using var features = new BackboneFeatures(learner.Context.Model.Backbone);
        var rule = UnknownRule.Choose(head.Learner, features.Samples(validation));
        Assert.Equal(NoveltyMeasure.Distance, rule.Measure);
        double Unknown(EvaluationSet set)
        {
            var samples = features.Samples(set.Samples);
            var inputs = samples.Gather([.. Enumerable.Range(0, samples.Count).Select(i => (long)i)]).Inputs;
            return rule.Predict(head.Learner, inputs).Average(prediction => prediction.Label is null ? 1.0 : 0.0);
        }
        var (old, never) = (Unknown(TestData.Mnist.Test.WithLabels(Label.Numbers(0, 5)).Balanced(60)),
            Unknown(TestData.Mnist.Test.WithLabels(Label.Numbers(5, 5)).Balanced(60)));
        Assert.True(never > 2 * old, $"unknown: {old} of known digits, {never} of those never learnt");
    }

    [Fact]
    public void Options_out_of_range_are_refused_by_name()
    {
        Assert.StartsWith("Shrinkage: 0, expected", Refusal(() => new StreamingLdaHead(new StreamingLdaHeadOptions { Shrinkage = 0 })), StringComparison.Ordinal);
        Assert.StartsWith("Gamma2: 2, expected", Refusal(() => new FeCamHead(new FeCamOptions { Gamma2 = 2 })), StringComparison.Ordinal);
        Assert.StartsWith("RandomFeatures: 20001, expected", Refusal(() => new RidgeHead(new RidgeHeadOptions { RandomFeatures = 20_001 })), StringComparison.Ordinal);

        static string Refusal(Func<AnalyticHead> make) => Assert.Throws<ArgumentException>(make).Message;
    }

    // Digits 0 to 4, then 5 to 9, with a share of each digit's samples set aside.
    private static Experience[] HalvesWithValidation(double share)
    {
        var (rest, validation) = StratifiedSplit.Of(s_train, share, new SeededRandom(3, "test"));
        return [.. new[] { 0, 5 }.Select(first => new Experience(first / 5, SubsetSource.WithLabels(rest, Label.Numbers(first, 5)),
            validation: SubsetSource.WithLabels(validation, Label.Numbers(first, 5))))];
    }

    private static Learner Over(AnalyticHead head) =>
        new(() => new ContinualModel(new RawInputs(784)), new LearnerOptions { Seed = 7, BatchSize = 32 }, [head]);
}
